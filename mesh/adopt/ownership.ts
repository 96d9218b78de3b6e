/** What a stack is to own of what a cluster has, and what its up would change of that. Pure. */
import type { KubeObject } from "../../components/cluster/cluster";
import { owners } from "../../components/cluster/fieldOwners";
import { FIELD_MANAGER } from "../../components/shared/names";
import { byTrustDomain } from "../../components/bundle/peer";
import type { Pod } from "../../components/waiting/workloads";
import { addedFields, objectDifferences } from "../kernel/difference";
import { calledObject, type Compared, contentOf } from "../drift/objectFindings";
import { shown } from "../kernel/redact";
import type { StackObject } from "../pulumi/stackObjects";

/** An object that becomes the stack's. */
export interface OwnedObject {
  /** Kind and name. */
  object: string;
  /** `same`: it is there, as the stack asks for it. `missing`: the stack creates it. `owned`: it is the stack's already. */
  state: "same" | "missing" | "differs" | "owned";
  /** What an up would change of it. */
  differences: string[];
  /** Fields that the stack does not set, and who has set them. */
  others: string[];
  /** Programs and people that have set what becomes the stack's. */
  setBy: string[];
}

/** The objects that the stack asks for, each as the cluster has it. */
export function ownership(compared: readonly Compared[]): OwnedObject[] {
  return compared.map(({ object, live }) => {
    const label = calledObject(object);
    if (object.op === "delete")
      return { object: label, state: "differs", differences: ["an up would delete it"], others: [], setBy: [] };
    if (live === undefined) return { object: label, state: "missing", differences: [], others: [], setBy: [] };
    const asked = contentOf(object);
    const differences = objectDifferences(asked, sorted(live)).map(
      ({ path, found, expected }) => `${path} is ${shown(path, found)}, and would be ${shown(path, expected)}`,
    );
    if (object.op === "change") differences.push(`an up would change ${object.diffs.join(", ")}`);
    const state = differences.length > 0 ? "differs" : object.op === "create" ? "same" : "owned";
    return {
      ...{ object: label, state, differences },
      others: othersFields(object, asked, live),
      setBy: settersOf(object, asked, live),
    };
  });
}

/** With the list of peers as a stack has it: SPIRE's configuration has no order of them, and nothing restarts by another one. */
function sorted(
  live: KubeObject & { spec?: { federation?: { federatesWith?: { trustDomain: string }[] } } },
): KubeObject {
  const { federatesWith } = live.spec?.federation ?? {};
  if (federatesWith === undefined) return live;
  const list = [...federatesWith].sort(byTrustDomain);
  const federation = { ...live.spec?.federation, federatesWith: list };
  return { ...live, spec: { ...live.spec, federation } } as KubeObject;
}

/** Whoever applies the object again would undo what the stack changes later. */
function settersOf({ type }: StackObject, asked: Record<string, unknown>, live: KubeObject): string[] {
  const paths = type.endsWith("Patch") ? [["spec", "federation"]] : Object.keys(asked).map((key) => [key]);
  const managers = paths.flatMap((path) => owners(live, path));
  return [...new Set(managers)].filter(
    (manager) => manager !== FIELD_MANAGER && !manager.startsWith("pulumi-kubernetes"),
  );
}

/** Of a whole object Pulumi's provider takes over what oc and kubectl have set; a patch owns its own fields alone. */
function othersFields({ type }: StackObject, asked: Record<string, unknown>, live: KubeObject): string[] {
  return type.endsWith("Patch")
    ? []
    : addedFields(asked, live).map(({ path, manager }) => `${path}, set by ${manager}`);
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
    return [`${calledObject(object)} ${now === undefined ? "was deleted" : "was recreated"}`];
  });
}

/** What became of the SPIRE server's pod, in words. */
export function restarted(before: Pod | undefined, after: Pod | undefined): string[] {
  if (before === undefined) return [];
  if (before.metadata?.uid !== after?.metadata?.uid) return ["the SPIRE server's pod was replaced"];
  const counts = ({ status }: Pod): string =>
    (status?.containerStatuses ?? [])
      .map(({ name, restartCount = 0 }) => `${name} ${String(restartCount)}`)
      .sort()
      .join();
  return after !== undefined && counts(before) !== counts(after)
    ? ["a container of the SPIRE server's pod was restarted"]
    : [];
}
