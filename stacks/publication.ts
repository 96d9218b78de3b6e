/** What stacks tell each other: the output `federation`. */
import type { Profile } from "../components/bundle/peer";

/** Raised when a reader of the old one would misunderstand the new one; new optional properties don't raise it. */
export const CONTRACT_VERSION = 1;

/** The output `federation` of every stack. Nothing in it is secret. */
export interface Contract {
  /** Version of this contract; stacks with different versions do not federate. */
  version: typeof CONTRACT_VERSION;
  /** Trust domain of the cluster. */
  trustDomain: string;
  /** URL of the bundle endpoint. */
  bundleEndpointUrl: string;
  /** How the endpoint proves who it is: `https_web` or `https_spiffe`. */
  profile: Profile;
  /** Only with https_spiffe. */
  endpointSpiffeId?: string;
  /** CA certificates (PEM) that vouch for the endpoint, when they are not public. */
  caCertificates?: string;
  /** The endpoint needs no such CA: peers that know one may forget it. Without this and without a CA, they keep it. */
  publicCa?: true;
  /** X.509 roots (PEM) of the trust domain as of the last up; only with `probe: cluster`, or a peer's `bootstrap: stack`. */
  roots?: string;
  /** Context of the kubeconfig that leads to the cluster. Peers whose machine has it read newer roots there; only where roots are published. */
  context?: string;
}

/** What is known of a peer before anything is asked of it: by its stack, or by the config, which may say more. */
export interface Publication extends Contract {
  /** The bundle (JWKS) that trust begins with; then none is fetched. */
  bundle?: string;
  /** SHA-256 of the only X.509 roots with which trust may begin. */
  fingerprints?: string[];
  /** SHA-256 of CAs of its endpoint that SPIRE may trust for every host. */
  caFingerprints?: string[];
}
