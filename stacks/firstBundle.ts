/** The first bundles that are known before any change: which stacks publish one, and which bundles are refused. */
import { accessOf, type ClusterAccess } from "../components/cluster/access";
import { beginning, BEGINNING_ANNOTATION, unchangedFetch, type TrustObject } from "../components/bundle/bundleMark";
import type { ClusterReader } from "../components/cluster/cluster";
import { objectName } from "../components/bundle/objectName";
import { federatedTrustDomainSpec, type Peer } from "../components/bundle/peer";
import { problem, type Problem } from "../components/shared/problem";
import { word } from "../components/shared/shell";
import { parseTrustBundle, type TrustBundle } from "../components/bundle/trustBundle";
import { PROGRAM } from "../components/shared/names";
import { givenBundle, isGiven } from "../components/bundle/givenBundle";
import type { ClusterConfig } from "./config";
import type { JoinedPeer } from "./contract";
import { withFreshRoots } from "./freshRoots";

/**
 * Whether the stack publishes its own roots. A stack whose own endpoint cannot be reached from here has to, and one that
 * takes its peers' bundles from their stacks gives its own in the same way. With https_spiffe they are `caCertificates`.
 */
export const publishesRoots = ({ probe, peers, profile }: ClusterConfig): boolean =>
  profile !== "https_spiffe" && (probe === "cluster" || peers.some(({ bootstrap }) => bootstrap === "stack"));

/** Whether the cluster already trusts a peer as the config asks. */
export function isHeld(peer: Peer, trust: readonly TrustObject[]): boolean {
  const live = liveTrust(peer, trust);
  return live !== undefined && unchangedFetch(live, federatedTrustDomainSpec(peer)) !== undefined;
}

/** Whether a bundle of the peer is needed now: to begin with, or to begin anew. */
export const needsBundle = (one: JoinedPeer, trust: readonly TrustObject[]): boolean =>
  !isHeld(one.peer, trust) || beginsAnew(one, trust);

/** Whether the config has another `rebootstrap`, or other pins, than those that the cluster's trust began with. */
function beginsAnew({ peer, rebootstrap }: JoinedPeer, trust: readonly TrustObject[]): boolean {
  const began = liveTrust(peer, trust)?.metadata?.annotations?.[BEGINNING_ANNOTATION];
  return began !== undefined && began !== beginning(rebootstrap, peer.fingerprints);
}

const liveTrust = (peer: Peer, trust: readonly TrustObject[]): TrustObject | undefined =>
  trust.find(({ metadata }) => metadata?.name === objectName(peer.stack, peer.objectName));

/** Returns the peers. A peer that needs a bundle from its stack gets the roots of its own cluster, if this machine can read them. */
export function withFirstRoots(
  config: ClusterAccess,
  joined: readonly JoinedPeer[],
  trust: readonly TrustObject[],
  open: (access: ClusterAccess) => ClusterReader,
): Promise<JoinedPeer[]> {
  return Promise.all(
    joined.map(async (one) => {
      const { peer, context } = one;
      if (context === undefined || !needsBundle(one, trust) || !isGiven(peer, one.bootstrap)) return one;
      return { ...one, ...(await withFreshRoots(peer, { ...accessOf(config), context }, open)) };
    }),
  );
}

/**
 * What is wrong with the bundles of peers that need one now.
 *
 * SPIRE has fetched later bundles of a peer that the cluster trusts already, so a published one that has expired since
 * says nothing against that peer.
 *
 * @param trust the ClusterFederatedTrustDomains of the cluster
 */
export function judgeFirstBundles(joined: readonly JoinedPeer[], trust: readonly TrustObject[], now: Date): Problem[] {
  return joined.flatMap((one) => {
    const { peer } = one;
    if (!needsBundle(one, trust) || !isGiven(peer, one.bootstrap)) return [];
    const bundle = givenBundle(peer, now);
    if (!("fault" in bundle)) return judgeNewRoots(one, bundle, trust);
    const unread = one.unread === undefined ? "" : ` (its own cluster could not be asked for them: ${one.unread})`;
    return [{ path: "peers", message: `${bundle.fault}${unread}` }];
  });
}

/**
 * Trust begins again for a peer that was recreated, or was away longer than its keys live. Nothing proves that it is the same
 * peer, so a person has to compare its roots and allow them.
 */
function judgeNewRoots(one: JoinedPeer, bundle: TrustBundle, trust: readonly TrustObject[]): Problem[] {
  const { stack, trustDomain, profile, fingerprints, bundle: handed } = one.peer;
  if (profile !== "https_spiffe" || handed !== undefined || fingerprints !== undefined || !beginsAnew(one, trust)) {
    return [];
  }
  const before = parseTrustBundle(liveTrust(one.peer, trust)?.spec?.trustDomainBundle ?? "", trustDomain);
  const known = Array.isArray(before) ? [] : before.fingerprints;
  const roots = bundle.fingerprints.filter((root) => !known.includes(root));
  if (roots.length === 0) return [];
  return problem(
    "peers",
    `trust in ${trustDomain} would begin anew with other roots, sha256 ${roots.join(", ")}; compare them with ` +
      `what its owner sees (npx ${PROGRAM} peer-info ${word(stack)}), and allow them in its entry of peers: ` +
      `{stack: ${stack}, rebootstrap: ${one.rebootstrap}, fingerprints: [${bundle.fingerprints.join(", ")}]}`,
  );
}
