/** What an `up` would change in whom a member trusts. Pure. */
import { PROGRAM } from "../../components/shared/names";
import type { Contract } from "../../stacks/contract";
import type { Published } from "../pulumi/workspace";

export interface TrustChanges {
  /** Trust domains that it will begin to trust. One that it trusts already under another name of the peer is none. */
  gains: { peer: string; trustDomain: string; bundleEndpointUrl: string; oneWay?: true }[];
  /** Trust domains that it will stop trusting, because none of its peers has them any more. */
  loses: (TrustedPeer & {
    /** Trust domain that the peer has now, if it is still one. */
    now?: string;
  })[];
  /** Peers that it goes on trusting although their stacks publish nothing any more. */
  keeps: TrustedPeer[];
  /** Peers in its config whose stacks have published nothing yet. */
  waitsFor: string[];
}

export interface TrustedPeer {
  peer: string;
  trustDomain: string;
}

/** What is said of a peer in `keeps`. */
export const KEPT = `its stack no longer publishes an endpoint. To end the trust, remove it from peers, or run npx ${PROGRAM} remove`;

/**
 * @param wanted names of the peers in the member's config
 * @param publications what the stack of each of them publishes; a peer whose stack could not be read is not in it
 * @param own what the member's own stack publishes; undefined before its first up
 */
export function trustChanges(
  wanted: readonly string[],
  publications: ReadonlyMap<string, Contract | undefined>,
  own: Published | undefined,
): TrustChanges {
  const trusted = own?.peers ?? {};
  const last = Object.entries(trusted).map(([peer, { trustDomain }]) => ({ peer, trustDomain }));
  const silent = wanted.filter((peer) => publications.has(peer) && publications.get(peer) === undefined);
  const before = new Set(last.map(({ trustDomain }) => trustDomain));
  const after = new Set(wanted.map((peer) => (publications.get(peer) ?? trusted[peer])?.trustDomain));
  return {
    gains: wanted.flatMap((peer) => {
      const contract = publications.get(peer);
      if (contract === undefined || before.has(contract.trustDomain)) return [];
      return [{ peer, trustDomain: contract.trustDomain, bundleEndpointUrl: contract.bundleEndpointUrl }];
    }),
    loses: last
      .filter(({ trustDomain }) => !after.has(trustDomain))
      .map(({ peer, trustDomain }) => {
        const now = wanted.includes(peer) ? publications.get(peer)?.trustDomain : undefined;
        return { peer, trustDomain, ...(now !== undefined && { now }) };
      }),
    keeps: last.filter(({ peer }) => silent.includes(peer)),
    waitsFor: silent.filter((peer) => trusted[peer] === undefined),
  };
}
