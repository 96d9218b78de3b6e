/** Values that a program may know only later: outputs of other resources and stacks. */
import * as pulumi from "@pulumi/pulumi";

/** Whether it is a value, and not yet to become one. */
export const isKnown = <T>(value: pulumi.Input<T>): value is T =>
  !pulumi.Output.isInstance(value) && !(value instanceof Promise);

/**
 * The value of an output; undefined where a preview does not know it. `apply` alone would never say so, but Pulumi tells of
 * each output, unknown ones too, whether it is secret.
 */
export async function valueIfKnown<T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T> | undefined> {
  let value: pulumi.Unwrap<T> | undefined;
  await pulumi.isSecret(
    output.apply((known) => {
      value = known as pulumi.Unwrap<T>;
    }),
  );
  return value;
}
