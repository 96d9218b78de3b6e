/** What an up is going to change, for somebody to approve. */
import { look } from "../kernel/looked";
import { once } from "../kernel/once";
import { inParallel } from "../kernel/parallel";
import type { MeshMember } from "../members/members";
import { readPublished } from "../members/publication";
import { type Previews, preview, type PreviewMember } from "../preview/preview";
import { comparable, type Publications } from "./convergence";

export interface PlannedMember extends PreviewMember {
  /** Its own stack or a peer's is still to be made, so Pulumi cannot preview it. */
  unbuilt: boolean;
  /** It will list its peers in its SPIRE server's configuration, which restarts the server. */
  willRestart: boolean;
  /** An interrupted run has left operations or a lock, which no preview shows. */
  interrupted: boolean;
  /** Only where nothing of it is to change: what its peers had published by then. */
  upToDateWith?: Publications;
  /** Its config as it was when the plan was made; only compared. */
  config: string;
}

/** What a plan is made from. */
export interface ApprovalSources extends Previews {
  /** What a stack's and the project's file say of its config. */
  config(member: MeshMember): Promise<string>;
  /** Whether no run of the stack was interrupted. */
  isSettled(id: string): Promise<boolean>;
}

export async function planUp(
  members: readonly MeshMember[],
  stacks: ApprovalSources,
  parallel: number,
): Promise<PlannedMember[]> {
  const missing = new Set<string>();
  const saw: Record<string, string | undefined> = {};
  const published = once(
    (id: string) => id,
    (id) => stacks.published(id),
  );
  const ids = members.flatMap(({ id, peers }) => [id, ...peers]);
  for (const [id, read] of await readPublished(ids, published, parallel)) {
    if (!("seen" in read)) continue;
    saw[id] = comparable(read.seen?.federation);
    if (read.seen === undefined) missing.add(id);
  }
  const unbuilt = new Set(
    members.filter(({ id, peers }) => [id, ...peers].some((one) => missing.has(one))).map(({ id }) => id),
  );
  const previews: Previews = {
    published,
    roots: (first) => stacks.roots(first),
    ownRoots: (member) => stacks.ownRoots(member),
    workloads: (member) => stacks.workloads(member),
    preview: async (id) => {
      if (unbuilt.has(id)) return { succeeded: true, steps: [] };
      return stacks.preview(id);
    },
  };
  const seen = await preview(members, previews, parallel);
  const plans = await inParallel(parallel, members, async (member): Promise<PlannedMember[]> => {
    const one = seen.find((previewed) => previewed.member === member.name);
    if (one === undefined) return [];
    const joins = one.trust.waitsFor.some((peer) => member.peers.some((id) => member.labels[id] === peer));
    const isNew = unbuilt.has(member.id);
    const plan = {
      ...one,
      unbuilt: isNew,
      willRestart: one.restarts || isNew || (joins && member.config.federatesWith === "static"),
      interrupted: !isNew && !(await isSettled(stacks, member)),
      config: await stacks.config(member),
    };
    return [changesNothing(plan) ? { ...plan, upToDateWith: saw } : plan];
  });
  return plans.flat();
}

/** A state that cannot be read may have anything in it. */
async function isSettled(stacks: ApprovalSources, { id }: MeshMember): Promise<boolean> {
  const answer = await look(() => stacks.isSettled(id));
  return "seen" in answer && answer.seen;
}

const changesNothing = (plan: PlannedMember): boolean =>
  !(plan.unbuilt || plan.interrupted || plan.outputsChange) &&
  [plan.steps, plan.trust.gains, plan.trust.loses, plan.errors, plan.unread].every(
    (list: readonly unknown[]) => list.length === 0,
  );

/** Whether the plan contains no change at all. */
export const isNothing = (plan: readonly PlannedMember[]): boolean =>
  plan.every(({ upToDateWith }) => upToDateWith !== undefined);
