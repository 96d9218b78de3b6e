/** Peers, as they are themselves: a member by its own cluster, any other by what its stack publishes or the config says. */
import { serverSpiffeId } from "../../components/bundle/peer";
import type { Publication } from "../../stacks/contract";
import { certManagerIssuer } from "../../stacks/endpoint";
import type { ConfiguredPeer } from "../../stacks/peers";
import { definedOnly } from "../../stacks/fields";
import type { Published } from "../pulumi/workspace";
import { type Declared, declaredBy, type KnownPeer, publishedBy } from "../trust/expected";
import { isStacks } from "../trust/foreignTrust";
import type { MeshMember } from "../members/members";
import { explain } from "../../components/shared/problem";
import { expectedOf } from "./checks/endpointChecks";
import { bundleIn, servedBundle } from "./servedBundle";
import { NOT_OURS, type OutsideView } from "./checks/outsideChecks";
import { type Expected, expectedAt, notBelieved } from "./endpointTls";
import type { Presented } from "./presented";
import { startOf } from "../kernel/times";
import type { MemberView, PeerReading } from "./subjects";
import { type Looked, unlessBroken } from "../kernel/looked";

export const map = <T, U>(looked: Looked<T>, of: (seen: T) => U): Looked<U> =>
  chain(looked, (seen) => ({ seen: of(seen) }));

/** What was read may be of any shape: what cannot be made of it was not seen. */
export const chain = <T, U>(looked: Looked<T>, of: (seen: T) => Looked<U>): Looked<U> =>
  "because" in looked ? looked : unlessBroken(() => of(looked.seen));

/** What a peer is called. */
export type NamedPeer = Pick<PeerReading, "id" | "name" | "object" | "label">;

export function memberPeer(named: NamedPeer, view: Omit<MemberView, "declared">): PeerReading {
  const { trustDomain, profile } = view.config;
  const server = chain(view.facts, ({ server }) => server);
  const serverStart = chain(view.facts, ({ pod }) => map(pod, startOf));
  return {
    ...named,
    trustDomain: { seen: trustDomain },
    published: map(view.route, ({ host }) => ({
      stack: named.name,
      trustDomain,
      bundleEndpointUrl: `https://${host}`,
      profile,
      ...(profile === "https_spiffe"
        ? { endpointSpiffeId: serverSpiffeId(trustDomain) }
        : definedOnly({ caCertificates: endpointCa(view) })),
    })),
    federates: map(server, (object) => object?.spec?.federation !== undefined),
    keys: unlessBroken(() => keysOfMember(view)),
    signing: chain(view.facts, ({ signing }) => signing),
    started: chain(server, (object) =>
      object?.spec?.upstreamAuthority === undefined ? { seen: undefined } : serverStart,
    ),
    serverStart,
    revoked: chain(view.facts, ({ log }) => map(log, ({ revoked }) => revoked)),
  };
}

/** A member whose file says not who it is. */
export function unreadPeer(named: NamedPeer, because: string): PeerReading {
  const unread = { because };
  return {
    ...named,
    trustDomain: unread,
    published: unread,
    federates: unread,
    keys: unread,
    signing: unread,
    started: unread,
    serverStart: unread,
    revoked: unread,
  };
}

/** CAs (PEM) that vouch for a member's https_web endpoint; undefined where those are public, or not known. */
export function endpointCa({ config, facts }: Pick<MemberView, "config" | "facts">): string | undefined {
  const issued = "seen" in facts && "seen" in facts.seen.issued ? facts.seen.issued.seen?.ca : undefined;
  const issuer = certManagerIssuer(config)?.type;
  // An ACME server is vouched for by public CAs, whatever the request of another issuer says.
  return config.endpointCa ?? (issuer === "ca" || issuer === "existing" ? issued : undefined);
}

/** The peer's own SPIRE server has the last word; its endpoint speaks for it only if SPIRE servers would believe that. */
function keysOfMember(view: Omit<MemberView, "declared">): PeerReading["keys"] {
  const own = chain(view.facts, (facts) => facts.own);
  if ("seen" in own) return { seen: { bundle: own.seen, says: "has" } };
  const { presented, route, config, now } = view;
  if ("because" in route) return own;
  if ("because" in presented && config.probe === "cluster") return servedInside(view);
  const served = servedBy(presented, expectedOf(view), config.trustDomain, now);
  return "seen" in served ? served : own;
}

/** @param contract what its stack publishes; undefined as long as it has no endpoint */
export function outsidePeer(
  named: NamedPeer,
  peer: ConfiguredPeer,
  contract: Looked<Publication | undefined>,
  presented: Looked<Presented>,
  now: Date,
): OutsideView {
  const published = chain(contract, (seen) => publishedBy(peer, seen));
  return {
    ...named,
    trustDomain: map(published, ({ trustDomain }) => trustDomain),
    published,
    federates: map(contract, (seen) => seen !== undefined),
    keys: chain(published, (peer) => servedBy(presented, expectedAt(peer), peer.trustDomain, now)),
    signing: { because: NOT_OURS },
    started: { because: NOT_OURS },
    serverStart: { because: NOT_OURS },
    revoked: { because: NOT_OURS },
    presented,
    owner: peer.publication === undefined ? "project" : "stranger",
    notSeen:
      peer.oneWay === true
        ? "it need not trust this cluster (trust: oneway)"
        : "whether it trusts this cluster cannot be seen from here",
    now,
  };
}

function servedBy(
  presented: Looked<Presented>,
  expected: Expected,
  trustDomain: string,
  now: Date,
): PeerReading["keys"] {
  if ("because" in presented) return presented;
  const why = notBelieved(presented.seen, expected);
  if (why !== undefined) return { because: why };
  const bundle = servedBundle({ presented, config: { trustDomain }, now });
  return Array.isArray(bundle) ? { because: explain(bundle) } : { seen: { bundle, says: "serves" } };
}

/** Of a member whose endpoint cannot be reached from here: what its API server got from the SPIRE server. */
function servedInside(view: Omit<MemberView, "declared">): PeerReading["keys"] {
  const read = chain(view.facts, ({ servedInside: served }) => served);
  return chain(read, (served) => {
    if (served === undefined || "trouble" in served) return { because: served?.trouble ?? "it was not asked" };
    const bundle = bundleIn(served.body, view);
    return Array.isArray(bundle) ? { because: explain(bundle) } : { seen: { bundle, says: "serves" } };
  });
}

/**
 * A peer that does not say who it is has the trust domain that the last up made the cluster trust by its name.
 *
 * @param own what its stack publishes; undefined: it was not asked
 */
export function declaredOf(
  { config }: MeshMember,
  peers: readonly PeerReading[],
  own: Published | undefined,
): Looked<Declared> {
  const known: KnownPeer[] = [];
  for (const { name, label, trustDomain, published } of peers) {
    const domain = "seen" in trustDomain ? trustDomain.seen : own?.peers[name]?.trustDomain;
    if (domain === undefined && "because" in trustDomain)
      return { because: `the trust domain of ${label} is not known: ${trustDomain.because}` };
    if (domain !== undefined)
      known.push({ stack: name, trustDomain: domain, published: "seen" in published ? published.seen : undefined });
  }
  return { seen: declaredBy(config, known, own) };
}

/** Whether the cluster has, or may have, somebody whom the config doesn't name; its stack may have put him there. */
export function hasOthers({ facts }: Pick<MemberView, "facts">, declared: Declared): boolean {
  if ("because" in facts) return false;
  const { trust, server, store } = facts.seen;
  const seen = <T, U>(looked: Looked<T>, of: (seen: T) => readonly U[]): readonly U[] => {
    const list = map(looked, of);
    return "seen" in list ? list.seen : [];
  };
  const known = [
    ...seen(server, (object) => object?.spec?.federation?.federatesWith?.map(({ trustDomain }) => trustDomain) ?? []),
    ...seen(store, ({ bundles, relationships }) => [...relationships, ...bundles.map((one) => one.trustDomain)]),
  ];
  return (
    seen(trust, (list) => list.map((object) => isStacks(object, declared))).includes(false) ||
    known.some((trustDomain) => !declared.trustDomains.has(trustDomain))
  );
}
