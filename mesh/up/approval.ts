/** What an up is going to change, for somebody to approve. */
import { look } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import type { MeshMember } from "../members/members";
import { type Previews, preview, type PreviewMember } from "../preview/preview";
import type { UpMember } from "./up";

export interface PlannedMember extends PreviewMember {
  /** Its own stack or a peer's is still to be made, so Pulumi cannot preview it. */
  unbuilt: boolean;
  /** It will list its peers in its SPIRE server's configuration, which restarts the server. */
  willRestart: boolean;
  /** One more run is due whatever its peers do. */
  dueAgain: boolean;
  /** Its config as it was when the plan was made; only compared. */
  config: string;
}

/** What a plan is made from. */
export interface ApprovalSources extends Previews {
  /** What a stack's and the project's file say of its config. */
  config(member: MeshMember): Promise<string>;
}

export async function planUp(
  members: readonly MeshMember[],
  stacks: ApprovalSources,
  parallel: number,
): Promise<PlannedMember[]> {
  const missing = new Set<string>();
  const again = new Set<string>();
  await inParallel(parallel, [...new Set(members.flatMap(({ id, peers }) => [id, ...peers]))], async (id) => {
    const read = await look(() => stacks.published(id));
    if ("seen" in read && read.seen === undefined) missing.add(id);
    if ("seen" in read && read.seen?.runAgain === true) again.add(id);
  });
  const unbuilt = ({ id, peers }: Pick<MeshMember, "id" | "peers">): boolean =>
    [id, ...peers].some((one) => missing.has(one));
  const isUnbuilt = new Map(members.map((member) => [member.id, unbuilt(member)]));
  const previews: Previews = {
    published: (id) => stacks.published(id),
    roots: (first) => stacks.roots(first),
    ownRoots: (member) => stacks.ownRoots(member),
    workloads: (member) => stacks.workloads(member),
    preview: (id) =>
      isUnbuilt.get(id) === true ? Promise.resolve({ succeeded: true, steps: [] }) : stacks.preview(id),
  };
  const seen = await preview(members, previews, parallel);
  const planned = await Promise.all(
    members.map(async (member): Promise<PlannedMember[]> => {
      const one = seen.find((previewed) => previewed.member === member.name);
      if (one === undefined) return [];
      const joins = one.trust.waitsFor.some((peer) => member.peers.some((id) => member.labels[id] === peer));
      return [
        {
          ...one,
          unbuilt: unbuilt(member),
          willRestart: one.restarts || unbuilt(member) || (joins && member.config.federatesWith === "static"),
          dueAgain: again.has(member.id),
          config: await stacks.config(member),
        },
      ];
    }),
  );
  return planned.flat();
}

/** Whether the plan contains no change at all. */
export const isNothing = (plan: readonly PlannedMember[]): boolean =>
  plan.every(
    ({ unbuilt, dueAgain, steps, trust, errors, unread }) =>
      !unbuilt &&
      !dueAgain &&
      [steps, trust.gains, trust.loses, errors, unread].every((list: readonly unknown[]) => list.length === 0),
  );

/** The result of members that need no run. */
export const unchanged = (plan: readonly PlannedMember[]): UpMember[] =>
  plan.map(({ member, trust }) => ({
    member,
    state: trust.waitsFor.length === 0 ? "complete" : "pending",
    waitsFor: trust.waitsFor,
    keeps: trust.keeps.map(({ peer }) => peer),
    runs: 0,
    changes: {},
    restarts: 0,
    recovered: [],
    warnings: [],
    errors: [],
  }));
