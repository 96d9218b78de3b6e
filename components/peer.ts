import type { TrustSpec } from "./bundleMark";
import { FEDERATION_CLASS } from "./names";

/**
 * How a bundle endpoint proves who it is.
 *
 * - `https_web`: with a certificate for its host name, from a public or an internal CA.
 * - `https_spiffe`: with the SPIRE server's own SVID.
 */
export type Profile = "https_web" | "https_spiffe";

/** What a SPIRE server is called in its trust domain, and presents itself as with https_spiffe. */
export const serverSpiffeId = (trustDomain: string): string => `spiffe://${trustDomain}/spire/server`;

/** A remote member of the federation: the one record from which everything about it is rendered. */
export interface Peer {
  /** Name of its stack, as the config has it; names its ClusterFederatedTrustDomain. */
  stack: string;
  /** Its trust domain, for example `apps.cluster2.example.com`. */
  trustDomain: string;
  /** URL of its bundle endpoint, for example `https://federation.apps.cluster2.example.com`. */
  bundleEndpointUrl: string;
  profile: Profile;
  /** SPIFFE ID that the endpoint presents; only, and always, with `https_spiffe`. */
  endpointSpiffeId?: string;
  /** CA certificates (PEM) that vouch for the endpoint: an internal CA, or the SPIRE roots with `https_spiffe`. */
  caCertificates?: string;
  /** X.509 roots (PEM) of its trust domain, as its stack has read them from its cluster; only where that publishes them. */
  roots?: string;
}

/** Entry of `spec.federation.federatesWith` of a SpireServer. */
export interface FederatesWith {
  trustDomain: string;
  bundleEndpointUrl: string;
  bundleEndpointProfile: Profile;
  endpointSpiffeId?: string;
}

/** The peers as a SpireServer lists them: by trust domain, so that the order of the config never shows as a change. */
export function federatesWith(peers: readonly Peer[]): FederatesWith[] {
  return [...peers]
    .sort((a, b) => (a.trustDomain < b.trustDomain ? -1 : 1))
    .map((peer) => ({
      trustDomain: peer.trustDomain,
      bundleEndpointUrl: peer.bundleEndpointUrl,
      bundleEndpointProfile: peer.profile,
      ...(peer.endpointSpiffeId === undefined ? {} : { endpointSpiffeId: peer.endpointSpiffeId }),
    }));
}

/** `spec` of the peer's ClusterFederatedTrustDomain, which has other names for the same things. */
export function federatedTrustDomainSpec(peer: Peer): TrustSpec {
  return {
    trustDomain: peer.trustDomain,
    bundleEndpointURL: peer.bundleEndpointUrl,
    bundleEndpointProfile: {
      type: peer.profile,
      ...(peer.endpointSpiffeId === undefined ? {} : { endpointSPIFFEID: peer.endpointSpiffeId }),
    },
    className: FEDERATION_CLASS,
  };
}
