/** What a stack is to own of what a cluster has, and what its up would change of that. Pure. */
import type { KubeObject } from "../../components/cluster";
import { objectDifferences } from "../drift/difference";
import { type Compared, contentOf, identify } from "../drift/objectFindings";
import { shown } from "../drift/redact";

/** An object that becomes the stack's. */
export interface OwnedObject {
  /** Kind and name. */
  object: string;
  /** `same`: it is there, as the stack asks for it. `missing`: the stack creates it. `owned`: it is the stack's already. */
  state: "same" | "missing" | "differs" | "owned";
  /** What an up would change of it. */
  differences: string[];
}

/** The objects that the stack asks for, each as the cluster has it. */
export function ownership(compared: readonly Compared[]): OwnedObject[] {
  return compared.map(({ object, live }) => {
    const { kind, name } = identify(object) ?? { kind: object.type, name: object.name };
    const label = `${kind} ${name}`;
    if (object.op === "delete") return { object: label, state: "differs", differences: ["an up would delete it"] };
    if (live === undefined) return { object: label, state: "missing", differences: [] };
    const differences = objectDifferences(contentOf(object), live).map(
      ({ path, found, expected }) => `${path} is ${shown(path, found)}, and would be ${shown(path, expected)}`,
    );
    if (object.op === "change") differences.push(`an up would change ${object.diffs.join(", ")}`);
    if (differences.length > 0) return { object: label, state: "differs", differences };
    return { object: label, state: object.op === "create" ? "same" : "owned", differences };
  });
}

/**
 * Objects that are not the same ones any more, in words.
 *
 * @param after the objects of `before`, read again
 */
export function recreated(before: readonly Compared[], after: readonly (KubeObject | undefined)[]): string[] {
  return before.flatMap(({ object, live }, index) => {
    const now = after[index];
    if (live === undefined || (now !== undefined && live.metadata?.uid === now.metadata?.uid)) return [];
    const { kind, name } = identify(object) ?? { kind: object.type, name: object.name };
    return [`${kind} ${name} ${now === undefined ? "was deleted" : "was recreated"}`];
  });
}

interface Pod extends KubeObject {
  status?: { containerStatuses?: { name?: string; restartCount?: number }[] };
}

/** What became of the SPIRE server's pod, in words. */
export function restarted(before: Pod | undefined, after: Pod | undefined): string[] {
  if (before === undefined) return [];
  if (before.metadata?.uid !== after?.metadata?.uid) return ["the SPIRE server's pod was replaced"];
  const counts = ({ status }: Pod): string =>
    (status?.containerStatuses ?? [])
      .map(({ name = "", restartCount = 0 }) => `${name} ${String(restartCount)}`)
      .sort()
      .join();
  return after !== undefined && counts(before) !== counts(after)
    ? ["a container of the SPIRE server's pod was restarted"]
    : [];
}
