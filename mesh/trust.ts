/** What an `up` would change in whom a member trusts. Pure. */
import type { Contract } from "../stacks/contract";
import type { Published } from "./backend";

export interface TrustChanges {
  /** Peers that it will begin to trust. */
  gains: { peer: string; trustDomain: string; bundleEndpointUrl: string }[];
  /** Peers that it will stop to trust: no longer wanted, or their stacks publish nothing any more. */
  loses: { peer: string; trustDomain: string; because: "not wanted" | "publishes nothing" }[];
  /** Peers that it wants and whose stacks have published nothing yet. */
  waitsFor: string[];
}

/**
 * @param wanted names of the peers in the member's config
 * @param publications what the stack of each of them publishes
 * @param own what the member's own stack publishes; undefined before its first up
 */
export function trustChanges(
  wanted: readonly string[],
  publications: ReadonlyMap<string, Contract | undefined>,
  own: Published | undefined,
): TrustChanges {
  const trusted = own?.peers ?? {};
  const there = wanted.flatMap((peer) => {
    const contract = publications.get(peer);
    return contract === undefined ? [] : [{ peer, contract }];
  });
  return {
    gains: there
      .filter(({ peer }) => trusted[peer] === undefined)
      .map(({ peer, contract: { trustDomain, bundleEndpointUrl } }) => ({ peer, trustDomain, bundleEndpointUrl })),
    loses: Object.entries(trusted)
      .filter(([peer]) => !there.some((one) => one.peer === peer))
      .map(([peer, { trustDomain }]) => ({
        peer,
        trustDomain,
        because: wanted.includes(peer) ? "publishes nothing" : "not wanted",
      })),
    waitsFor: wanted.filter((peer) => publications.get(peer) === undefined),
  };
}
