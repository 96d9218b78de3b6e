/** `spire-federation verify`: looks at every member and at every pair from outside, and says what it saw. Changes nothing. */
import { X509Certificate } from "node:crypto";
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { federationRoute } from "../../components/route/federationRoute";
import { keepEndpoint } from "../../stacks/endpoint";
import { type ConfiguredPeer, objectNameOf } from "../../stacks/peers";
import { once } from "../kernel/once";
import { inParallel } from "../kernel/parallel";
import { publicationOf } from "../members/publication";
import type { Published } from "../pulumi/workspace";
import type { MeshMember } from "../members/members";
import { type Declared, publishedBy } from "../trust/expected";
import { evaluate, type Outcome } from "./check";
import { memberChecks, pairChecks } from "./checks/all";
import { type Facts, type FirstFacts, readFacts, type Sources } from "./memberFacts";
import { outsideChecks, type OutsideView } from "./checks/outsideChecks";
import {
  chain,
  declaredOf,
  endpointCa,
  hasOthers,
  map,
  memberPeer,
  type NamedPeer,
  outsidePeer,
  unreadPeer,
} from "./peers";
import { restingOn } from "./resting";
import type { Presented } from "./presented";
import { heldLives, lastEnd, lifetimesOf } from "./lifetimes";
import { healthOf, type Verification, type VerifiedMember, type VerifiedPair, type VerifiedPeer } from "./verification";
import { type MemberView, OUT_OF_SIGHT, type PairView, PROBE_IS_CLUSTER, type PeerReading } from "./subjects";
import { placeOf } from "../kernel/place";
import { look, type Looked, madeOr } from "../kernel/looked";

/** Ways to what is looked at. */
export interface World {
  cluster(access: ClusterAccess): Sources;
  /** @param ca PEM of the CAs that are to vouch for it; undefined: the public ones */
  endpoint(url: string, ca: string | undefined): Promise<Presented>;
  /** What a stack publishes: of a peer of another project where it is, of a member whom its last up made it trust. */
  published(reference: string): Promise<Published | undefined>;
  now(): Date;
  /** How many members are looked at at the same time. */
  parallel: number;
  /** What is wrong with the file of a peer, by the peer's id. */
  unread: ReadonlyMap<string, string>;
  /** Of this program. */
  version: string;
  /** Hears whom it waits for. */
  note(line: string): void;
}

/** A member, before its peers are known. */
export type SeenMember = Omit<MemberView, "declared">;

/** Waits longer than this say whom they wait for. */
const QUIET_MS = 2000;

/**
 * Every request has a time limit, so a silent cluster does not delay the others for long.
 *
 * @param chosen who is judged
 * @param all everybody: the peers of those who are chosen are looked at, too
 */
export async function verify(
  chosen: readonly MeshMember[],
  all: readonly MeshMember[],
  world: World,
): Promise<Verification> {
  const needed = all.filter(({ id }) => chosen.some((one) => one.id === id || one.peers.includes(id)));
  const looked = await lookAtAll(needed, world);
  const outside = outsidersOf(world);
  const at = world.now();
  const isChosen = (id: string): boolean => chosen.some((one) => one.id === id);
  const judged = await Promise.all(
    needed.map(async (member) => {
      const looking = lookedAt(looked, member.id);
      const peers = await Promise.all(
        member.config.peers.map(async (peer): Promise<Peered | undefined> => {
          const { name, id } = peer;
          const named = { id, name, object: objectNameOf(peer), label: member.labels[id] ?? id };
          if (member.outside.includes(id)) {
            if (!isChosen(member.id)) return undefined;
            const view = await outside(named, peer, looking, at);
            return { reading: view, outside: evaluate(outsideChecks, view) };
          }
          const other = looked.get(id);
          if (other === undefined)
            return { reading: unreadPeer(named, world.unread.get(id) ?? "its file was not read") };
          return { reading: memberPeer(named, { ...other, now: at }) };
        }),
      );
      const known = peers.filter((peer) => peer !== undefined);
      const view: MemberView = {
        ...looking,
        now: at,
        declared: await declaredAt(
          member,
          looking,
          known.map(({ reading }) => reading),
          world,
        ),
      };
      return { member, view, peers: known, checks: evaluate(memberChecks, view) };
    }),
  );
  const ours = judged.filter(({ member }) => isChosen(member.id));
  const ofPeer = ({ reading, outside }: Peered): Outcome[] =>
    outside ?? judged.find(({ member }) => member.id === reading.id)?.checks ?? [];
  return {
    at: at.toISOString(),
    version: world.version,
    members: ours.map(({ view, checks }) => verifiedMember(view, checks)),
    pairs: ours.flatMap(({ view, peers, checks }) =>
      peers.map((peer) => verifiedPair({ ...view, peer: peer.reading }, checks, ofPeer(peer))),
    ),
    peers: restingOn(
      ours.flatMap(({ peers }) =>
        peers.filter(({ reading }) => !isChosen(reading.id)).map((peer) => verifiedPeer(peer.reading, ofPeer(peer))),
      ),
    ),
  };
}

/** The member's own stack is asked only where its peers and its file don't tell what is foreign: that takes a process of Pulumi. */
async function declaredAt(
  member: MeshMember,
  looking: SeenMember,
  peers: readonly PeerReading[],
  world: World,
): Promise<Looked<Declared>> {
  const declared = declaredOf(member, peers, undefined);
  if ("seen" in declared && !hasOthers(looking, declared.seen)) return declared;
  const own = await look(() => world.published(member.id));
  if ("because" in own && "because" in declared) return declared;
  if ("because" in own) return { because: `what its stack has put there cannot be read: ${own.because}` };
  return chain(own, (published) => declaredOf(member, peers, published));
}

/** A peer as it was seen; one that is no member has its own checks. */
interface Peered {
  reading: PeerReading;
  outside?: Outcome[];
}

function lookedAt(looked: ReadonlyMap<string, SeenMember>, id: string): SeenMember {
  const looking = looked.get(id);
  if (looking === undefined) throw new Error(`${id} was not looked at`);
  return looking;
}

/** What a member holds is read before what its peers serve: a key that comes in between is not missing. */
async function lookAtAll(members: readonly MeshMember[], world: World): Promise<Map<string, SeenMember>> {
  const waiting = new Set(members.map(({ name }) => name));
  const slow = setTimeout(() => {
    world.note(`waiting for ${[...waiting].join(", ")}`);
  }, QUIET_MS);
  const first = await inParallel(world.parallel, members, async (member) => {
    const read = await readFacts(member, () => world.cluster(accessOf(member.config)));
    waiting.delete(member.name);
    return { member, read };
  });
  clearTimeout(slow);
  const looked = await inParallel(world.parallel, first, async ({ member, read }) => {
    const looking = await lookAt(member, read, world);
    return [member.id, { ...looking, presented: await lookAtEndpoint(looking, world) }] as const;
  });
  return new Map(looked);
}

async function lookAt(member: MeshMember, read: Looked<FirstFacts>, world: World): Promise<SeenMember> {
  const facts: Looked<Facts> = "seen" in read ? { seen: await read.seen.complete() } : read;
  const server = chain(facts, (seen) => seen.server);
  const endpoint = map(server, (seen) => seen?.spec?.federation?.bundleEndpoint);
  const live = "seen" in endpoint ? endpoint.seen : undefined;
  const config = madeOr(member.config, () => keepEndpoint(member.config, live).config);
  const program = chain(facts, (seen) => seen.program);
  return {
    ...placeOf(member),
    ...("seen" in program && { program: program.seen }),
    config,
    version: map(read, ({ version }) => version),
    facts,
    route: chain(facts, ({ ingressDomain }) =>
      chain(ingressDomain, (domain) =>
        domain === undefined
          ? { because: "the cluster has no ingress domain (ingresses.config.openshift.io/cluster)" }
          : { seen: federationRoute(config, domain) },
      ),
    ),
    presented: { because: "it was not asked yet" },
    now: world.now(),
  };
}

async function lookAtEndpoint({ route, facts, config }: SeenMember, world: World): Promise<Looked<Presented>> {
  if ("because" in route) return route;
  const roots = "seen" in facts && "seen" in facts.seen.roots ? facts.seen.roots.seen : undefined;
  const ca = config.profile === "https_spiffe" ? (roots ?? "") : endpointCa({ config, facts });
  const presented = await look(() => world.endpoint(`https://${route.seen.host}`, ca));
  return "because" in presented && config.probe === "cluster"
    ? { because: `${OUT_OF_SIGHT}${PROBE_IS_CLUSTER} (${presented.because})` }
    : presented;
}

type Outsiders = (
  named: NamedPeer,
  peer: ConfiguredPeer,
  member: Pick<SeenMember, "facts">,
  at: Date,
) => Promise<OutsideView>;

/** Peers that are no members; each stack, and each endpoint with the same CAs, is asked once. */
function outsidersOf(world: World): Outsiders {
  const contractOf = once(
    ({ id }: ConfiguredPeer) => id,
    (peer) => look(() => publicationOf(peer, (id) => world.published(id))),
  );
  const presentedAt = once(
    ({ url, ca }: { url: string; ca: string | undefined }) => `${url} ${ca ?? ""}`,
    ({ url, ca }) => look(() => world.endpoint(url, ca)),
  );
  return async (named, peer, { facts }, at) => {
    const contract = await contractOf(peer);
    const published = chain(contract, (seen) => publishedBy(peer, seen));
    if ("because" in published) return outsidePeer(named, peer, contract, published, at);
    const { bundleEndpointUrl: url, profile, caCertificates, trustDomain } = published.seen;
    // SPIRE verifies an https_spiffe endpoint with the bundle that it holds: what was published may have been rotated since.
    const held = profile === "https_spiffe" ? heldRoots(facts, trustDomain) : undefined;
    return outsidePeer(named, peer, contract, await presentedAt({ url, ca: held ?? caCertificates }), at);
  };
}

/** X.509 roots (PEM) that a member holds of a trust domain; undefined when it holds none, or that was not seen. */
function heldRoots(facts: SeenMember["facts"], trustDomain: string): string | undefined {
  const store = chain(facts, (seen) => seen.store);
  const bundle = "seen" in store ? store.seen.bundles.find((one) => one.trustDomain === trustDomain) : undefined;
  const roots = madeOr([], () => bundle?.roots.map((root) => new X509Certificate(root).toString()) ?? []);
  return roots.length === 0 ? undefined : roots.join("");
}

function verifiedMember(view: MemberView, checks: Outcome[]): VerifiedMember {
  return {
    member: view.member,
    trustDomain: view.config.trustDomain,
    ...("seen" in view.route && { bundleEndpointUrl: `https://${view.route.seen.host}` }),
    health: healthOf(checks),
    checks,
    lifetimes: lifetimesOf(view),
  };
}

function verifiedPair(view: PairView, ofMember: Outcome[], ofPeer: Outcome[]): VerifiedPair {
  const { trustDomain, label } = view.peer;
  const checks = evaluate(pairChecks, view, ofMember, ofPeer);
  const held = madeOr(undefined, () => heldLives(view));
  const until = lastEnd(held?.roots ?? []);
  return {
    member: view.member,
    peer: label,
    ...("seen" in trustDomain && { trustDomain: trustDomain.seen }),
    health: healthOf(checks),
    checks,
    ...(until !== undefined && { trustedUntil: until }),
    ...(held !== undefined && { held }),
  };
}

function verifiedPeer({ label, trustDomain }: PeerReading, checks: Outcome[]): VerifiedPeer {
  return {
    peer: label,
    ...("seen" in trustDomain && { trustDomain: trustDomain.seen }),
    health: healthOf(checks),
    checks,
  };
}
