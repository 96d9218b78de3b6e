/** Whom a member is to trust, and by what names: by its config, and by its last up. Pure. */
import { objectName } from "../../components/bundle/objectName";
import type { Peer } from "../../components/bundle/peer";
import type { ClusterConfig } from "../../stacks/config";
import { objectNameOf } from "../../stacks/peers";
import type { Contract } from "../../stacks/contract";
import { definedOnly } from "../../stacks/fields";
import type { Published } from "../pulumi/workspace";

export interface Declared {
  /** Names of the ClusterFederatedTrustDomains that are the stack's. */
  objects: ReadonlySet<string>;
  trustDomains: ReadonlySet<string>;
  /** Peers of the config, as they have published themselves. */
  peers: Peer[];
  /** Trust domains that the cluster trusts since the last up, and the stacks that they are of. */
  trusted: ReadonlyMap<string, string>;
  /** Those that the config no longer asks for, as trust domains and their stacks: the next up takes them out. */
  leaving: ReadonlyMap<string, string>;
}

/** A peer of the config, as far as it is known. */
export interface KnownPeer {
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
  const trusted = last.map(([stack, { trustDomain }]) => [trustDomain, stack] as const);
  return {
    // One that the config no longer names has a name of its own no more.
    objects: new Set([...config.peers.map(objectNameOf), ...gone.map(([stack]) => objectName(stack))]),
    trustDomains: new Set([...named, ...trusted.map(([trustDomain]) => trustDomain)]),
    peers: peers.flatMap(({ published }) => published ?? []),
    trusted: new Map(trusted),
    leaving: new Map(trusted.filter(([trustDomain]) => !named.has(trustDomain))),
  };
}

/** A peer as its stack publishes it. */
export function knownBy(stack: string, contract: Contract): KnownPeer {
  const { trustDomain, bundleEndpointUrl, profile, endpointSpiffeId } = contract;
  const published = { stack, trustDomain, bundleEndpointUrl, profile, ...definedOnly({ endpointSpiffeId }) };
  return { trustDomain, published };
}
