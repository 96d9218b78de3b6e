/**
 * Whether the events of an operation are all there. Exit code 0 alone says that Pulumi ended well, and nothing of what it
 * did: a Pulumi that writes something else than events, or whose stdout is cut, would look like one with nothing to do.
 */
import type { EngineEvent, OpMap } from "@pulumi/pulumi/automation";

/** Kinds of change that the engine counts by the events of their steps; seen with CLI 3.276. */
const COUNTED = ["create", "update", "delete", "replace"] as const;

export class Witness {
  private readonly steps: OpMap = {};
  private counts: OpMap | undefined;

  hear({ resourcePreEvent: step, summaryEvent: summary }: EngineEvent): void {
    if (step !== undefined) this.steps[step.metadata.op] = (this.steps[step.metadata.op] ?? 0) + 1;
    if (summary !== undefined) this.counts = summary.resourceChanges;
  }

  /** What is missing, of an operation that ended well; undefined when nothing is. */
  complaint(command: string): string | undefined {
    const { counts, steps } = this;
    if (counts === undefined) return "gave no summary";
    // A refresh counts what it found, and its steps are all called refresh.
    if (command === "refresh") return undefined;
    const lost = COUNTED.filter((op) => (steps[op] ?? 0) < (counts[op] ?? 0));
    return lost.length === 0
      ? undefined
      : `counts ${lost.map((op) => `${String(counts[op])} ${op}, of which ${String(steps[op] ?? 0)} came`).join("; ")}`;
  }
}
