/** How operations on a stack end. A failure is an outcome, not an exception. */
import type { DetailedStep } from "./events";
import type { StackObject } from "./stackObjects";
import type { OpMap } from "./workspace";

/** The outcome of one `pulumi up` or `pulumi destroy`. */
export type UpOutcome = ({ succeeded: true; changes: OpMap } | { succeeded: false; errors: string[] }) & {
  /** The SPIRE server restarted; undefined where nobody looked. */
  restarted?: boolean;
  /** Trust domains that the cluster was told to trust before, and no longer is; undefined where nobody looked. */
  ended?: string[];
  recovered: string[];
  warnings?: string[];
};

/** The outcome of one `pulumi preview`. */
export type PreviewOutcome =
  { succeeded: true; steps: DetailedStep[]; outputsChange?: boolean } | { succeeded: false; errors: string[] };

/** One `pulumi preview --refresh`; whatever goes wrong is an outcome. */
export type DriftOutcome = { succeeded: true; objects: StackObject[] } | { succeeded: false; errors: string[] };
