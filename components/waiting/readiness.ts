import * as pulumi from "@pulumi/pulumi";
import { stopProgram } from "../shared/stopProgram";

/** What a look at the cluster says about something that is awaited. */
export type Verdict =
  /** `warning` is what people should know all the same. */
  | { state: "ready"; warning?: string }
  /** Not yet; `because` names the object and what it says, and is what a time-out shows. */
  | { state: "waiting"; because: string }
  /** Never, unless somebody acts: the wait ends when this was said for `settleSeconds` on end. */
  | { state: "failed"; because: string; settleSeconds: number };

/** How a component waits until its objects are ready. */
export interface WaitOptions {
  /** Seconds after which the wait times out. The default is each component's own. */
  timeoutSeconds?: pulumi.Input<number>;
  /** Milliseconds between two reads of the cluster. Default 1000. */
  pollMs?: pulumi.Input<number>;
}

/** All of them, known. */
export type Waiting = pulumi.Unwrap<Required<WaitOptions>>;

/** Waits longer than this say what they wait for. */
const QUIET_MS = 2000;
/** A reader that fails this long on end is not going to recover. */
const READ_FAILURE_SECONDS = 30;

export const ready: Verdict = { state: "ready" };

export const waiting = (because: string): Verdict => ({ state: "waiting", because });

/** `settleSeconds` is for what controllers also say in passing, for example while they still see the state before. */
export const failed = (because: string, settleSeconds = 0): Verdict => ({ state: "failed", because, settleSeconds });

/** The first verdict that is not ready: what comes first explains what comes later. */
export function firstNotReady(...verdicts: (() => Verdict)[]): Verdict {
  let warned: Verdict | undefined;
  for (const verdict of verdicts) {
    const said = verdict();
    if (said.state !== "ready") {
      return said;
    }
    if (said.warning !== undefined) warned ??= said;
  }
  return warned ?? ready;
}

/**
 * Looks until it is ready. Unlike Pulumi's own waits it ends at once when it will never be, and a time-out says why.
 *
 * @param what named in the reason, for example `Certificate spire-server-federation-tls`
 * @returns undefined once it is ready, or why it is not, as the last look says
 */
export async function waitUntil(
  what: string,
  look: () => Promise<Verdict>,
  options: Waiting,
  resource?: pulumi.Resource,
): Promise<string | undefined> {
  const start = Date.now();
  let failing: number | undefined;
  let shown = "";
  for (;;) {
    const verdict = await look().catch((error: unknown) =>
      failed(error instanceof Error ? error.message : String(error), READ_FAILURE_SECONDS),
    );
    const now = Date.now();
    if (verdict.state === "ready") {
      if (verdict.warning !== undefined) void pulumi.log.warn(`${what}: ${verdict.warning}`, resource);
      return undefined;
    }
    if (verdict.state === "failed") {
      failing ??= now;
      if (now - failing >= verdict.settleSeconds * 1000) {
        return `${what}: ${verdict.because}`;
      }
    } else {
      failing = undefined;
    }
    if (now - start >= options.timeoutSeconds * 1000) {
      return `${what}: not ready after ${options.timeoutSeconds} s: ${verdict.because}`;
    }
    if (now - start >= QUIET_MS && verdict.because !== shown) {
      shown = verdict.because;
      void pulumi.log.info(`waiting for ${what}: ${shown}`, resource, undefined, true);
    }
    await new Promise((resolve) => setTimeout(resolve, options.pollMs));
  }
}

/**
 * The component, once a look at the cluster says that it is ready.
 *
 * It also looks on an `up` that changes nothing, which costs a few reads; never in a preview, where nothing was made.
 *
 * @param after what must be there first, for example `done(resource)`; the look is given its value
 */
export function whenReady<T>(
  component: pulumi.ComponentResource,
  after: pulumi.Output<T>,
  what: pulumi.Input<string>,
  look: (value: pulumi.Unwrap<T>) => Promise<Verdict>,
  options: Required<WaitOptions>,
): pulumi.Output<pulumi.Resource> {
  const preview = pulumi.runtime.isDryRun();
  return pulumi.all([after, what, options]).apply(async ([value, called, how]) => {
    const reason = preview ? undefined : await waitUntil(called, () => look(value), how, component);
    return reason === undefined ? component : stopProgram(reason, component);
  });
}
