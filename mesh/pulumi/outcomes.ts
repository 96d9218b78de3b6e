/** How operations on a stack end; whatever goes wrong is an outcome, not an error. */
import type { DetailedStep } from "./events";
import type { StackObject } from "./stackObjects";
import type { OpMap } from "./workspace";

/** Of one `pulumi up` or `pulumi destroy`. */
export type UpOutcome =
  | { succeeded: true; changes: OpMap; restarted: boolean; recovered: string[]; warnings?: string[] }
  | { succeeded: false; errors: string[]; recovered: string[]; warnings?: string[] };

/** Of one `pulumi preview`. */
export type PreviewOutcome = { succeeded: true; steps: DetailedStep[] } | { succeeded: false; errors: string[] };

/** One `pulumi preview --refresh`; whatever goes wrong is an outcome. */
export type DriftOutcome = { succeeded: true; objects: StackObject[] } | { succeeded: false; errors: string[] };
