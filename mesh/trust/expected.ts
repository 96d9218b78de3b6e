/** Whom a member is to trust, and by what names: by its config, and by its last up. Pure. */
import { objectName } from "../../components/federatedTrustDomain";
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

/**
 * A peer that the config no longer names is declared until an up has taken it out: that is a change of the stack, and
 * said as one.
 *
 * @param publications what the stack of each peer publishes
 * @param own what the member's own stack publishes
 */
export function declaredBy(
  config: ClusterConfig,
  publications: ReadonlyMap<string, Contract | undefined>,
  own: Published | undefined,
): Declared {
  const peers = config.peers.flatMap(({ name }) => {
    const contract = publications.get(name);
    return contract === undefined ? [] : [asPeer(name, contract)];
  });
  const last = Object.entries(own?.peers ?? {});
  const named = peers.map(({ trustDomain }) => trustDomain);
  const declared = { objects: new Set(config.peers.map(objectNameOf)), trustDomains: new Set(named), peers };
  return {
    ...withLeaving(declared, config, own),
    trusted: new Map(last.map(([stack, { trustDomain }]) => [trustDomain, stack])),
  };
}

/** The same with what the last up made the cluster trust; the config may no longer ask for it. */
export function withLeaving(
  declared: Pick<Declared, "objects" | "trustDomains" | "peers">,
  config: ClusterConfig,
  own: Published | undefined,
): Declared {
  const last = Object.entries(own?.peers ?? {});
  const gone = last.filter(([stack]) => !config.peers.some(({ name }) => name === stack));
  return {
    // One that the config no longer names has a name of its own no more.
    objects: new Set([...declared.objects, ...gone.map(([stack]) => objectName(stack))]),
    trustDomains: new Set([...declared.trustDomains, ...last.map(([, { trustDomain }]) => trustDomain)]),
    peers: declared.peers,
    trusted: new Map(),
    leaving: new Map(
      last
        .filter(([, { trustDomain }]) => !declared.trustDomains.has(trustDomain))
        .map(([stack, { trustDomain }]) => [trustDomain, stack]),
    ),
  };
}

function asPeer(stack: string, { trustDomain, bundleEndpointUrl, profile, endpointSpiffeId }: Contract): Peer {
  return { stack, trustDomain, bundleEndpointUrl, profile, ...definedOnly({ endpointSpiffeId }) };
}
