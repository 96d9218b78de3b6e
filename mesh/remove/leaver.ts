/** Whom a removal takes out: a member, or a peer that the members' files, stacks or clusters know. Pure. */
import { TRUST_KIND } from "../../components/bundle/bundleMark";
import { PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { type ConfiguredPeer, objectNameOf } from "../../stacks/peers";
import { parseStackName, shortName } from "../../stacks/stackName";
import { UsageError } from "../kernel/exit";
import { fromId, idOf, means } from "../members/identity";
import type { MeshMember } from "../members/members";
import type { Published } from "../pulumi/workspace";
import { type Traces, trustedIn } from "./traces";

/** The member that is taken out, or the peer that has no stack file here. */
export interface Leaver {
  /** Undefined when only its trust domain is known. */
  id: string | undefined;
  /** What people call it. */
  name: string;
  trustDomain: string;
  /** Undefined when there is no Pulumi.<stack>.yaml of it. */
  member?: MeshMember;
}

/** What was read before any change, by the members' ids. */
export interface RemovalReadings {
  /** A stack that could not be read is not in it. */
  published: ReadonlyMap<string, Published | undefined>;
  traces: ReadonlyMap<string, Traces | { unseen: string }>;
}

/** A peer, as one member knows it. */
interface Known {
  by: MeshMember;
  /** Undefined when it is not in the member's file. */
  id?: string;
  /** What it is called in the member's file or stack; undefined when only the cluster knows it. */
  name?: string;
  trustDomains: readonly string[];
}

/**
 * @param written what the command line calls it: a member, a peer, or a trust domain
 * @throws UsageError when nobody knows it, when several peers have the name, when its trust domain is not clear, or is another
 * member's as well; Error when nobody knows it, and not everything could be read
 */
export function findLeaver(written: string, members: readonly MeshMember[], readings: RemovalReadings): Leaver {
  const known = members.flatMap((member) => knownBy(member, members, readings));
  const member =
    members.find(({ config }) => means(written, config.self)) ??
    members.find(({ config }) => config.trustDomain === written);
  const leaver = member === undefined ? peerCalled(written, members, known, readings) : memberLeaving(member, known);
  const { name, trustDomain } = leaver;
  const twins = members.filter((one) => one !== member && one.config.trustDomain === trustDomain);
  if (twins.length > 0) {
    throw new UsageError(
      `${name}: its trust domain ${trustDomain} is that of ${twins.map((one) => one.name).join(", ")} as well; ` +
        "ending trust in one of them would end it in the other",
    );
  }
  return leaver;
}

function memberLeaving(member: MeshMember, known: readonly Known[]): Leaver {
  const { id, name, config } = member;
  const others = known.filter(
    (one) => one.id === id || (one.id === undefined && one.name === shortName(config.self, one.by.config.self)),
  );
  const domains = [...new Set([config.trustDomain, ...others.flatMap(({ trustDomains }) => trustDomains)])];
  if (domains.length > 1) {
    throw new UsageError(
      `${name}: its trust domain is ambiguous: ${domains.join(" or ")}. Run npx ${PROGRAM} up first, so that all members use the one in Pulumi.${config.self.stack}.yaml`,
    );
  }
  return { id, name, trustDomain: config.trustDomain, member };
}

function peerCalled(
  written: string,
  members: readonly MeshMember[],
  known: readonly Known[],
  readings: RemovalReadings,
): Leaver {
  const called = known.filter((one) => isCalled(written, one));
  const found = known.filter((one) => called.includes(one) || one.trustDomains.includes(written));
  const isDomain = found.some(({ trustDomains }) => trustDomains.includes(written));
  const domains = [...new Set([...(isDomain ? [written] : []), ...called.flatMap((one) => one.trustDomains)])];
  const [trustDomain] = domains;
  if (trustDomain === undefined) throw unknown(written, called, members, known, readings);
  const choices = [...domains, ...unclearIds(called)];
  if (choices.length > 1) {
    throw new UsageError(
      `${written}: this may be ${choices.join(" or ")}. Name one of them, such as npx ${PROGRAM} remove ${word(trustDomain)}`,
    );
  }
  // One whose file is here is a member, whose trust domain is another one now.
  const named = found.find(({ id }) => id !== undefined && !members.some((one) => one.id === id));
  const self = members[0]?.config.self;
  const parsed = self && !isDomain ? parseStackName(written, self) : undefined;
  return {
    id: named?.id ?? (parsed && idOf(parsed)),
    name: (named?.id === undefined ? undefined : named.by.labels[named.id]) ?? written,
    trustDomain,
  };
}

/** Ids of peers of whose trust domain no member knows. */
function unclearIds(called: readonly Known[]): string[] {
  const clear = called.flatMap(({ id, trustDomains }) => (trustDomains.length > 0 ? [id] : []));
  return [...new Set(called.flatMap(({ id }) => (id === undefined || clear.includes(id) ? [] : [id])))];
}

/** By any of its names: as its entry in peers, its stack or its objects are called. */
function isCalled(written: string, { by, id, name }: Known): boolean {
  if (name === undefined || name === written) return name === written;
  if (id !== undefined) return means(written, fromId(id));
  const parsed = parseStackName(written, by.config.self);
  return parsed !== undefined && name === shortName(parsed, by.config.self);
}

function knownBy(by: MeshMember, members: readonly MeshMember[], { published, traces }: RemovalReadings): Known[] {
  const own = published.get(by.id);
  const trace = traces.get(by.id);
  const { peers } = by.config;
  const seen = trace === undefined || "unseen" in trace ? undefined : trace;
  return [
    ...peers.map((peer) => ({
      ...{ by, id: peer.id, name: peer.name },
      trustDomains: trustDomainsOf(peer, members, own, seen),
    })),
    ...Object.entries(own?.peers ?? {})
      .filter(([name]) => !peers.some((peer) => peer.name === name))
      .map(([name, { trustDomain }]) => ({ by, name, trustDomains: [trustDomain] })),
    ...(seen === undefined ? [] : trustedIn(seen)).map((trustDomain) => ({ by, trustDomains: [trustDomain] })),
  ];
}

/**
 * What is known of a peer's trust domain at one member: by its file and its stack, or else by the object that it would have.
 * A member's own trust domain is in its file.
 */
export function trustDomainsOf(
  peer: ConfiguredPeer,
  members: readonly MeshMember[],
  own: Published | undefined,
  traces: Traces | undefined,
): string[] {
  const said = [peer.publication?.trustDomain, own?.peers[peer.name]?.trustDomain].filter((one) => one !== undefined);
  if (said.length > 0 || members.some(({ id }) => id === peer.id)) return [...new Set(said)];
  const object = `${TRUST_KIND} ${objectNameOf(peer)}`;
  const asked = traces?.asked.find((one) => one.object === object)?.trustDomain;
  return [asked ?? peer.trustDomain].filter((one) => one !== undefined);
}

/** Says what was read and what was not: a trust that nobody has seen is not one that is not there. */
function unknown(
  written: string,
  called: readonly Known[],
  members: readonly MeshMember[],
  known: readonly Known[],
  { published, traces }: RemovalReadings,
): Error {
  const unread = members.flatMap(({ id, name }) => {
    const trace = traces.get(id) ?? { unseen: "it was not asked" };
    return [
      ...(published.has(id) ? [] : [`the stack of ${name}`]),
      ...("unseen" in trace ? [`the cluster of ${name} (${trace.unseen})`] : []),
    ];
  });
  const declared = new Set([
    ...members.map(({ config }) => config.trustDomain),
    ...known.flatMap(({ id, trustDomains }) => (id === undefined ? [] : trustDomains)),
  ]);
  const strange = known.flatMap(({ trustDomains }) => trustDomains).filter((one) => !declared.has(one));
  const message = [
    called.length === 0
      ? `${written}: no member, and no stack file, stack or SPIRE server that was read knows it by this name or trust domain`
      : `${written}: no member, and nothing that was read says its trust domain; to stop waiting for it, delete it from peers`,
    ...(strange.length === 0
      ? []
      : [
          `no stack file names ${[...new Set(strange)].join(", ")}, which a member trusts: to end that, run npx ${PROGRAM} remove with the trust domain`,
        ]),
    ...(unread.length === 0 ? [] : [`not read: ${unread.join(", ")}`]),
    `members are ${members.map(({ name }) => name).join(", ")}`,
  ].join("; ");
  return unread.length === 0 ? new UsageError(message) : new Error(message);
}
