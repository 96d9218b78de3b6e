/** The first bundles of peers where they come from stacks: who publishes one, and which are refused before any change. Pure. */
import { unchangedFetch, type TrustObject } from "../components/bundleMark";
import { objectName } from "../components/federatedTrustDomain";
import { federatedTrustDomainSpec } from "../components/peer";
import type { Problem } from "../components/problem";
import { type Bootstrap, isFromStack, stackBundle } from "../components/stackBundle";
import type { ClusterConfig } from "./config";
import type { JoinedPeer } from "./contract";

/**
 * Whether the stack publishes its own roots. A stack whose own endpoint cannot be reached from here has to, and one that
 * takes its peers' bundles from their stacks gives its own in the same way. With https_spiffe they are `caCertificates`.
 */
export const publishesRoots = ({ probe, bootstrap, profile }: ClusterConfig): boolean =>
  profile !== "https_spiffe" && (probe === "cluster" || bootstrap === "stack");

/**
 * What is wrong with the bundles of peers that need one now.
 *
 * SPIRE has fetched later bundles of a peer that the cluster trusts already, so a published one that has expired since
 * says nothing against that peer.
 *
 * @param trust the ClusterFederatedTrustDomains of the cluster
 */
export function judgeFirstBundles(
  bootstrap: Bootstrap,
  joined: readonly JoinedPeer[],
  trust: readonly TrustObject[],
  now: Date,
): Problem[] {
  return joined.flatMap(({ peer }) => {
    const live = trust.find(({ metadata }) => metadata?.name === objectName(peer.stack));
    const isHeld = live !== undefined && unchangedFetch(live, federatedTrustDomainSpec(peer)) !== undefined;
    if (isHeld || !isFromStack(peer, bootstrap)) return [];
    const bundle = stackBundle(peer, now);
    return "fault" in bundle ? [{ path: "peers", message: bundle.fault }] : [];
  });
}
