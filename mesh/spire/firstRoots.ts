/** With which roots trust in a peer would begin, as far as can be known before it does. */
import { splitPem } from "../../components/arguments";
import { fetchFirst } from "../../components/bundleFetch";
import type { ClusterReader } from "../../components/cluster";
import type { Peer } from "../../components/peer";
import { explain } from "../../components/problem";
import { readOwnRoots } from "../../components/spiffeEndpoint";
import { type Bootstrap, givenBundle, isGiven } from "../../components/givenBundle";
import type { TrustBundle } from "../../components/trustBundle";

/** SHA-256 of each root and its certificate (PEM), or why they are not known. */
export type FirstRoots = { roots: string[]; certificates: string[] } | { rootsUnknown: string };

/** Taken from where an up would: the peer's endpoint over TLS that is verified, what the peer's stack publishes, or the bundle that is given. */
export async function rootsOf(peer: Peer, bootstrap: Bootstrap): Promise<FirstRoots> {
  try {
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
