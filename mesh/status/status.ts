/** `spire-federation status`: what the members' stacks have published; quick, since no cluster is asked. */
import { PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { EXIT, type ExitCode } from "../kernel/exit";
import { printable } from "../kernel/text";
import type { Published } from "../pulumi/workspace";
import { type MeshMember, peerLabel } from "../members/members";
import type { Looked } from "../kernel/looked";
import { readPublished, refuseUnreadable } from "../members/publication";
import { table } from "../kernel/table";
import type { Contract } from "../../stacks/contract";
import type { ConfiguredPeer } from "../../stacks/peers";
import { KEPT, trustChanges } from "../preview/trustChanges";
import type { Stacks } from "../up/up";

export interface StatusMember {
  member: string;
  trustDomain: string;
  /** Undefined until its endpoint has answered once. */
  bundleEndpointUrl?: string;
  /** Peers that its cluster trusts, by stack, with the SHA-256 of the roots with which that trust began. */
  trusts: Record<string, { trustDomain: string; fingerprints: string[] }>;
  /** Peers of these whose stacks publish nothing any more. */
  kept: string[];
  /** Peers in its config that it does not trust yet. */
  pending: string[];
  /** Peers that it trusts and that need not trust it. */
  oneWay: string[];
  /** Peers that it trusts and that do not trust it since their last up, though they are to. */
  notTrustedBy: string[];
  /** Stacks that it trusts although its config no longer names them. */
  leaving: string[];
  /** Whether its own stack could be read; if not, nothing is known of the endpoint and of whom it trusts. */
  read: boolean;
  /** Why its own stack or a peer's could not be read. */
  unread: string[];
}

/** Reads the stack of every member and of every peer once. */
export async function status(
  members: readonly MeshMember[],
  stacks: Pick<Stacks, "published">,
  parallel: number,
): Promise<StatusMember[]> {
  const peers = members.flatMap(({ config }) => config.peers.filter(({ publication }) => publication === undefined));
  const ids = [...members, ...peers].map(({ id }) => id);
  const readings = await readPublished(ids, (id) => stacks.published(id), parallel);
  refuseUnreadable(readings);
  return members.map((member) => statusOf(member, (stack) => readings.get(stack) ?? { because: "it was not read" }));
}

function statusOf(member: MeshMember, readingOf: (stack: string) => Looked<Published | undefined>): StatusMember {
  const { id, name, config } = member;
  const label = (peer: string): string => peerLabel(member, peer);
  const own = readingOf(id);
  const published = "seen" in own ? own.seen : undefined;
  const unread = "seen" in own ? [] : [`its stack cannot be read: ${own.because}`];
  const publications = new Map<string, Contract | undefined>();
  for (const peer of config.peers) {
    const { publication } = peer;
    const reading = publication === undefined ? readingOf(peer.id) : { seen: { federation: publication } };
    if ("seen" in reading) publications.set(peer.name, reading.seen?.federation);
    else unread.push(`${label(peer.name)}: its stack cannot be read: ${reading.because}`);
  }
  const wanted = config.peers.map((peer) => peer.name);
  const { gains, keeps, loses } = trustChanges(config, publications, published);
  const toJoin = new Set(gains.map(({ peer }) => peer));
  const trusts = published?.peers ?? {};
  const url = published?.federation?.bundleEndpointUrl;
  return {
    member: name,
    trustDomain: config.trustDomain,
    ...(url === undefined ? {} : { bundleEndpointUrl: url }),
    trusts: Object.fromEntries(Object.entries(trusts).map(([peer, trust]) => [label(peer), trust])),
    kept: keeps.map(({ peer }) => label(peer)),
    pending: "seen" in own ? wanted.filter((peer) => trusts[peer] === undefined || toJoin.has(peer)).map(label) : [],
    oneWay: config.peers.filter((peer) => peer.oneWay === true).map((peer) => label(peer.name)),
    notTrustedBy: config.peers
      .filter((peer) => trusts[peer.name] !== undefined && !mayTrust(peer, config.trustDomain, readingOf))
      .map((peer) => label(peer.name)),
    leaving: loses.flatMap(({ peer, now }) => (now === undefined ? [peer] : [])),
    read: "seen" in own,
    unread,
  };
}

/** Whether the peer trusts that trust domain, need not, or nobody can tell. */
function mayTrust(
  { id, publication, oneWay }: ConfiguredPeer,
  trustDomain: string,
  readingOf: (stack: string) => Looked<Published | undefined>,
): boolean {
  const reading = readingOf(id);
  if (publication !== undefined || oneWay === true || !("seen" in reading)) return true;
  const { federation, peers } = reading.seen ?? {};
  return federation === undefined || Object.values(peers ?? {}).some((one) => one.trustDomain === trustDomain);
}

/** What was found counts more than what could not be read. */
export function statusExit(members: readonly StatusMember[]): ExitCode {
  if (
    members.some(({ pending, notTrustedBy, leaving }) => [pending, notTrustedBy, leaving].some((all) => all.length > 0))
  )
    return EXIT.findings;
  return members.every(({ unread }) => unread.length === 0) ? EXIT.fine : EXIT.unknown;
}

export function printStatus(members: readonly StatusMember[]): string {
  const notes = members.flatMap(({ member, kept: peers, notTrustedBy, leaving, unread }) => [
    ...notTrustedBy.map(
      (peer) =>
        `\n${member}: ${peer} does not trust it. If ${peer} has it among its peers, run npx ${PROGRAM} up; else add it there, or set ` +
        `trust: oneway for ${peer} in the peers of ${member}\n`,
    ),
    ...leaving.map(
      (peer) =>
        `\n${member}: still trusts ${peer}, which is no longer among its peers: ` +
        `npx ${PROGRAM} remove ${word(peer)} ends the trust in the cluster\n`,
    ),
    ...peers.map((peer) => `\n${member}: keeps trusting ${peer}: ${KEPT}\n`),
    ...unread.map((because) => `\n${member}: ${because}\n`),
  ]);
  const rows = table(
    ["MEMBER", "TRUST DOMAIN", "ENDPOINT", "TRUSTS", "PENDING", "LEAVING"],
    members.map(({ member, trustDomain, bundleEndpointUrl, trusts, oneWay, pending, leaving, read }) => [
      member,
      trustDomain,
      bundleEndpointUrl ?? (read ? "none yet" : "not known"),
      Object.keys(trusts)
        .map((peer) => (oneWay.includes(peer) ? `${peer} (one way)` : peer))
        .join(", ") || (read ? "nobody" : "not known"),
      pending.join(", ") || "-",
      leaving.join(", ") || "-",
    ]),
  );
  return rows + printable(notes.join(""));
}
