/** What the bundle endpoint of a peer serves: what there is to ask where the peer's own SPIRE server is out of reach. */
import { createPublicKey, type JsonWebKey } from "node:crypto";
import { fetchNow } from "../../components/bundle/bundleFetch";
import { parseTrustBundle } from "../../components/bundle/trustBundle";
import { explain } from "../../components/shared/problem";
import type { Contract } from "../../stacks/contract";
import type { HeldBundle } from "./bundle";

/**
 * The bundle, over TLS that is verified as an up does it; an error says why there is none.
 *
 * Not with https_spiffe: the roots that would vouch for the endpoint are the peer's as of its last up, and may be gone.
 */
export async function endpointBundle(peer: Contract): Promise<HeldBundle> {
  const { trustDomain, bundleEndpointUrl, profile } = peer;
  if (profile === "https_spiffe") {
    throw new Error(`${bundleEndpointUrl} is no member's, and with https_spiffe only SPIRE servers can verify it`);
  }
  const bundle = parseTrustBundle(await fetchNow(peer), trustDomain, new Date());
  if (Array.isArray(bundle)) throw new Error(explain(bundle));
  return bundleOfJwks(trustDomain, bundle.jwks);
}

/** @param jwks what `parseTrustBundle` has found good */
export function bundleOfJwks(trustDomain: string, jwks: string): HeldBundle {
  const { keys, spiffe_sequence } = JSON.parse(jwks) as {
    keys: (JsonWebKey & { use?: string; kid?: string; x5c?: string[] })[];
    spiffe_sequence?: number;
  };
  return {
    trustDomain,
    roots: keys.flatMap(({ use, x5c = [] }) =>
      use === "x509-svid" ? x5c.map((der) => Buffer.from(der, "base64")) : [],
    ),
    jwtKeys: keys
      .filter(({ use }) => use === "jwt-svid")
      .map((key) => ({
        id: key.kid ?? "",
        publicKey: createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "der" }),
      })),
    ...(spiffe_sequence === undefined ? {} : { sequence: spiffe_sequence }),
  };
}
