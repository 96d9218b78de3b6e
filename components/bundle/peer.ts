import type * as pulumi from "@pulumi/pulumi";
import type { TrustSpec } from "./bundleMark";
import { FEDERATION_CLASS } from "../shared/names";

/** How a bundle endpoint authenticates itself (SPIFFE Federation, section 5.2). @enum */
export const Profile = {
  /** With a certificate for its host name, issued by a public or an internal CA. */
  HttpsWeb: "https_web",
  /** With the X.509-SVID of the SPIRE server. */
  HttpsSpiffe: "https_spiffe",
} as const;
export type Profile = (typeof Profile)[keyof typeof Profile];

/** What a SPIRE server is called in its trust domain, and presents itself as with https_spiffe. */
export const serverSpiffeId = (trustDomain: string): string => `spiffe://${trustDomain}/spire/server`;

/**
 * A remote trust domain to federate with.
 *
 * @example
 * const cluster2: PeerArgs = {
 *   stack: "cluster2",
 *   trustDomain: "apps.cluster2.example.com",
 *   bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
 *   profile: "https_web",
 * };
 */
export interface PeerArgs {
  /**
   * Short name of the peer, for example the name of its stack. Its ClusterFederatedTrustDomain is `<stack>-federation`.
   * Resources have their names by it.
   */
  stack: string;
  /**
   * Name of its ClusterFederatedTrustDomain, where one of another name is there already. Resources have their names by it.
   * Default `<stack>-federation`.
   */
  objectName?: string;
  /** Trust domain of the peer, for example `apps.cluster2.example.com`. */
  trustDomain: pulumi.Input<string>;
  /** URL of the peer's bundle endpoint, for example `https://federation.apps.cluster2.example.com`. */
  bundleEndpointUrl: pulumi.Input<string>;
  /** How the peer's bundle endpoint authenticates itself. */
  profile: pulumi.Input<Profile>;
  /** SPIFFE ID of the bundle endpoint, for example `spiffe://apps.cluster2.example.com/spire/server`. Required with `https_spiffe`, refused with `https_web`. */
  endpointSpiffeId?: pulumi.Input<string | undefined>;
  /**
   * CA certificates (PEM) that verify the bundle endpoint: the internal CA with `https_web`, the X.509 roots of the trust
   * domain with `https_spiffe`, where they are required. Default: the system's CAs.
   */
  caCertificates?: pulumi.Input<string | undefined>;
  /**
   * SHA-256, in lower-case hexadecimal, of those `caCertificates` that SPIRE may trust for every host. Needed where SPIRE is to
   * trust a CA whose name constraints do not limit it to the endpoint's host. Default none.
   */
  caFingerprints?: pulumi.Input<pulumi.Input<string>[]>;
  /** X.509 roots (PEM) of the trust domain, as the peer's stack publishes them. Required with `https_web` and `bootstrap: stack`. */
  roots?: pulumi.Input<string | undefined>;
  /** The bundle (JWKS) that trust begins with, as the peer's owner has handed it over. Default: it is fetched, or made of roots. */
  bundle?: pulumi.Input<string | undefined>;
  /**
   * SHA-256, in lower-case hexadecimal, of the only keys with which trust may begin: of each X.509 root (its certificate) and
   * of each JWT key (its SubjectPublicKeyInfo). Default: any keys.
   */
  fingerprints?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * SHA-256 of the only keys with which trust may begin in this run, beside `fingerprints`: those that a person was shown and
   * approved. They are not kept, so another list does not begin trust anew. Default: any keys.
   */
  approvedKeys?: pulumi.Input<pulumi.Input<string>[]>;
}

/** The same, known. */
export type Peer = pulumi.Unwrap<PeerArgs>;

/** Entry of `spec.federation.federatesWith` of a SpireServer. */
export interface FederatesWith {
  trustDomain: string;
  bundleEndpointUrl: string;
  bundleEndpointProfile: Profile;
  endpointSpiffeId?: string;
}

/** The order in which lists of peers are written, so that the order of the config never shows as a change. */
export const byTrustDomain = (one: { trustDomain: string }, other: { trustDomain: string }): number =>
  one.trustDomain < other.trustDomain ? -1 : 1;

/** The peers as a SpireServer lists them. */
export function federatesWith(peers: readonly Peer[]): FederatesWith[] {
  return [...peers].sort(byTrustDomain).map((peer) => ({
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
