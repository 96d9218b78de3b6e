/** The plan of a removal: which members have to stop trusting which trust domains, and the steps for that. Pure. */
import { fromId } from "../members/identity";
import type { MeshMember } from "../members/members";
import { type ConfiguredPeer, objectNameOf, resourceNameOf } from "../../stacks/peers";
import { shortName } from "../../stacks/stackName";
import { overwritten, takesOverList } from "../preview/trustChanges";
import { type Leaver, type RemovalReadings, trustDomainsOf } from "./leaver";
import { type Traces, trustedIn } from "./traces";

/** What was read of one member before any change. */
export interface Sight {
  member: MeshMember;
  /** Trust domains that it is to stop trusting. */
  ends: string[];
  /** Ids of the peers that go from its Pulumi.<stack>.yaml. */
  named: string[];
  /** Its stack says that it trusts one of the trust domains, or waits for one of those peers. */
  published: boolean;
  /** Why its stack cannot be read; then it is not run, since a stack that was destroyed would be built again. */
  unread?: string;
  /** Names of the resources of those peers whom it is to trust no more. */
  resources: string[];
  /** Trust domains that its up takes out of the SpireServer as well, as `spireServer.takeOver` says, or why they are not known. */
  overwrites: string[] | { unknown: string };
  /** Changes that an up makes besides; undefined where none runs, or why they are not known. Then the stack is not run. */
  others?: string[] | { unknown: string };
  /** What its cluster has of the trust domains, or why it cannot be asked. */
  traces: Traces | { unseen: string };
}

/** What has to be done at a member; to look at its SPIRE server afterwards is always part of it. */
export interface Work {
  edit: boolean;
  up: boolean;
  /** The SPIRE server holds a bundle that is to be deleted; undefined when that is not known. */
  forget: boolean | undefined;
}

/** What a peer is called in a member's outputs. */
const nameOf = (id: string, { config }: MeshMember): string =>
  config.peers.find((peer) => peer.id === id)?.name ?? shortName(fromId(id), config.self);

/** What every member is to stop trusting: the leaver, and the leaver all others. */
export function sights(
  leaver: Leaver,
  members: readonly MeshMember[],
  { published, traces }: RemovalReadings,
): Sight[] {
  return members.map((member) => {
    const own = published.get(member.id);
    const leaves = member.id === leaver.id;
    const trusted = Object.entries(own?.peers ?? {});
    const trusts = trusted.map(([, { trustDomain }]) => trustDomain);
    const others = members.filter((one) => one !== member).map(({ config }) => config.trustDomain);
    const trace = traces.get(member.id) ?? { unseen: "it was not asked" };
    // A leaver trusts nobody any more, hand-made trust and trust in other projects included.
    const held = "unseen" in trace ? [] : trustedIn(trace);
    const ends = leaves ? [...new Set([...others, ...trusts, ...held])] : [leaver.trustDomain];
    // Each member describes a peer that is no stack in words of its own.
    const named = member.config.peers.filter(
      (peer) =>
        leaves ||
        peer.id === leaver.id ||
        trustDomainsOf(peer, members, own, "unseen" in trace ? undefined : trace).includes(leaver.trustDomain),
    );
    const unnamed = [
      ...trusted.flatMap(([name, { trustDomain }]) => (leaves || trustDomain === leaver.trustDomain ? [name] : [])),
      ...(leaves || named.length > 0 || leaver.id === undefined ? [] : [nameOf(leaver.id, member)]),
    ];
    const gone: Pick<ConfiguredPeer, "name" | "objectName">[] = [
      ...named,
      ...[...new Set(unnamed)].flatMap((name) => (named.some((peer) => peer.name === name) ? [] : [{ name }])),
    ];
    const awaited = own?.pendingPeers.some((peer) => leaves || gone.some(({ name }) => name === peer)) ?? false;
    return {
      member,
      ends,
      named: named.map(({ id }) => id),
      resources: gone.map((peer) => resourceNameOf(objectNameOf(peer))),
      published: awaited || trusts.some((trustDomain) => ends.includes(trustDomain)),
      overwrites: overwrittenAt(member, named, members, [...trusts, ...ends], trace),
      traces: trace,
    };
  });
}

/** @param ours trust domains that it trusts, or is to stop trusting */
function overwrittenAt(
  { config }: MeshMember,
  gone: readonly ConfiguredPeer[],
  members: readonly MeshMember[],
  ours: readonly string[],
  traces: Sight["traces"],
): Sight["overwrites"] {
  const peers = config.peers.filter((peer) => !gone.includes(peer));
  const left = { ...config, peers };
  if ("unseen" in traces) return takesOverList(left) ? { unknown: traces.unseen } : [];
  const theirs = peers.flatMap(({ id, publication, trustDomain }) => [
    ...members.flatMap((one) => (one.id === id ? [one.config.trustDomain] : [])),
    publication?.trustDomain ?? trustDomain,
  ]);
  return overwritten(left, [...ours, ...theirs], traces.asked);
}

/**
 * A stack runs only if that can end something: a leaver that was destroyed, or a peer that never ran, is not built for it.
 * Of a cluster that cannot be seen the worst is taken.
 */
export function workOf({ named, published, traces, unread }: Sight): Work {
  const edit = named.length > 0;
  if (unread !== undefined) {
    return { edit, up: false, forget: "unseen" in traces ? undefined : traces.bundles.length > 0 };
  }
  if ("unseen" in traces) return { edit, up: edit || published, forget: undefined };
  return { edit, up: published || traces.asked.length > 0, forget: traces.bundles.length > 0 };
}

/** The plan that the user is asked to confirm. */
export function printRemovalPlan(leaver: Leaver, all: readonly Sight[], destroy: boolean): string {
  const lines = all.flatMap((sight) => {
    const { member, ends, traces } = sight;
    return [
      `  ${member.name} stops trusting ${ends.join(", ") || "nobody"}: ${stepsOf(sight).join(", ") || "nothing to do"}`,
      ...(sight.unread === undefined ? [] : [`    its stack cannot be read and is not run: ${sight.unread}`]),
      ...othersOf(sight),
      ...("unseen" in traces
        ? [`    its cluster cannot be read: ${traces.unseen}`]
        : workloadWarnings(traces).map((warning) => `    ${warning}`)),
    ];
  });
  const strangers = leaver.member?.config.peers.filter(({ publication }) => publication !== undefined) ?? [];
  const outside = (leaver.member?.outside ?? []).filter((id) => !strangers.some((peer) => peer.id === id));
  return [
    `${leaver.name === leaver.trustDomain ? leaver.name : `${leaver.name} (${leaver.trustDomain})`} leaves the mesh:`,
    ...lines,
    ...(outside.length === 0
      ? []
      : [`  peers in other projects: ${outside.join(", ")}. Remove ${leaver.name} from their peers there`]),
    ...(strangers.length === 0
      ? []
      : [
          `  peers that are no stacks: ${strangers.map((peer) => peer.name).join(", ")}. Ask their owners to end the trust`,
        ]),
    ...(destroy ? [`  then stack ${leaver.name} is destroyed`] : []),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function othersOf({ others = [] }: Sight): string[] {
  if ("unknown" in others) return [`    its stack cannot be previewed, and is not run: ${others.unknown}`];
  return others.length === 0 ? [] : [`    pending changes that are not part of the removal: ${others.join(", ")}`];
}

/** Members whose up would apply changes that are not part of the removal. */
export const withPendingChanges = (all: readonly Sight[]): string[] =>
  all.flatMap(({ member, others = [] }) => ("unknown" in others || others.length === 0 ? [] : [member.name]));

function stepsOf(sight: Sight): string[] {
  const { edit, up, forget } = workOf(sight);
  return [
    ...(edit ? [`remove ${labelsOf(sight)} from Pulumi.${sight.member.config.self.stack}.yaml`] : []),
    ...(up ? [restarts(sight) ? "pulumi up (restarts its SPIRE server)" : "pulumi up"] : []),
    ...(forget === true ? ["delete the bundle from its SPIRE server"] : []),
  ];
}

export const labelsOf = ({ member: { labels }, named }: Sight): string =>
  named.map((id) => labels[id] ?? id).join(", ");

/** Static peers are in server.conf. */
const restarts = ({ member, published }: Sight): boolean => published && member.config.federatesWith === "static";

/** What is said of workloads' objects that are in the way. */
export function workloadWarnings({ users, unlisted }: Traces): string[] {
  return [
    ...users.map(
      ({ object, trustDomain }) =>
        `${object} lists ${trustDomain} in federatesWith: without that bundle SPIRE does not create or update its entries. Remove it there`,
    ),
    ...unlisted.map((kind) => `not known: whether a ${kind} lists it in federatesWith. You may not list these objects`),
  ];
}
