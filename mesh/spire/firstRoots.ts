/** With which roots trust in a peer would begin, as far as can be known before it does. */
import { splitPem } from "../../components/arguments";
import { fetchNow, readFetched } from "../../components/bundleFetch";
import type { ClusterReader } from "../../components/cluster";
import { explain } from "../../components/problem";
import { readOwnRoots } from "../../components/spiffeEndpoint";
import { bundleFromCertificates, parseTrustBundle } from "../../components/trustBundle";
import type { Contract } from "../../stacks/contract";

/** SHA-256 of each root and its certificate (PEM), or why they are not known. */
export type Roots = { roots: string[]; certificates: string[] } | { rootsUnknown: string };

/** Asks the peer's endpoint over TLS that is verified, as an up would; with https_spiffe its stack has published them. */
export async function rootsOf(peer: Contract): Promise<Roots> {
  const { trustDomain, bundleEndpointUrl, caCertificates = "" } = peer;
  try {
    const bundle =
      peer.profile === "https_spiffe"
        ? parseTrustBundle(bundleFromCertificates(splitPem(caCertificates)), trustDomain, new Date())
        : readFetched(await fetchNow({ trustDomain, bundleEndpointUrl, caCertificates }), trustDomain);
    return Array.isArray(bundle)
      ? { rootsUnknown: explain(bundle) }
      : { roots: bundle.fingerprints, certificates: bundle.roots };
  } catch (error) {
    return { rootsUnknown: (error as Error).message };
  }
}

/** A member's own roots (PEM), as its cluster has them; none where they cannot be read. */
export async function ownRootsOf(connect: () => ClusterReader): Promise<string[]> {
  try {
    return splitPem((await readOwnRoots(connect())) ?? "");
  } catch {
    return [];
  }
}
