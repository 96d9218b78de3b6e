/** How operations on a stack end. A failure is an outcome, not an exception. */
import type { DetailedStep } from "./events";
import type { ServerChange } from "../spire/serverSight";
import type { StackObject } from "./stackObjects";
import type { OpMap } from "./workspace";

/** The outcome of one `pulumi up` or `pulumi destroy`. */
export type UpOutcome = ({ succeeded: true } | { succeeded: false; errors: string[] }) & {
  changes?: OpMap;
  recovered: string[];
  warnings?: string[];
} & Partial<ServerChange>; // nothing of it where nobody looked

/** The outcome of one `pulumi preview`. */
export type PreviewOutcome =
  { succeeded: true; steps: DetailedStep[]; outputsChange?: boolean } | { succeeded: false; errors: string[] };

/** One `pulumi preview --refresh`; whatever goes wrong is an outcome. */
export type DriftOutcome = { succeeded: true; objects: StackObject[] } | { succeeded: false; errors: string[] };
