/** What an up is going to change, for somebody to approve, and that no other trust comes of it. */
import { look } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import { type MeshMember, peerLabel } from "../members/members";
import { type Previews, preview, type PreviewMember, type TrustGain } from "../preview/preview";
import { trustChanges } from "../preview/trustChanges";
import type { UpOutcome } from "../pulumi/outcomes";
import type { FutureStacks, UpMember } from "./up";

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

/** What a plan is made of. */
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
    roots: (peer, bootstrap) => stacks.roots(peer, bootstrap),
    ownRoots: (member) => stacks.ownRoots(member),
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

/** Whether an up of these would do nothing at all. */
export const isNothing = (plan: readonly PlannedMember[]): boolean =>
  plan.every(
    ({ unbuilt, dueAgain, steps, trust, errors, unread }) =>
      !unbuilt &&
      !dueAgain &&
      [steps, trust.gains, trust.loses, errors, unread].every((list: readonly unknown[]) => list.length === 0),
  );

/** How members stand that need no run. */
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
    errors: [],
  }));

/**
 * Stacks of which none is run with another trust than was approved. Bound are the stack's config, whom it begins and
 * stops trusting, and the roots that were shown; not bound is what Pulumi does with its other resources.
 */
export function bound(
  stacks: FutureStacks & ApprovalSources,
  members: readonly MeshMember[],
  plan: readonly PlannedMember[],
): FutureStacks {
  return {
    published: (id) => stacks.published(id),
    make: (id) => stacks.make(id),
    up: async (id): Promise<UpOutcome> => {
      const member = members.find((one) => one.id === id);
      const approved = plan.find((one) => one.member === member?.name);
      if (member === undefined || approved === undefined) return stacks.up(id);
      const other = await deviation(member, approved, stacks);
      if (other === undefined) return stacks.up(id);
      return { succeeded: false, errors: [`the plan changed since you approved it: ${other}`], recovered: [] };
    },
  };
}

/** In what a run now would differ from what was approved; undefined in nothing. */
async function deviation(
  member: MeshMember,
  approved: PlannedMember,
  stacks: ApprovalSources,
): Promise<string | undefined> {
  const { id, config } = member;
  if ((await stacks.config(member)) !== approved.config) return `Pulumi.${config.self.stack}.yaml was edited`;
  const publications = new Map(
    await Promise.all(
      config.peers.map(async (peer) => [peer.name, (await stacks.published(peer.reference))?.federation] as const),
    ),
  );
  const { gains } = trustChanges([...publications.keys()], publications, await stacks.published(id));
  for (const { peer: name, trustDomain } of gains) {
    const peer = peerLabel(member, name);
    const before = approved.trust.gains.find((gain) => gain.peer === peer);
    if (before === undefined) {
      if (approved.trust.waitsFor.includes(peer)) continue;
      return `it would also trust ${trustDomain} (${peer})`;
    }
    if (before.trustDomain !== trustDomain) return `${peer} is ${trustDomain} now, and was ${before.trustDomain}`;
    const contract = publications.get(name);
    const now = contract && (await stacks.roots({ stack: name, ...contract }, config.bootstrap));
    if (now !== undefined && "roots" in now && !sameRoots(before, now.roots))
      return `the roots of ${trustDomain} (${peer}) are sha256 ${now.roots.join(", ")} now`;
  }
  return undefined;
}

/** Roots that were not known when the plan was shown were not approved one by one. */
const sameRoots = (before: TrustGain, now: readonly string[]): boolean =>
  !("roots" in before) || [...before.roots].sort().join() === [...now].sort().join();
