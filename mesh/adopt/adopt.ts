/**
 * `spire-federation adopt`: clusters that were federated by hand become members. An up applies what a cluster has already,
 * and so changes nothing but the objects' annotations; that is made sure of before, and looked at afterwards.
 */
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import type { ClusterReader, KubeObject } from "../../components/cluster/cluster";
import { OPERAND_NAMESPACE } from "../../components/shared/names";
import { definedOnly } from "../../stacks/fields";
import { type Compared, identify } from "../drift/objectFindings";
import { readStack } from "../drift/memberReading";
import { look } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import type { MeshMember } from "../members/members";
import type { Step } from "../pulumi/events";
import type { DriftOutcome, UpOutcome } from "../pulumi/outcomes";
import { POD } from "../spire/serverCommands";
import { type FutureStacks, up } from "../up/up";
import type { Obstacle } from "./foundPeers";
import { type OwnedObject, ownership, recreated, restarted } from "./ownership";
import type { Stock } from "./stock";

/** What an adoption does to a member, before it is done. */
export interface AdoptionPlan {
  id: string;
  owns: OwnedObject[];
  /** The same objects, as they are in the cluster. */
  compared: Compared[];
  serverPod: KubeObject | undefined;
  /** What an up would do. */
  steps: Step[];
  errors: string[];
}

export interface AdoptedMember {
  member: string;
  /** Undefined where the cluster has no ZTWIM. */
  trustDomain?: string;
  /** `refused`: nothing of its cluster was changed. */
  state: "adopted" | "pending" | "refused" | "failed";
  /** The stack's file. */
  file: string;
  /** Config keys about which file and cluster disagree; the file's value is kept. */
  kept: string[];
  /** Objects of the stack. */
  owns: OwnedObject[];
  /** Objects that stay somebody else's, and why. */
  leaves: string[];
  /** What cannot be taken over as it is. */
  obstacles: Obstacle[];
  /** Peers whose stacks have published nothing yet. */
  waitsFor: string[];
  /** Objects that were recreated, and whether the SPIRE server restarted. */
  disturbed: string[];
  /** What a preview would still change. */
  steps: Step[];
  errors: string[];
}

export interface AdoptWorld extends FutureStacks {
  reader(access: ClusterAccess): ClusterReader;
  drift(id: string): Promise<DriftOutcome>;
}

/** Makes the stacks that are missing, which changes no cluster, and compares what they ask for with what is there. */
export async function planAdoption(
  members: readonly MeshMember[],
  world: AdoptWorld,
  parallel: number,
): Promise<AdoptionPlan[]> {
  // A stack cannot be previewed before those of its peers are there.
  for (const id of new Set(members.flatMap((member) => [member.id, ...member.peers])))
    if ((await world.published(id)) === undefined) await world.make(id);
  return inParallel(parallel, members, (member) => planOf(member, world));
}

async function planOf({ id, config }: MeshMember, world: AdoptWorld): Promise<AdoptionPlan> {
  const reader = world.reader(accessOf(config));
  const read = await look(async () => ({
    ...(await readStack(id, reader, world)),
    serverPod: await readServerPod(reader),
  }));
  if ("because" in read) return { id, owns: [], compared: [], serverPod: undefined, steps: [], errors: [read.because] };
  const { compared, others, serverPod } = read.seen;
  const steps = [...compared.map(({ object }) => object), ...others]
    .filter(({ op }) => op !== "same")
    .map(({ op, type, name }) => ({ op, type, name }));
  return { id, owns: ownership(compared), compared, serverPod, steps, errors: [] };
}

const readServerPod = (reader: ClusterReader): Promise<KubeObject | undefined> =>
  reader.get("v1", "Pod", POD, OPERAND_NAMESPACE);

/** Whether an up of it would change something that is there. */
export const refuses = ({ owns, errors }: AdoptionPlan): boolean =>
  errors.length > 0 || owns.some(({ state }) => state === "differs");

/** A member as it stands before anything of its cluster is changed. */
export const unchangedMember = (
  { stack, trustDomain, file, leaves, obstacles }: Stock,
  { owns, errors }: Pick<AdoptionPlan, "owns" | "errors"> = { owns: [], errors: [] },
): AdoptedMember => ({
  member: stack,
  ...definedOnly({ trustDomain }),
  state: "refused",
  ...{ file: file.file, kept: file.kept, owns, leaves, obstacles, errors },
  ...{ waitsFor: [], disturbed: [], steps: [] },
});

/** Runs the members, and looks at what that has done. */
export async function adopt(
  members: readonly MeshMember[],
  stocks: readonly Stock[],
  plans: readonly AdoptionPlan[],
  world: AdoptWorld,
  parallel: number,
  onRound: (round: number, ids: readonly string[]) => void,
  signal: AbortSignal,
): Promise<AdoptedMember[]> {
  const ran = await up(members, guarded(members, world), parallel, onRound, signal);
  const results = await inParallel(parallel, members, async (member): Promise<AdoptedMember[]> => {
    const { id, name, config } = member;
    const plan = plans.find((one) => one.id === id);
    const stock = stocks.find((one) => one.stack === config.self.stack);
    if (stock === undefined) return [];
    const run = ran.find((one) => one.member === name);
    const reader = world.reader(accessOf(config));
    const [now, looked] = await Promise.all([
      planOf(member, world),
      look(async () => (plan === undefined ? [] : disturbance(plan, reader))),
    ]);
    const disturbed = "seen" in looked ? looked.seen : [];
    const unseen = "seen" in looked ? [] : [`what the up has disturbed cannot be seen: ${looked.because}`];
    const errors = [...new Set([...(run?.errors ?? []), ...now.errors, ...unseen])];
    const { steps } = now;
    const failed = errors.length > 0 || steps.length > 0 || disturbed.length > 0;
    return [
      {
        ...unchangedMember(stock, now),
        state: failed ? "failed" : run?.state === "pending" ? "pending" : "adopted",
        waitsFor: run?.waitsFor ?? [],
        ...{ disturbed, steps, errors },
      },
    ];
  });
  return results.flat();
}

/** Stacks that run only where that changes nothing that is there: another peer may have published something since. */
const guarded = (members: readonly MeshMember[], world: AdoptWorld): FutureStacks => ({
  ...world,
  up: async (id): Promise<UpOutcome> => {
    const member = members.find((one) => one.id === id);
    const plan = member === undefined ? undefined : await planOf(member, world);
    if (plan === undefined || !refuses(plan)) return world.up(id);
    const differ = plan.owns.map(({ object, differences }) => differences.map((one) => `${object}: ${one}`)).flat();
    return { succeeded: false, errors: [...plan.errors, ...differ], recovered: [] };
  },
});

async function disturbance({ compared, serverPod }: AdoptionPlan, reader: ClusterReader): Promise<string[]> {
  const after = await Promise.all(
    compared.map(async ({ object }) => {
      const id = identify(object);
      return id && (await reader.get(id.apiVersion, id.kind, id.name, id.namespace));
    }),
  );
  return [...recreated(compared, after), ...restarted(serverPod, await readServerPod(reader))];
}
