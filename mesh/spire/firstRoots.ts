/** With which roots trust in a peer would begin, as far as can be known before it does. */
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { splitPem } from "../../components/shared/arguments";
import { fetchFirst } from "../../components/bundle/bundleFetch";
import type { ClusterReader } from "../../components/cluster/cluster";
import type { Peer } from "../../components/bundle/peer";
import { explain } from "../../components/shared/problem";
import { readOwnRoots } from "../../components/bundle/spiffeEndpoint";
import { type Bootstrap, givenBundle, isGiven } from "../../components/bundle/givenBundle";
import type { TrustBundle } from "../../components/bundle/trustBundle";
import type { ClusterConfig } from "../../stacks/config";
import type { Publication } from "../../stacks/contract";
import { bootstrapOf } from "../../stacks/firstBundle";
import { withFreshRoots } from "../../stacks/freshRoots";
import type { ConfiguredPeer } from "../../stacks/peers";

/** SHA-256 of each root and its certificate (PEM), or why they are not known. */
export type FirstRoots = { roots: string[]; certificates: string[] } | { rootsUnknown: string };

/** A peer, and from where its first bundle comes. */
export interface FirstPeer {
  peer: Peer;
  bootstrap: Bootstrap;
  /** The context of its cluster, in the kubeconfig of whoever trusts it; undefined where it has published none. */
  access?: ClusterAccess & { context: string };
}

/** The peer of a member, as its stack has published it or its config describes it. */
export function firstPeer(config: ClusterConfig, peer: ConfiguredPeer, publication: Publication): FirstPeer {
  const { context, ...published } = publication;
  return {
    peer: { stack: peer.name, ...published },
    bootstrap: bootstrapOf(config, peer),
    ...(context !== undefined && { access: { ...accessOf(config), context } }),
  };
}

/**
 * Taken from where an up would: the peer's endpoint over TLS that is verified, the peer's cluster, what the peer's stack
 * publishes, or the bundle that is given.
 */
export async function rootsOf(
  { peer: published, bootstrap, access }: FirstPeer,
  open: (access: ClusterAccess) => ClusterReader,
): Promise<FirstRoots> {
  try {
    const fresh = access !== undefined && isGiven(published, bootstrap);
    const peer = fresh ? (await withFreshRoots(published, access, open)).peer : published;
    if (isGiven(peer, bootstrap)) {
      const bundle = givenBundle(peer, new Date());
      return "fault" in bundle ? { rootsUnknown: bundle.fault } : known(bundle);
    }
    const bundle = await fetchFirst(peer);
    return Array.isArray(bundle) ? { rootsUnknown: explain(bundle) } : known(bundle);
  } catch (error) {
    return { rootsUnknown: (error as Error).message };
  }
}

const known = ({ fingerprints, roots }: TrustBundle): FirstRoots => ({ roots: fingerprints, certificates: roots });

/** A member's own roots (PEM), as its cluster has them; none where they cannot be read. */
export async function ownRootsOf(connect: () => ClusterReader): Promise<string[]> {
  try {
    return splitPem((await readOwnRoots(connect())) ?? "");
  } catch {
    return [];
  }
}
