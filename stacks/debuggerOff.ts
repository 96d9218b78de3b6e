import type { Session } from "node:inspector";
import * as hooks from "@pulumi/pulumi/runtime/closure/v8Hooks";

/**
 * Ends Pulumi's debugging session, which it opens in every program for functions that become part of the state; this
 * one has none.
 *
 * While it is open, V8 looks at each rejected promise for somebody who handles it, along every path through what waits
 * for it. Through outputs the paths double with each step: a wait that gives up, or a read that is refused, ended in a
 * process that grows to 10 GB and says nothing. Can go when Pulumi opens the session on demand.
 */
export async function switchDebuggerOff(): Promise<void> {
  const { getSessionAsync } = hooks as unknown as { getSessionAsync?: () => Promise<Session> };
  (await getSessionAsync?.())?.post("Debugger.disable");
}
