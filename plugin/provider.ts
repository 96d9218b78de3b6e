/** Creates the components for programs in other languages. */
import * as pulumi from "@pulumi/pulumi";
import { readiness } from "../components/shared/gate";
import { valueIfKnown } from "../components/shared/known";

/** The parts of a Pulumi schema that are needed here. */
interface Schema {
  version: string;
  resources: Record<
    string,
    { inputProperties: Record<string, { plain?: boolean }>; properties: Record<string, object> }
  >;
}

/** A component's class. */
export type ComponentClass = new (
  name: string,
  args: never,
  options: pulumi.ComponentResourceOptions,
) => pulumi.ComponentResource;

/** @param classes by the last part of their type */
export function componentProvider(
  schema: string,
  classes: Readonly<Record<string, ComponentClass>>,
): pulumi.provider.Provider {
  const { version, resources } = JSON.parse(schema) as Schema;
  return {
    version,
    schema,
    construct: async (name, type, inputs, options) => {
      const declared = resources[type];
      const Component = classes[type.split(":").at(-1) ?? ""];
      if (declared === undefined || Component === undefined) throw new Error(`${type} is no component of this plugin`);
      const component = new Component(name, (await resolvePlain(inputs, declared.inputProperties)) as never, options);
      // `dependsOn` in another language waits for this answer.
      await readiness(component);
      return { urn: component.urn, state: outputsOf(component, Object.keys(declared.properties)) };
    },
  };
}

/**
 * The inputs, with values in place of outputs where a component needs the value to know what it has to make. Outputs within
 * them are the component's.
 *
 * @throws InputPropertiesError for those that a preview does not know
 */
async function resolvePlain(
  inputs: pulumi.Inputs,
  declared: Readonly<Record<string, { plain?: boolean }>>,
): Promise<pulumi.Inputs> {
  const errors: { propertyPath: string; reason: string }[] = [];
  const resolved = Object.entries(inputs).map(async ([key, input]: [string, unknown]): Promise<[string, unknown]> => {
    if (declared[key]?.plain !== true || !pulumi.Output.isInstance<object>(input)) return [key, input];
    const value = await valueIfKnown(input);
    if (value === undefined) errors.push({ propertyPath: key, reason: UNKNOWN });
    return [key, value];
  });
  const args = Object.fromEntries(await Promise.all(resolved));
  if (errors.length > 0) throw new pulumi.InputPropertiesError({ message: "the arguments cannot be used", errors });
  return args;
}

const UNKNOWN = "is not known in a preview; give a value that does not depend on resources that are yet to be created";

/** What a component has as outputs. */
function outputsOf(component: pulumi.ComponentResource, names: readonly string[]): pulumi.Inputs {
  return Object.fromEntries(
    names.map((name) => {
      const output: unknown = Reflect.get(component, name);
      if (output === undefined) throw new Error(`the schema has an output ${name}, the class has none`);
      return [name, output];
    }),
  );
}
