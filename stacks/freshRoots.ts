/**
 * The roots of a peer at the time at which trust begins. A stack publishes them as of its last up, and SPIRE's keys live for
 * a day: where this machine has the peer's context as well, they are read from the peer's own cluster.
 */
import { splitPem } from "../components/shared/arguments";
import type { ClusterAccess } from "../components/cluster/access";
import type { ClusterReader } from "../components/cluster/cluster";
import { AccessError } from "../components/cluster/kubeconfig";
import type { Peer } from "../components/bundle/peer";
import { explain } from "../components/shared/problem";
import { readOwnTrust } from "../components/bundle/spiffeEndpoint";
import { bundleFromCertificates, parseTrustBundle } from "../components/bundle/trustBundle";

/** A peer with the roots of its own cluster; or as its stack publishes it, and why that cluster could not be read. */
export type FreshPeer = { peer: Peer; fresh: true } | { peer: Peer; unread?: string };

/**
 * The peer with the roots that its cluster has now.
 *
 * What is read with this machine's context is trusted as much as the peer's own `up`. If the context leads to another cluster
 * here, its trust domain shows that.
 *
 * @param access the peer's context, in the kubeconfig of this stack
 */
export async function withFreshRoots(
  peer: Peer,
  access: ClusterAccess & { context: string },
  open: (access: ClusterAccess) => ClusterReader,
): Promise<FreshPeer> {
  try {
    const { trustDomain, roots } = await readOwnTrust(open(access));
    if (trustDomain !== peer.trustDomain) {
      return { peer, unread: `context "${access.context}" leads to trust domain ${trustDomain ?? "none"}` };
    }
    if (!roots) return { peer, unread: `context "${access.context}": the SPIRE server has not written its roots yet` };
    const bundle = parseTrustBundle(bundleFromCertificates(splitPem(roots)), peer.trustDomain, new Date());
    if (Array.isArray(bundle)) return { peer, unread: `context "${access.context}": ${explain(bundle)}` };
    return {
      peer: { ...peer, [peer.profile === "https_spiffe" ? "caCertificates" : "roots"]: bundle.roots.join("") },
      fresh: true,
    };
  } catch (error) {
    // This machine need not have the contexts of all clusters.
    if (error instanceof AccessError) return { peer };
    return { peer, unread: (error as Error).message };
  }
}
