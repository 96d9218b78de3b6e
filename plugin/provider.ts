/** Creates the components for programs in other languages. */
import * as pulumi from "@pulumi/pulumi";
import { readiness } from "../components/shared/gate";

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
 * The inputs, with values in place of outputs where a component needs the value to know what it has to make.
 *
 * @throws InputPropertiesError for those that a preview does not know
 */
async function resolvePlain(
  inputs: pulumi.Inputs,
  declared: Readonly<Record<string, { plain?: boolean }>>,
): Promise<pulumi.Inputs> {
  const resolved = Object.entries(inputs).map(async ([key, value]): Promise<[string, unknown]> => [
    key,
    declared[key]?.plain === true ? withoutSecrets(await pulumi.runtime.serializeProperty(key, value)) : value,
  ]);
  const args = await Promise.all(resolved);
  const errors = args
    .filter(([, value]) => hasUnknown(value))
    .map(([propertyPath]) => ({
      propertyPath,
      reason: "is not known in a preview; give a value that does not depend on resources that are yet to be created",
    }));
  if (errors.length > 0) throw new pulumi.InputPropertiesError({ message: "the arguments cannot be used", errors });
  return Object.fromEntries(args);
}

/** The components decide by themselves what is secret in the state: a connection string, or all of `manage`. */
function withoutSecrets(value: unknown): unknown {
  const plain: unknown = pulumi.runtime.unwrapRpcSecret(value);
  if (Array.isArray(plain)) return plain.map(withoutSecrets);
  if (typeof plain !== "object" || plain === null) return plain;
  return Object.fromEntries(Object.entries(plain).map(([key, part]) => [key, withoutSecrets(part)]));
}

function hasUnknown(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some(hasUnknown);
  return value === pulumi.runtime.unknownValue;
}

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
