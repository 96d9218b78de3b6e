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
  return {
    objects: new Set([
      ...config.peers.map(objectNameOf),
      // One that the config no longer names has a name of its own no more.
      ...last.flatMap(([stack]) => (config.peers.some(({ name }) => name === stack) ? [] : objectName(stack))),
    ]),
    trustDomains: new Set([...peers, ...last.map(([, peer]) => peer)].map(({ trustDomain }) => trustDomain)),
    peers,
    trusted: new Map(last.map(([stack, { trustDomain }]) => [trustDomain, stack])),
  };
}

function asPeer(stack: string, { trustDomain, bundleEndpointUrl, profile, endpointSpiffeId }: Contract): Peer {
  return { stack, trustDomain, bundleEndpointUrl, profile, ...definedOnly({ endpointSpiffeId }) };
}
