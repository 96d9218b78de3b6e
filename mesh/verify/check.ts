/** A check, and what comes of asking it. Pure. */
import type { Looked } from "../kernel/looked";
import { redactedFields } from "../kernel/redactedText";

/** Permanent: never given to another check, since scripts and runbooks refer to it. */
export type Code = `MESH${number}`;

export interface Check<View> {
  readonly code: Code;
  /** What is true when it passes. */
  readonly title: string;
  /** Where it is seen, such as `the API server`. */
  readonly source: string;
  /** What it proves and what a failure means, for docs/checks.md. */
  readonly about: string;
  /** Verifications of the documented procedure that it answers. */
  readonly verifications?: readonly number[];
  /** Checks that must pass first; otherwise this one is skipped. */
  readonly needs?: readonly Code[];
  /** The same of the peer's own checks, for a check of a pair; of a list, one is enough. */
  readonly needsOfPeer?: readonly (Code | readonly Code[])[];
  /** Where it is not, the check is left out; default everywhere. */
  readonly asked?: (view: View) => boolean;
  judge(view: View): Judgement;
}

export type Judgement =
  | { state: "ok"; evidence: string }
  /** `cure` is a command, or what to do where there is none. */
  | {
      state: "failed";
      evidence: string;
      cure: string;
      /** Only another config puts it right: to look again shows the same. */
      stays?: true;
    }
  /** It passes, and there is something to know about it; what can be done is in `cure`. */
  | { state: "warn"; evidence: string; cure: string }
  /** It passes, and nobody can mend what there is to know about it. */
  | { state: "note"; evidence: string; cure: string }
  /** Not so yet, and nobody has to do anything about this one. */
  | { state: "pending"; evidence: string; cure: string }
  /** It doesn't apply here, or `needs` did not pass, and so nothing can be said. */
  | { state: "skipped"; evidence: string; needs?: Code }
  /** What would tell could not be seen. */
  | {
      state: "unknown";
      evidence: string;
      /** For want of a right or a way to the cluster: to look again shows the same. */
      forbidden?: true;
      /** A command that shows more, where there is one. */
      cure?: string;
    };

export const ok = (evidence: string): Judgement => ({ state: "ok", evidence });
export const failed = (evidence: string, cure: string): Judgement => ({ state: "failed", evidence, cure });
export const warn = (evidence: string, cure: string): Judgement => ({ state: "warn", evidence, cure });
export const note = (evidence: string, cure: string): Judgement => ({ state: "note", evidence, cure });
export const pending = (evidence: string, cure: string): Judgement => ({ state: "pending", evidence, cure });
export const skipped = (evidence: string): Judgement => ({ state: "skipped", evidence });

/** Whether what needs such a check can be asked. */
export const passes = (state: Judgement["state"] | undefined): boolean =>
  state === "ok" || state === "warn" || state === "note";

/** Thrown by `see`, and turned into the state `unknown`. */
export class NotSeen extends Error {
  constructor(
    message: string,
    readonly forbidden: boolean = false,
  ) {
    super(message);
  }
}

/** What was read; where it could not be, the check that asks ends as unknown. */
export function see<T>(looked: Looked<T>): T {
  if ("because" in looked) throw new NotSeen(looked.because, looked.forbidden);
  return looked.seen;
}

/** One line of a verification. */
export type Outcome = { code: Code; title: string; source: string } & Judgement;

/**
 * Asks the checks in their order. Whatever a check says, no password is in it.
 *
 * @param before outcomes of other checks that these may need
 * @param ofPeer outcomes of the peer's own checks
 */
export function evaluate<View>(
  checks: readonly Check<View>[],
  view: View,
  before: readonly Outcome[] = [],
  ofPeer: readonly Outcome[] = [],
): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const check of checks) {
    const missed = missing(check.needs, [...before, ...outcomes]) ?? missing(check.needsOfPeer, ofPeer, "the peer's ");
    const { code, title, source } = check;
    const judgement = judged(() => ((check.asked?.(view) ?? true) ? (missed ?? check.judge(view)) : undefined));
    if (judgement !== undefined) outcomes.push({ code, title, source, ...redactedFields(judgement) });
  }
  return outcomes;
}

const toList = (need: Code | readonly Code[]): readonly Code[] => (typeof need === "string" ? [need] : need);

/** The first need that did not pass; one that doesn't apply keeps nobody from being asked. */
function missing(
  needs: readonly (Code | readonly Code[])[] = [],
  outcomes: readonly Outcome[],
  whose = "",
): Judgement | undefined {
  const outcomeOf = (code: Code): Outcome | undefined => outcomes.find((one) => one.code === code);
  for (const [code, ...others] of needs.map(toList)) {
    if (code === undefined || others.some((other) => passes(outcomeOf(other)?.state))) continue;
    const outcome = outcomeOf(code);
    const root = outcome?.state === "skipped" ? outcome.needs : code;
    if (root === undefined || passes(outcome?.state)) continue;
    return { state: "skipped", evidence: `${whose}${root} did not pass`, needs: root };
  }
  return undefined;
}

/** Whatever the cluster has, a check that cannot cope with it costs its own line and no other. */
function judged<T>(judge: () => T): T | Judgement {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof NotSeen)) return { state: "unknown", evidence: broke(error) };
    const { message: evidence, forbidden } = error;
    return { state: "unknown", evidence, ...(forbidden && { forbidden }) };
  }
}

const broke = (error: unknown): string => `this check broke: ${error instanceof Error ? error.message : String(error)}`;
