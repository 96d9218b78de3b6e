/** Makes the components that a program in another language asks for. */
import * as pulumi from "@pulumi/pulumi";

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
    // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is the answer, as a rejection
    construct: async (name, type, inputs, options) => {
      const declared = resources[type];
      const Component = classes[type.split(":").at(-1) ?? ""];
      if (declared === undefined || Component === undefined) throw new Error(`${type} is no component of this plugin`);
      checkPlain(inputs, declared.inputProperties);
      const component = new Component(name, inputs as never, options);
      return { urn: component.urn, state: outputsOf(component, Object.keys(declared.properties)) };
    },
  };
}

/** @throws InputPropertiesError for outputs of resources where a component needs the value to know what it has to make */
function checkPlain(inputs: pulumi.Inputs, declared: Readonly<Record<string, { plain?: boolean }>>): void {
  const errors = Object.entries(inputs)
    .filter(([key, value]) => declared[key]?.plain === true && hasOutput(value))
    .map(([propertyPath]) => ({
      propertyPath,
      reason: "is an output of a resource or a secret; give a value that is known before, such as one of the config",
    }));
  if (errors.length > 0) throw new pulumi.InputPropertiesError({ message: "the arguments cannot be used", errors });
}

function hasOutput(value: unknown): boolean {
  if (pulumi.Output.isInstance(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasOutput);
}

/** What a component has as outputs; `ready`, there the component itself, only says that it is. */
function outputsOf(component: pulumi.ComponentResource, names: readonly string[]): pulumi.Inputs {
  const outputs = component as unknown as Record<string, pulumi.Output<unknown>>;
  return Object.fromEntries(
    names.map((name) => [name, name === "ready" ? outputs[name]?.apply(() => true) : outputs[name]]),
  );
}
