/** With which keys trust in a peer would begin, as far as can be known before it does. */
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { splitPem } from "../../components/shared/arguments";
import { fetchFirst } from "../../components/bundle/bundleFetch";
import type { ClusterReader } from "../../components/cluster/cluster";
import type { Peer } from "../../components/bundle/peer";
import { describeKey, keysOf } from "../../components/bundle/pinnedRoots";
import { explain } from "../../components/shared/problem";
import { readOwnRoots } from "../../components/bundle/spiffeEndpoint";
import { type Bootstrap, givenBundle, isGiven } from "../../components/bundle/givenBundle";
import type { TrustBundle, TrustedJwtKey } from "../../components/bundle/trustBundle";
import type { ClusterConfig } from "../../stacks/config";
import type { Publication } from "../../stacks/contract";
import { withFreshRoots } from "../../stacks/freshRoots";
import type { ConfiguredPeer } from "../../stacks/peers";
import { look } from "../kernel/looked";

/** The keys of a bundle as people compare them: a thief of either kind speaks for the whole trust domain. */
export interface ShownKeys {
  /** SHA-256 of each root. */
  roots: string[];
  /** The JWT keys; undefined where there are none. */
  jwtKeys?: TrustedJwtKey[];
}

/** The keys, with the root certificates (PEM), or why they are not known. */
export type FirstRoots = (ShownKeys & { certificates: string[] }) | { rootsUnknown: string };

/** A peer, and from where its first bundle comes. */
export interface FirstPeer {
  peer: Peer;
  bootstrap: Bootstrap | undefined;
  /** The context of its cluster, in the kubeconfig of whoever trusts it; undefined where it has published none. */
  access?: ClusterAccess & { context: string };
}

/** The peer of a member, as its stack has published it or its config describes it. */
export function firstPeer(config: ClusterConfig, peer: ConfiguredPeer, publication: Publication): FirstPeer {
  const { context, ...published } = publication;
  return {
    peer: { stack: peer.name, ...published },
    bootstrap: peer.bootstrap,
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

const known = ({ fingerprints, roots, jwtKeys }: TrustBundle): FirstRoots => ({
  roots: fingerprints,
  ...(jwtKeys.length > 0 && { jwtKeys }),
  certificates: roots,
});

/** `root sha256 …, JWT key "…" sha256 …`, as the message about a key that is not pinned names them. */
export const describeKeys = ({ roots, jwtKeys = [] }: ShownKeys): string =>
  keysOf({ fingerprints: roots, jwtKeys }).map(describeKey).join(", ");

/** SHA-256 of each of them. */
export const fingerprintsOf = ({ roots, jwtKeys = [] }: ShownKeys): string[] => [
  ...roots,
  ...jwtKeys.map(({ fingerprint }) => fingerprint),
];

/** A member's own roots (PEM), as its cluster has them; none where they cannot be read. */
export async function ownRootsOf(connect: () => ClusterReader): Promise<string[]> {
  const read = await look(() => readOwnRoots(connect()));
  return "seen" in read ? splitPem(read.seen ?? "") : [];
}
