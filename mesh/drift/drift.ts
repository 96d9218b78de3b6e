/** `spire-federation drift`: what is not as the stacks say, in the clusters and in their SPIRE servers. Changes nothing. */
import { printable } from "../kernel/text";
import { accessOf } from "../../components/cluster/access";
import type { Publication } from "../../stacks/contract";
import type { ConfiguredPeer } from "../../stacks/peers";
import type { Published } from "../pulumi/workspace";
import { type Declared, declaredBy, knownBy, type KnownPeer, publishedBy } from "../trust/expected";
import { EXIT, type ExitCode } from "../kernel/exit";
import { type Finding, type Unchecked } from "../kernel/finding";
import type { MeshMember } from "../members/members";
import { type Clusters, type Drifts, type MemberReading, readMember } from "./memberReading";
import { objectFindings } from "./objectFindings";
import { once } from "../kernel/once";
import { inParallel } from "../kernel/parallel";
import { redactedFields } from "../kernel/redactedText";
import { heldOfPeer, leftInStore, type PeersKeys } from "../trust/serverStore";
import { foreignTrust, foreignTrustDomains, listedPeers, serverConf } from "../trust/foreignTrust";
import { logOf } from "../spire/serverLog";
import { type Place, placeOf } from "../kernel/place";
import { look, type Looked, madeOr, unlessBroken } from "../kernel/looked";

export interface DriftMember {
  member: string;
  trustDomain: string;
  findings: Finding[];
  /** Checks that were left out, because something could not be read. */
  unchecked: Unchecked[];
}

/**
 * @param members who is looked at
 * @param all all members that there are: what is held of a peer is compared with what the peer has itself
 */
export async function drift(
  members: readonly MeshMember[],
  all: readonly MeshMember[],
  stacks: Drifts,
  clusters: Clusters,
  parallel: number,
): Promise<DriftMember[]> {
  const readings = new Map<string, Looked<MemberReading>>();
  await inParallel(parallel, members, async (member) => {
    readings.set(member.id, await readMember(member, stacks, clusters));
  });
  const peers = new Map(members.flatMap(({ config }) => config.peers.map((peer) => [peer.id, peer] as const)));
  const published = once(
    (id: string) => id,
    (id) => look(() => stacks.published(id)),
  );
  const own = new Map<string, Looked<PeersKeys>>(); // read after all that is held
  const publications = new Map<string, Looked<Publication | undefined>>();
  const publicationOf = async (peer: ConfiguredPeer): Promise<Looked<Publication | undefined>> => {
    if (peer.publication !== undefined) return { seen: peer.publication };
    const read = await published(peer.id);
    if ("because" in read) return read;
    const federation = read.seen?.federation;
    if (federation === undefined) return { seen: undefined };
    const judged = unlessBroken(() => publishedBy(peer, federation));
    return "because" in judged ? judged : { seen: federation };
  };
  await inParallel(parallel, [...peers.values()], async (peer) => {
    const member = all.find(({ id }) => id === peer.id);
    const read = await publicationOf(peer);
    publications.set(peer.id, read);
    const contract = "seen" in read ? read.seen : undefined;
    const because = "because" in read ? `its stack cannot be read: ${read.because}` : undefined;
    own.set(peer.id, await look(() => keysOf(contract, member, clusters, because)));
  });
  const readingOf = (peer: string): Looked<Publication | undefined> =>
    publications.get(peer) ?? { because: "it was not read" };
  return inParallel(parallel, members, async (member) => {
    const reading = readings.get(member.id) ?? { because: "it was not looked at" };
    const whom = declaredFor(member, await published(member.id), readingOf);
    const judged = judge(member, whom, reading, own, new Date());
    return {
      ...judged,
      findings: judged.findings.map(redactedFields),
      unchecked: [...judged.unchecked, ...unreadPeers(member, readingOf)].map(redactedFields),
    };
  });
}

/**
 * Whom a member is to trust. Not known when its own stack cannot be read, or that of a peer that it does not trust yet:
 * what then looks undeclared may be that peer's.
 */
function declaredFor(
  { config, labels }: MeshMember,
  own: Looked<Published | undefined>,
  readingOf: (peer: string) => Looked<Publication | undefined>,
): Looked<Declared> {
  if ("because" in own) return { because: `its stack cannot be read: ${own.because}` };
  const peers: KnownPeer[] = [];
  for (const peer of config.peers) {
    const read = readingOf(peer.id);
    if ("seen" in read) peers.push(...(read.seen === undefined ? [] : [knownBy(peer.name, read.seen)]));
    else if (own.seen?.peers[peer.name] === undefined) {
      return { because: `the stack of ${labels[peer.id] ?? peer.name} cannot be read: ${read.because}` };
    }
  }
  return unlessBroken(() => ({ seen: declaredBy(config, peers, own.seen) }));
}

/** A peer's own keys: from its SPIRE server, or from its endpoint when it is no member. */
async function keysOf(
  contract: Publication | undefined,
  member: MeshMember | undefined,
  clusters: Clusters,
  unread = "its stack publishes no bundle endpoint",
): Promise<PeersKeys> {
  if (member !== undefined) {
    const { server, log } = clusters.cluster(accessOf(member.config));
    const [bundle, said] = await Promise.all([server.ownBundle(), look(async () => logOf(await log()))]);
    return { bundle, ...("seen" in said && said.seen) };
  }
  if (contract !== undefined) return { bundle: await clusters.endpoint(contract) };
  throw new Error(unread);
}

function unreadPeers(
  { name, config, labels }: MeshMember,
  readingOf: (peer: string) => Looked<Publication | undefined>,
): Unchecked[] {
  return config.peers.flatMap((peer) => {
    const read = readingOf(peer.id);
    const label = labels[peer.id] ?? peer.name;
    const what = `whether it trusts ${label} as ${label} publishes itself`;
    return "seen" in read ? [] : [{ member: name, what, because: `the stack cannot be read: ${read.because}` }];
  });
}

function judge(
  { name, config }: MeshMember,
  whom: Looked<Declared>,
  looked: Looked<MemberReading>,
  own: ReadonlyMap<string, Looked<PeersKeys>>,
  now: Date,
): DriftMember {
  const findings: Finding[] = [];
  const unchecked: Unchecked[] = [];
  const leftOut = (what: string, because: string): unknown => unchecked.push({ member: name, what, because });
  const check = <T>(what: string, it: Looked<T>, judgement: (seen: T) => Finding[]): void => {
    const judged = "because" in it ? it : unlessBroken(() => ({ seen: judgement(it.seen) }));
    if ("because" in judged) leftOut(what, judged.because);
    else findings.push(...judged.seen);
  };
  const done = { member: name, trustDomain: config.trustDomain, findings, unchecked };
  if ("because" in looked) {
    leftOut("everything", looked.because);
    return done;
  }
  const { stack, facts } = looked.seen;
  const { server, trust, conf, store, log, program } = facts;
  const federation = "seen" in server ? server.seen?.spec?.federation : undefined;
  const place: Place = {
    ...placeOf({ name, config }),
    ...("seen" in program && { program: program.seen }),
  };
  check("the stack's objects", stack, ({ compared, others }) => objectFindings(place, compared, others));
  const judged = <T>(it: Looked<T>): Looked<{ seen: T; declared: Declared }> => {
    if ("because" in it) return it;
    return "because" in whom ? whom : { seen: { seen: it.seen, declared: whom.seen } };
  };
  check("ClusterFederatedTrustDomains", judged(trust), ({ seen, declared }) => foreignTrust(place, seen, declared));
  check("federatesWith of the SpireServer", judged(server), ({ declared }) =>
    listedPeers(place, federation, declared, config.federatesWith),
  );
  check("the SPIRE server's configuration", conf, (text) => serverConf(place, federation, text));
  check("the SPIRE server's own store", judged(store), ({ seen, declared }) => {
    const foreign = foreignTrustDomains("seen" in trust ? trust.seen : [], federation, declared);
    return leftInStore(place, seen, declared, foreign);
  });
  if ("because" in store || "because" in whom) return done;
  for (const peer of config.peers) {
    const trustDomain =
      whom.seen.peers.find(({ stack: of }) => of === peer.name)?.trustDomain ??
      [...whom.seen.trusted].find(([, of]) => of === peer.name)?.[0];
    // A store that cannot be searched is said to be unchecked above.
    const held = madeOr(undefined, () => store.seen.bundles.find((bundle) => bundle.trustDomain === trustDomain));
    if (held === undefined) continue;
    check(
      `the bundle that it holds of ${held.trustDomain}`,
      own.get(peer.id) ?? { because: "its peer was not looked at" },
      (theirs) => heldOfPeer(place, held, theirs, now, "seen" in log ? log.seen.polls.get(held.trustDomain) : {}),
    );
  }
  return done;
}

/** What was found counts more than what could not be looked at. */
export function driftExit(members: readonly DriftMember[]): ExitCode {
  if (members.some(({ findings }) => findings.length > 0)) return EXIT.findings;
  return members.some(({ unchecked }) => unchecked.length > 0) ? EXIT.unknown : EXIT.fine;
}

export function printDrift(members: readonly DriftMember[]): string {
  return members.map(section).join("\n");
}

function section({ member, trustDomain, findings, unchecked }: DriftMember): string {
  const lines = [
    ...findings.flatMap(({ code, object, found, expected, cure }) => [
      `${code}  ${object}`,
      `  found: ${found}`,
      ...(expected === undefined ? [] : [`  expected: ${expected}`]),
      `  cure: ${cure}`,
    ]),
    ...unchecked.map(({ what, because }) => `not checked: ${what}: ${because}`),
  ];
  const said = lines.length === 0 ? ["no drift"] : lines;
  return `${member} (${printable(trustDomain)})\n${said.map((text) => `  ${printable(text).replaceAll("\n", "\n    ")}\n`).join("")}`;
}
