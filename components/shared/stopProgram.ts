/**
 * Fails a component with one error from inside an output.
 *
 * An output that rejects hands its error to everything that waits for it, and Pulumi puts the name of each waiting property
 * in front of the message. So nothing rejects inside outputs. The component fails, once, and what depends on the output, or
 * on the component, is never registered.
 */
import * as pulumi from "@pulumi/pulumi";
import { failComponent } from "./gate";
import { printable } from "./printable";
import { unknownInPreview } from "./unreachable";

/**
 * Fails the component: Pulumi reports the error once and without a stack, goes on with what does not depend on the component,
 * and ends the program as failed. A component that a program in another language has asked for is answered with it. Where
 * the component was ready already, the error is thrown outside of all promises.
 *
 * @returns a promise that never resolves, for the output in which this happens
 */
export function stopProgram(message: string, resource?: pulumi.Resource): Promise<never> {
  const error = new pulumi.ResourceError(printable(message), resource, true);
  // Once the program has run to its end, Pulumi shows the stack of whatever is thrown, and the message where there is none.
  delete error.stack;
  if (!failComponent(resource, error)) {
    setImmediate(() => {
      throw error;
    });
  }
  return new Promise(() => undefined);
}

/** What a promise resolves to; a rejection fails the component, but for a cluster that a preview cannot read: unknown. */
export function orStop<T>(promise: Promise<T>, resource: pulumi.Resource): Promise<T> {
  return promise.catch(
    (error: unknown) =>
      (unknownInPreview(error) as T | undefined) ??
      stopProgram(error instanceof Error ? error.message : String(error), resource),
  );
}
