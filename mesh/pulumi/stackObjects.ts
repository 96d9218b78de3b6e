/** What a stack asks for, as the engine's events of a preview tell it. Pure. */
import type { EngineEvent } from "./workspace";

export interface StackObject {
  /** What an up would do with it; a replacement is a change. */
  op: "same" | "change" | "create" | "delete";
  /** Type token, such as `kubernetes:core/v1:Namespace`. */
  type: string;
  name: string;
  /** Its inputs, with the engine's own marks for what is unknown or secret. */
  asked: Record<string, unknown>;
  /** Properties by which the engine tells that it changes. */
  diffs: string[];
}

type Operation = StackObject["op"];

const OPERATIONS: Partial<Record<string, Operation>> = {
  same: "same",
  create: "create",
  delete: "delete",
  update: "change",
  replace: "change",
  "create-replacement": "change",
  "delete-replaced": "change",
};

/** Every resource that a provider has, once. */
export function stackObjects(events: readonly EngineEvent[]): StackObject[] {
  const objects = new Map<string, StackObject>();
  for (const { resourcePreEvent } of events) {
    const step = resourcePreEvent?.metadata;
    const op = OPERATIONS[step?.op ?? ""];
    const state = step?.new ?? step?.old;
    if (step === undefined || op === undefined || state?.custom !== true || step.type.startsWith("pulumi:")) continue;
    const diffs = [...(objects.get(step.urn)?.diffs ?? []), ...(step.diffs ?? [])];
    objects.set(step.urn, {
      op,
      type: step.type,
      name: step.urn.split("::").at(-1) ?? step.urn,
      // Of a replacement the step that deletes tells what was.
      asked: (step.new?.inputs ?? objects.get(step.urn)?.asked ?? state.inputs) as Record<string, unknown>,
      diffs: [...new Set(diffs)],
    });
  }
  return [...objects.values()];
}
