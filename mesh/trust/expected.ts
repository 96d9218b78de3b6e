/** Whom a member is to trust, and by what names: by its config, and by its last up. Pure. */
import { objectName } from "../../components/bundle/objectName";
import type { Peer } from "../../components/bundle/peer";
import type { ClusterConfig } from "../../stacks/config";
import { type ConfiguredPeer, objectNameOf } from "../../stacks/peers";
import { type Contract, resolvePeers } from "../../stacks/contract";
import { definedOnly } from "../../stacks/fields";
import type { Looked } from "../kernel/looked";
import type { Published } from "../pulumi/workspace";

export interface Declared {
  /** The names that the stack gives to ClusterFederatedTrustDomains. */
  objects: ReadonlyMap<string, NamedObject>;
  trustDomains: ReadonlySet<string>;
  /** Peers of the config, as they have published themselves. */
  peers: Peer[];
  /** Trust domains that the cluster trusts since the last up, and the stacks that they are of. */
  trusted: ReadonlyMap<string, string>;
  /** Those that the config no longer asks for, as trust domains and their stacks: the next up takes them out. */
  leaving: ReadonlyMap<string, string>;
}

/** What makes a ClusterFederatedTrustDomain of that name the stack's. */
export interface NamedObject {
  /**
   * - `joined`: the config names the peer and the last up trusted it. What the object says is judged with its peer.
   * - `new`: the config names the peer, and no up has trusted it yet.
   * - `left`: the config no longer names the peer.
   */
  peer: "joined" | "new" | "left";
  /** The trust domain of the peer; undefined where it has published nothing. */
  trustDomain: string | undefined;
}

/** A peer of the config, as far as it is known. */
export interface KnownPeer {
  /** Its name in the config. */
  stack: string;
  trustDomain: string;
  /** How it is to be trusted; undefined where it has no endpoint, or that was not seen. */
  published: Peer | undefined;
}

/**
 * A peer that the config no longer names is declared until an up has taken it out: that is a change of the stack, and
 * said as one.
 *
 * @param peers those of the config whose trust domain is known
 * @param own what the member's own stack publishes: whom the last up made the cluster trust
 */
export function declaredBy(
  config: ClusterConfig,
  peers: readonly KnownPeer[],
  own: Pick<Published, "peers"> | undefined,
): Declared {
  const last = Object.entries(own?.peers ?? {});
  const named = new Set(peers.map(({ trustDomain }) => trustDomain));
  const gone = last.filter(([stack]) => !config.peers.some(({ name }) => name === stack));
  const byTrustDomain = ([stack, { trustDomain }]: (typeof last)[number]) => [trustDomain, stack] as const;
  const trusted = last.map(byTrustDomain);
  const configured = (peer: ConfiguredPeer): NamedObject => ({
    peer: own?.peers[peer.name] === undefined ? "new" : "joined",
    trustDomain: peers.find(({ stack }) => stack === peer.name)?.trustDomain,
  });
  return {
    // One that the config no longer names has a name of its own no more.
    objects: new Map([
      ...gone.map(([stack, { trustDomain }]) => [objectName(stack), { peer: "left", trustDomain }] as const),
      ...config.peers.map((peer) => [objectNameOf(peer), configured(peer)] as const),
    ]),
    trustDomains: new Set([...named, ...trusted.map(([trustDomain]) => trustDomain)]),
    peers: peers.flatMap(({ published }) => published ?? []),
    trusted: new Map(trusted),
    // One that the config names and that has another trust domain now is kept as it is: an up refuses it.
    leaving: new Map(gone.map(byTrustDomain).filter(([trustDomain]) => !named.has(trustDomain))),
  };
}

/** A peer as its stack publishes it. */
export function knownBy(stack: string, contract: Contract): KnownPeer {
  const { trustDomain, bundleEndpointUrl, profile, endpointSpiffeId } = contract;
  const published = { stack, trustDomain, bundleEndpointUrl, profile, ...definedOnly({ endpointSpiffeId }) };
  return { stack, trustDomain, published };
}

/** What a stack publishes is judged as an up judges it. */
export function publishedBy(peer: ConfiguredPeer, published: unknown): Looked<Peer> {
  if (published === undefined) return { because: "its stack publishes no bundle endpoint" };
  const { joined, faulty } = resolvePeers("", [{ peer, published }]);
  const [first] = joined;
  if (first === undefined) return { because: faulty.map(({ fault }) => fault).join("; ") };
  return { seen: first.peer };
}
