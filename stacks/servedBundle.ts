/**
 * What the endpoints of new peers serve, asked before anything is changed: those of peers that no stack runs, which nobody
 * has proved before, and those with https_spiffe, whose keys may be others than those with which trust is to begin.
 */
import { fetchFirst } from "../components/bundle/bundleFetch";
import type { TrustObject } from "../components/bundle/bundleMark";
import { isGiven, notOfEndpoint } from "../components/bundle/givenBundle";
import { type Peer, serverSpiffeId } from "../components/bundle/peer";
import { explain, type Problem } from "../components/shared/problem";
import { refusalOfSpiffeEndpoint } from "../components/bundle/spiffeEndpoint";
import type { ClusterConfig } from "./config";
import type { JoinedPeer } from "./contract";
import { needsBundle } from "./firstBundle";

/**
 * What is wrong with the bundles of peers that need one now. One that is trusted already is not asked: SPIRE follows it.
 *
 * @param trust the ClusterFederatedTrustDomains of the cluster
 */
export async function judgeServedBundles(
  config: Pick<ClusterConfig, "probe">,
  joined: readonly JoinedPeer[],
  trust: readonly TrustObject[],
): Promise<Problem[]> {
  const needed = joined.filter((one) => needsBundle(one, trust));
  // Pins and approved keys are judged before anything is changed, too.
  const served = needed.filter(
    (one) =>
      (one.publication ?? one.peer.fingerprints ?? one.peer.approvedKeys) !== undefined &&
      !isGiven(one.peer, one.bootstrap),
  );
  // There is nothing to ask if this machine reaches no routers, or if the roots come from the peer's own cluster.
  const reached = ({ bootstrap }: JoinedPeer): boolean => config.probe === "machine" && bootstrap !== "stack";
  const presented = needed.filter((one) => reached(one) && one.peer.profile === "https_spiffe" && one.fresh !== true);
  const faults = await Promise.all([
    ...served.map(({ peer }) => faultOf(peer)),
    ...presented.map(({ peer }) => faultOfSvid(peer)),
  ]);
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

/** An endpoint that does not answer is not refused: SPIRE asks it again, and verify reports it. */
async function faultOfSvid(peer: Peer): Promise<string | undefined> {
  const { bundleEndpointUrl: url, trustDomain, endpointSpiffeId = serverSpiffeId(trustDomain) } = peer;
  const why = await refusalOfSpiffeEndpoint(url, endpointSpiffeId, peer.caCertificates ?? "");
  return why === undefined ? undefined : notOfEndpoint(peer, why);
}
