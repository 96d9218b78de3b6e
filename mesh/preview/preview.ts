/** `spire-federation preview`: what an up of each member would do, in terms of trust first. */
import { printable } from "../kernel/text";
import { PROGRAM } from "../../components/shared/names";
import { describeSharedRoot, type SharedRoot, sharedRoots } from "../../components/bundle/sharedRoots";
import type { Publication } from "../../stacks/contract";
import { publicationOf, readPublished, refuseUnreadable } from "../members/publication";
import { type MeshMember, peerLabel } from "../members/members";
import type { Published } from "../pulumi/workspace";
import { look, type Looked } from "../kernel/looked";
import { once } from "../kernel/once";
import { inParallel } from "../kernel/parallel";
import { describeKeys, firstPeer, type FirstPeer, type FirstRoots, type ShownKeys } from "../spire/firstRoots";
import { describeFederating, type WorkloadEffects, workloadEffects, type WorkloadsThere } from "../spire/federating";
import { describeStep, restartsSpire, type Step } from "../pulumi/events";
import { KEPT, type TrustChanges, trustChanges } from "./trustChanges";
import type { PreviewOutcome } from "../pulumi/outcomes";

/** One `pulumi preview`; whatever goes wrong is an outcome. */
export interface Previews {
  published(id: string): Promise<Published | undefined>;
  preview(id: string): Promise<PreviewOutcome>;
  /** With which roots trust in a peer would begin now. */
  roots(first: FirstPeer): Promise<FirstRoots>;
  /** The member's own roots (PEM), as its cluster has them; none where they cannot be read. */
  ownRoots(member: MeshMember): Promise<string[]>;
  /** Whom the member's cluster is told to trust, and which workloads' objects name others. */
  workloads(member: MeshMember): Promise<Looked<WorkloadsThere>>;
}

/** A peer that a member will begin to trust, and with which keys. */
export type TrustGain = TrustChanges["gains"][number] & (ShownKeys | { rootsUnknown: string });

export interface PreviewMember {
  member: string;
  trustDomain: string;
  trust: Omit<TrustChanges, "gains"> & { gains: TrustGain[] };
  /** Peers among the previewed members that are to trust it, and do not name it among their peers. */
  notTrustedBy: string[];
  /** Roots that vouch for several of the trust domains that it will have bundles of, its own among them. */
  sharedRoots: SharedRoot[];
  /** What the change of trust does to workloads. */
  workloads: WorkloadEffects;
  /** Its SPIRE server's configuration changes, and with that the server restarts. */
  restarts: boolean;
  /** What it publishes becomes something else, which Pulumi counts as no change. */
  outputsChange: boolean;
  steps: Step[];
  /** Stacks that an up creates first, its own or those of peers among the members: Pulumi cannot preview it before. */
  missingStacks: string[];
  /** Why the preview failed. */
  errors: string[];
  /** Why its own stack or a peer's could not be read; what that changes in trust is not known. */
  unread: string[];
}

export async function preview(
  members: readonly MeshMember[],
  stacks: Previews,
  parallel: number,
): Promise<PreviewMember[]> {
  // Every member is a peer of many, and nothing is published meanwhile.
  const published = once(
    (stack: string) => stack,
    (stack) => stacks.published(stack),
  );
  const ids = members.flatMap(({ id, peers }) => [id, ...peers]);
  refuseUnreadable(await readPublished(ids, published, parallel));
  const rootsOf = once(
    (first: FirstPeer) => JSON.stringify(first),
    (first) => stacks.roots(first),
  );
  const domains = new Map(members.map(({ name, config }) => [name, config.trustDomain]));
  return inParallel(parallel, members, async (member): Promise<PreviewMember> => {
    const { id, name, config, labels } = member;
    const missingStacks = await missing(member, members, published);
    const outcome: PreviewOutcome =
      missingStacks.length > 0 ? { succeeded: true, steps: [] } : await stacks.preview(id);
    const unread: string[] = [];
    const publications = new Map<string, Publication | undefined>();
    for (const peer of config.peers) {
      const reading = await look(() => publicationOf(peer, published));
      if ("seen" in reading) publications.set(peer.name, reading.seen);
      else unread.push(`${labels[peer.id] ?? peer.name}: its stack cannot be read: ${reading.because}`);
    }
    const before = await look(() => published(id));
    if ("because" in before) unread.push(`its stack cannot be read: ${before.because}`);
    const wanted = config.peers.map((peer) => peer.name);
    const trust =
      "seen" in before
        ? withLabels(member, oneWays(member, trustChanges(wanted, publications, before.seen)))
        : { gains: [], loses: [], keeps: [], waitsFor: [] };
    const there = config.peers.flatMap((peer) => {
      const contract = publications.get(peer.name);
      return contract ? [firstPeer(config, peer, contract)] : [];
    });
    const [own, workloads, ...peers] = await Promise.all([
      stacks.ownRoots(member),
      stacks.workloads(member),
      ...there.map(async (first) => ({ trustDomain: first.peer.trustDomain, ...(await rootsOf(first)) })),
    ]);
    const steps = outcome.succeeded ? outcome.steps : [];
    return {
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
      workloads: workloadEffects(workloads, [
        ...trust.gains.map(({ trustDomain }) => trustDomain),
        ...trust.waitsFor.flatMap((peer) => domains.get(peer) ?? []),
      ]),
      restarts: steps.some(restartsSpire),
      outputsChange: outcome.succeeded && outcome.outputsChange === true,
      steps: steps.map(({ op, type, name }) => ({ op, type, name })),
      missingStacks,
      errors: outcome.succeeded ? [] : outcome.errors.map(withCure),
      unread,
    };
  });
}

/** Names of the stacks that a member needs and that the backend does not have; one that cannot be read may be there. */
async function missing(
  { id, peers }: MeshMember,
  members: readonly MeshMember[],
  published: Previews["published"],
): Promise<string[]> {
  const needed = members.filter((one) => one.id === id || peers.includes(one.id));
  const found = await Promise.all(needed.map((one) => look(() => published(one.id))));
  return needed.flatMap(({ name }, at) => {
    const one = found[at];
    return one !== undefined && "seen" in one && one.seen === undefined ? [name] : [];
  });
}

function oneWays({ config }: MeshMember, changes: TrustChanges): TrustChanges {
  const isOneWay = (name: string): boolean => config.peers.some((peer) => peer.name === name && peer.oneWay === true);
  return {
    ...changes,
    gains: changes.gains.map((gain) => ({ ...gain, ...(isOneWay(gain.peer) && { oneWay: true as const }) })),
  };
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

/** What is said of such a member. */
export const oneSidedWarning = (
  peer: string,
  { member, trustDomain }: Pick<PreviewMember, "member" | "trustDomain">,
): string =>
  `${peer} will not trust ${trustDomain}, since ${member} is not among its peers. Add it there, or set trust: oneway for ${peer} in ` +
  `the peers of ${member}`;

/** Peers as people call them, and not as their objects are called. */
function withLabels(member: MeshMember, { gains, loses, keeps, waitsFor }: TrustChanges): TrustChanges {
  const named = <T extends { peer: string }>(one: T): T => ({ ...one, peer: peerLabel(member, one.peer) });
  return {
    gains: gains.map(named),
    loses: loses.map(named),
    keeps: keeps.map(named),
    waitsFor: waitsFor.map((peer) => peerLabel(member, peer)),
  };
}

/** What a change of trust does to workloads, in words. */
export const workloadLines = ({
  served,
  refused,
  unknown,
}: WorkloadEffects): Record<"gains" | "unknown" | "warnings", string[]> => ({
  unknown: unknown.map((because) => `what it does to workloads is not known: ${because}`),
  gains: served.map(
    (one) => `${describeFederating(one)} will get identities: it federates with ${one.trustDomains.join(", ")}`,
  ),
  warnings: refused.map(
    (one) =>
      `${describeFederating(one)} gets no identities: it federates with ${one.missing.join(", ")}, which this cluster is ` +
      "not told to trust. Add the peer, or remove it from federatesWith",
  ),
});

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

/** A reference to a stack that doesn't exist fails in Pulumi itself, whose message names no cure. */
const withCure = (error: string): string =>
  error.includes("unknown stack")
    ? `${error}; npx ${PROGRAM} up creates the stacks of all members. For a peer that is not a member, run pulumi stack init, or remove it from peers`
    : error;

/** Whether an up would run, as far as a preview can tell. */
export const changes = ({ steps, missingStacks, trust, outputsChange }: PreviewMember): boolean =>
  [steps, missingStacks, trust.gains, trust.loses].some((list: readonly unknown[]) => list.length > 0) || outputsChange;

/** Whether something could not be seen that the preview would say. */
export const isIncomplete = ({ unread, workloads }: PreviewMember): boolean =>
  unread.length > 0 || workloads.unknown.length > 0;

export function printPreview(members: readonly PreviewMember[]): string {
  const domains = new Map(members.map(({ member, trustDomain }) => [member, trustDomain]));
  return members.map((member) => section(member, domains)).join("\n");
}

function section(previewed: PreviewMember, domains: ReadonlyMap<string, string>): string {
  const { member, trustDomain, trust, sharedRoots, notTrustedBy, workloads, missingStacks, errors, unread } = previewed;
  const about = workloadLines(workloads);
  const changing = [
    ...trust.gains.map(
      (gain) =>
        `will trust ${gain.trustDomain} (${gain.peer})${gain.oneWay ? " one way" : ""}, ${gain.bundleEndpointUrl}, ${rootsIn(gain)}`,
    ),
    ...trust.loses.map(
      ({ peer, trustDomain, now }) =>
        `will stop trusting ${trustDomain} (${peer}): ${now === undefined ? "no longer among its peers" : `its trust domain is ${now} now`}`,
    ),
    ...trust.keeps.map((kept) => `keeps trusting ${kept.trustDomain} (${kept.peer}): ${KEPT}`),
    ...trust.waitsFor.map((peer) => {
      const domain = domains.get(peer);
      return domain === undefined
        ? `waits for ${peer}, whose stack has published nothing yet`
        : `will trust ${domain} (${peer}) when its endpoint answers; its roots are not known before`;
    }),
    ...about.gains,
    ...(previewed.restarts ? ["its SPIRE server will restart"] : []),
    ...(previewed.outputsChange ? ["what it publishes will change"] : []),
    ...missingStacks.map((stack) =>
      stack === member
        ? "its stack does not exist yet; up creates it, and all that its config asks for"
        : `what else changes shows once ${stack} has a stack, which up creates`,
    ),
    ...previewed.steps.map((step) => describeStep(step, step.op.padEnd(7))),
  ];
  // What is refused changes nothing.
  const lines = [
    ...(errors.length > 0 ? errors : changing.length > 0 || unread.length > 0 ? changing : ["nothing changes"]),
    ...unread,
    ...about.unknown,
    ...[
      ...notTrustedBy.map((peer) => oneSidedWarning(peer, previewed)),
      ...sharedRoots.map(describeSharedRoot),
      ...about.warnings,
    ].map((warning) => `warning: ${warning}`),
  ];
  return `${member} (${trustDomain})\n${lines.map((line) => `  ${printable(line).replaceAll("\n", "\n  ")}\n`).join("")}`;
}

function rootsIn(gain: TrustGain): string {
  return "roots" in gain ? describeKeys(gain) : `roots not known yet: ${gain.rootsUnknown}`;
}
