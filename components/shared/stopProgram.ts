/**
 * Ends the program with one error from inside an output.
 *
 * An output that rejects hands its error to everything that waits for it, and Pulumi puts the name of each waiting property
 * in front of the message. And V8, for the debugging session that Pulumi opens in every program, follows an error along all
 * paths through the waiting promises, which doubles with each step: such a program grows to 12 GB and says nothing. So
 * nothing rejects inside outputs. The error is thrown once, outside of all promises, and what depends on the output is never
 * registered.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * Throws the error as an uncaught exception, which Pulumi reports without a stack and for which it ends the program; a
 * component that a program in another language has asked for is answered with it.
 *
 * @returns a promise that never resolves, for the output in which this happens
 */
export function stopProgram(message: string, resource?: pulumi.Resource): Promise<never> {
  setImmediate(() => {
    throw new pulumi.ResourceError(message, resource, true);
  });
  return new Promise(() => undefined);
}

/** What a promise resolves to; a rejection ends the program. */
export function orStop<T>(promise: Promise<T>, resource: pulumi.Resource): Promise<T> {
  return promise.catch((error: unknown) =>
    stopProgram(error instanceof Error ? error.message : String(error), resource),
  );
}
