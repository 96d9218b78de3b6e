/** What the endpoints of peers that no stack runs serve, asked before anything is changed: nobody has proved them before. */
import { fetchFirst } from "../components/bundleFetch";
import type { TrustObject } from "../components/bundleMark";
import { isGiven } from "../components/givenBundle";
import type { Peer } from "../components/peer";
import { explain, type Problem } from "../components/problem";
import type { JoinedPeer } from "./contract";
import { isHeld } from "./firstBundle";

/**
 * What is wrong with the bundles of peers that need one now. One that is trusted already is not asked: SPIRE follows it.
 *
 * @param trust the ClusterFederatedTrustDomains of the cluster
 */
export async function judgeServedBundles(
  joined: readonly JoinedPeer[],
  trust: readonly TrustObject[],
): Promise<Problem[]> {
  const asked = joined.filter(
    ({ peer, publication }) => publication !== undefined && !isGiven(peer) && !isHeld(peer, trust),
  );
  const faults = await Promise.all(asked.map(({ peer }) => faultOf(peer)));
  return faults.flatMap((message) => (message === undefined ? [] : [{ path: "peers", message }]));
}

async function faultOf(peer: Peer): Promise<string | undefined> {
  const { stack, bundleEndpointUrl } = peer;
  try {
    const bundle = await fetchFirst(peer);
    if (!Array.isArray(bundle)) return undefined;
    return `peer "${stack}": what ${bundleEndpointUrl} served must not be trusted: ${explain(bundle)}`;
  } catch (error) {
    return `peer "${stack}": ${(error as Error).message}`;
  }
}
