/** What a look at the cluster says about something that is awaited. */
export type Verdict =
  | { state: "ready" }
  /** Not yet; `because` names the object and what it says, and is what a time-out shows. */
  | { state: "waiting"; because: string }
  /** Never, unless somebody acts: the wait ends as soon as this was said for `settleSeconds` on end (default 0). */
  | { state: "failed"; because: string; settleSeconds?: number };

/** How a component waits. */
export interface WaitOptions {
  /** Seconds after which a wait gives up. Each component documents its default. */
  timeoutSeconds?: number;
  /** Milliseconds between two looks. Default 1000. */
  pollMs?: number;
}

export const ready: Verdict = { state: "ready" };

export const waiting = (because: string): Verdict => ({ state: "waiting", because });

export const failed = (because: string, settleSeconds = 0): Verdict => ({ state: "failed", because, settleSeconds });
