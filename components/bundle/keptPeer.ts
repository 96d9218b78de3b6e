import { X509Certificate } from "node:crypto";
import { BUNDLE_ANNOTATION, CA_ANNOTATION, markedFetch, TRUST_KIND, type TrustObject } from "./bundleMark";
import { objectName } from "./objectName";
import { isOwned } from "../cluster/correction";
import type { Peer, Profile } from "./peer";

/** A peer as this cluster trusts it, or why that cannot be told. */
export type KeptPeer = { peer: Peer } | { fault: string };

/**
 * A peer whose stack publishes nothing any more, read back from the ClusterFederatedTrustDomain that this program made
 * for it. Undefined when there is none: the cluster does not trust that peer.
 *
 * @param objects the ClusterFederatedTrustDomains of the cluster
 * @param own the name of that object, where it has one of its own
 */
export function keptPeer(stack: string, objects: readonly TrustObject[], own?: string): KeptPeer | undefined {
  const name = objectName(stack, own);
  const object = objects.find((one) => one.metadata?.name === name && madeByProgram(one));
  if (object === undefined) return undefined;
  if (markedFetch(object) === undefined) {
    return {
      fault:
        `somebody has changed ${TRUST_KIND} ${name}, and stack "${stack}" publishes nothing with which to ` +
        `correct it; run pulumi up for ${stack}, or take ${stack} out of peers, which ends the trust`,
    };
  }
  const { trustDomain = "", bundleEndpointURL = "", bundleEndpointProfile, trustDomainBundle = "" } = object.spec ?? {};
  const profile: Profile = bundleEndpointProfile?.type === "https_spiffe" ? "https_spiffe" : "https_web";
  const endpointSpiffeId = bundleEndpointProfile?.endpointSPIFFEID;
  const roots = rootsIn(trustDomainBundle);
  const caCertificates = object.metadata?.annotations?.[CA_ANNOTATION];
  return {
    peer: {
      stack,
      trustDomain,
      bundleEndpointUrl: bundleEndpointURL,
      profile,
      ...(endpointSpiffeId === undefined ? {} : { endpointSpiffeId }),
      ...(profile === "https_spiffe"
        ? { caCertificates: roots }
        : { ...(caCertificates === undefined ? {} : { caCertificates }), roots }),
    },
  };
}

/** Whether this program has made the object, for whatever stack, also if somebody has changed it since. */
export const madeByProgram = (object: TrustObject): boolean =>
  BUNDLE_ANNOTATION in (object.metadata?.annotations ?? {}) && isOwned(object);

/** The X.509 roots (PEM) of a bundle that this program has checked. */
function rootsIn(jwks: string): string {
  const { keys } = JSON.parse(jwks) as { keys: { use?: string; x5c?: string[] }[] };
  return keys
    .flatMap(({ use, x5c = [] }) => (use === "x509-svid" ? x5c : []))
    .map((der) => new X509Certificate(Buffer.from(der, "base64")).toString())
    .join("");
}
