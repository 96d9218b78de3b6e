/** What an up of each member would do, trust first: what `spire-federation preview` shows, and what `up` asks about. */
import { PROGRAM } from "../../components/shared/names";
import { type SharedRoot, sharedRoots } from "../../components/bundle/sharedRoots";
import type { Publication } from "../../stacks/contract";
import { comparable, type Publications, publicationOf, readPublished, refuseUnreadable } from "../members/publication";
import { type MeshMember, peerLabel } from "../members/members";
import type { Published } from "../pulumi/workspace";
import { look, type Looked } from "../kernel/looked";
import { once } from "../kernel/once";
import { inParallel } from "../kernel/parallel";
import { firstPeer, type FirstPeer, type FirstRoots, type ShownKeys } from "../spire/firstRoots";
import { type WorkloadEffects, workloadEffects, type WorkloadsThere } from "../spire/federating";
import { restartsSpire, type Step } from "../pulumi/events";
import { type TrustChanges, trustChanges } from "./trustChanges";
import type { PreviewOutcome } from "../pulumi/outcomes";

/** What a plan is made from. */
export interface PlanSources {
  published(id: string): Promise<Published | undefined>;
  /** One `pulumi preview`; whatever goes wrong is an outcome. */
  preview(id: string): Promise<PreviewOutcome>;
  /** With which roots trust in a peer would begin now. */
  roots(first: FirstPeer): Promise<FirstRoots>;
  /** The member's own roots (PEM), as its cluster has them; none where they cannot be read. */
  ownRoots(member: MeshMember): Promise<string[]>;
  /** Whom the member's cluster is told to trust, and which workloads' objects name others. */
  workloads(member: MeshMember): Promise<Looked<WorkloadsThere>>;
  /** What a stack's and the project's file say of its config, as a hash. */
  config(member: MeshMember): Promise<string>;
  /** Whether no run of the stack was interrupted. */
  isSettled(id: string): Promise<boolean>;
}

/** A peer that a member will begin to trust, and with which keys. */
export type TrustGain = TrustChanges["gains"][number] & (ShownKeys | { rootsUnknown: string });

export interface PlannedMember {
  member: string;
  trustDomain: string;
  /** Whether an up would run it. */
  changes: boolean;
  trust: Omit<TrustChanges, "gains"> & { gains: TrustGain[] };
  /** Peers among the previewed members that are to trust it, and do not name it among their peers. */
  notTrustedBy: string[];
  /** Roots that vouch for several of the trust domains that it will have bundles of, its own among them. */
  sharedRoots: SharedRoot[];
  /** What the change of trust does to workloads. */
  workloads: WorkloadEffects;
  /** Its SPIRE server gets another configuration, and restarts. */
  restarts: boolean;
  /** What it publishes becomes something else, which Pulumi counts as no change. */
  outputsChange: boolean;
  steps: Step[];
  /** Stacks that an up creates first, its own or those of peers: Pulumi cannot preview it before. */
  missingStacks: string[];
  /** An interrupted run has left operations or a lock, which no preview shows. */
  interrupted: boolean;
  /** SHA-256 of its config, when the plan was made. */
  config: string;
  /** Why the preview failed. */
  errors: string[];
  /** Why its own stack or a peer's could not be read; what that changes in trust is not known. */
  unread: string[];
}

/** The members, and what all stacks had published when the plan was made. */
export interface Plan {
  members: PlannedMember[];
  saw: Publications;
}

export async function planUp(members: readonly MeshMember[], stacks: PlanSources, parallel: number): Promise<Plan> {
  // Every member is a peer of many, and nothing is published meanwhile.
  const published = once(
    (stack: string) => stack,
    (stack) => stacks.published(stack),
  );
  const ids = members.flatMap(({ id, peers }) => [id, ...peers]);
  const readings = await readPublished(ids, published, parallel);
  refuseUnreadable(readings);
  const seen = [...readings].flatMap(([id, read]) => ("seen" in read ? [[id, read.seen] as const] : []));
  const missing = new Set(seen.flatMap(([id, read]) => (read === undefined ? [id] : [])));
  const rootsOf = once(
    (first: FirstPeer) => JSON.stringify(first),
    (first) => stacks.roots(first),
  );
  const plans = await inParallel(parallel, members, (member) =>
    planOf(member, members, missing, { ...stacks, published, roots: rootsOf }),
  );
  return { members: plans, saw: Object.fromEntries(seen.map(([id, read]) => [id, comparable(read?.federation)])) };
}

/** @param missing ids of stacks that do not exist */
async function planOf(
  member: MeshMember,
  members: readonly MeshMember[],
  missing: ReadonlySet<string>,
  stacks: PlanSources,
): Promise<PlannedMember> {
  const { id, name, config, labels, peers: ids } = member;
  const unbuilt = [id, ...ids].filter((one) => missing.has(one));
  const outcome: PreviewOutcome = unbuilt.length > 0 ? { succeeded: true, steps: [] } : await stacks.preview(id);
  const unread: string[] = [];
  const publications = new Map<string, Publication | undefined>();
  for (const peer of config.peers) {
    const reading = await look(() => publicationOf(peer, (stack) => stacks.published(stack)));
    if ("seen" in reading) publications.set(peer.name, reading.seen);
    else unread.push(`${labels[peer.id] ?? peer.name}: its stack cannot be read: ${reading.because}`);
  }
  const before = await look(() => stacks.published(id));
  if ("because" in before) unread.push(`its stack cannot be read: ${before.because}`);
  const there = config.peers.flatMap((peer) => {
    const contract = publications.get(peer.name);
    return contract ? [firstPeer(config, peer, contract)] : [];
  });
  const [own, workloads, settled, hash, ...peers] = await Promise.all([
    stacks.ownRoots(member),
    stacks.workloads(member),
    unbuilt.length > 0 || isSettled(stacks, id),
    stacks.config(member),
    ...there.map(async (first) => ({ trustDomain: first.peer.trustDomain, ...(await stacks.roots(first)) })),
  ]);
  const trust =
    "seen" in before
      ? withLabels(
          member,
          trustChanges(config, publications, before.seen, "seen" in workloads ? workloads.seen.asked : []),
        )
      : { gains: [], loses: [], overwrites: [], keeps: [], waitsFor: [] };
  const joining = trust.waitsFor.flatMap(
    (peer) => members.find((one) => one.name === peer && ids.includes(one.id)) ?? [],
  );
  const steps = outcome.succeeded ? outcome.steps : [];
  const plan = {
    member: name,
    trustDomain: config.trustDomain,
    trust: { ...trust, gains: trust.gains.map((gain) => ({ ...gain, ...known(gain, peers) })) },
    notTrustedBy: oneSided(member, members),
    sharedRoots: sharedRoots(
      [
        { trustDomain: config.trustDomain, roots: own },
        ...peers.map((peer) => ({
          trustDomain: peer.trustDomain,
          roots: "certificates" in peer ? peer.certificates : [],
        })),
      ],
      new Date(),
    ),
    workloads: workloadEffects(
      workloads,
      [...trust.gains, ...joining.map((one) => one.config)].map(({ trustDomain }) => trustDomain),
    ),
    restarts:
      unbuilt.length > 0 || steps.some(restartsSpire) || (joining.length > 0 && config.federatesWith === "static"),
    outputsChange: outcome.succeeded && outcome.outputsChange === true,
    steps: steps.map(({ op, type, name }) => ({ op, type, name })),
    missingStacks: unbuilt.map((one) => (one === id ? name : (labels[one] ?? one))),
    interrupted: !settled,
    config: hash,
    errors: outcome.succeeded ? [] : outcome.errors.map(withCure),
    unread,
  };
  return { ...plan, changes: changesSomething(plan) };
}

/** A state that cannot be read may have anything in it. */
async function isSettled(stacks: PlanSources, id: string): Promise<boolean> {
  const answer = await look(() => stacks.isSettled(id));
  return "seen" in answer && answer.seen;
}

/** Members that the member is to trust both ways, and whose config does not name it. */
function oneSided({ id, config, labels }: MeshMember, members: readonly MeshMember[]): string[] {
  return config.peers
    .filter((peer) => peer.oneWay !== true)
    .flatMap((peer) => {
      const other = members.find((member) => member.id === peer.id);
      return other === undefined || other.config.peers.some((one) => one.id === id)
        ? []
        : [labels[peer.id] ?? peer.name];
    });
}

/** Peers as people call them, and not as their objects are called. */
function withLabels(member: MeshMember, changes: TrustChanges): TrustChanges {
  const named = <T extends { peer: string }>(one: T): T => ({ ...one, peer: peerLabel(member, one.peer) });
  return {
    ...changes,
    gains: changes.gains.map(named),
    loses: changes.loses.map(named),
    keeps: changes.keeps.map(named),
    waitsFor: changes.waitsFor.map((peer) => peerLabel(member, peer)),
  };
}

/** What is known of the keys of a peer that will be trusted, without the certificates themselves. */
function known(
  gain: TrustChanges["gains"][number],
  peers: readonly (FirstRoots & { trustDomain: string })[],
): ShownKeys | { rootsUnknown: string } {
  const peer = peers.find(({ trustDomain }) => trustDomain === gain.trustDomain);
  if (peer === undefined) return { rootsUnknown: "its stack publishes nothing" };
  if (!("roots" in peer)) return { rootsUnknown: peer.rootsUnknown };
  return { roots: peer.roots, ...(peer.jwtKeys && { jwtKeys: peer.jwtKeys }) };
}

/** Messages of Pulumi and the API server that name no cure. */
const CURES: readonly (readonly [says: RegExp, cure: string])[] = [
  [
    /unknown stack/,
    `npx ${PROGRAM} up creates the stacks of all members. For a peer that is not a member, run pulumi stack init, or remove it from peers`,
  ],
  [
    /calling webhook "webhook\.cert-manager\.io"/,
    "cert-manager's webhook does not answer yet, as in the first minutes of its installation; run the command again",
  ],
];

const withCure = (error: string): string =>
  [error, ...CURES.filter(([says]) => says.test(error)).map(([, cure]) => cure)].join("; ");

const changesSomething = (plan: Omit<PlannedMember, "changes">): boolean =>
  plan.interrupted ||
  plan.outputsChange ||
  [plan.steps, plan.missingStacks, plan.errors, plan.unread, plan.trust.gains, plan.trust.loses].some(
    (list: readonly unknown[]) => list.length > 0,
  );

/** Whether something could not be seen that the plan would say. */
export const isIncomplete = ({ unread, workloads, trust }: PlannedMember): boolean =>
  unread.length > 0 || workloads.unknown.length > 0 || trust.gains.some((gain) => "rootsUnknown" in gain);
