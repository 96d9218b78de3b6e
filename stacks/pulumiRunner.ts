/**
 * The one workaround for Pulumi's runner (cmd/run of @pulumi/pulumi), which does two things before it loads a program. Both
 * break the last message of a program that fails. test/stacks/pulumiRunner.test.ts fails when the runner no longer does them.
 */
import type { Session } from "node:inspector";
import { createRequire } from "node:module";

export async function undoRunner(): Promise<void> {
  // Source maps turn places of Pulumi's SDK into lines such as `(…/node_modules/@pulumi/resource.ts:1598:22)`. On these
  // util.inspect in colour, with which Pulumi prints the error, never ends in Node 20 (nodejs/node#64011).
  Reflect.deleteProperty(Error, "prepareStackTrace");
  // With a debugger V8 follows every path from a rejected promise to somebody who handles it. Each output doubles the paths:
  // the process grows to 10 GB and says nothing. Pulumi needs the debugger only to put functions into the state, which this
  // program does not do (pulumi/pulumi#9375).
  (await pulumiSession())?.post("Debugger.disable");
}

/** Pulumi's debugger. If a release of the SDK does not export it, a failing program loses its last message; nothing else breaks. */
async function pulumiSession(): Promise<Session | undefined> {
  try {
    const hooks: unknown = createRequire(__filename)("@pulumi/pulumi/runtime/closure/v8Hooks");
    return await (hooks as { getSessionAsync: () => Promise<Session> }).getSessionAsync();
  } catch {
    return undefined;
  }
}
