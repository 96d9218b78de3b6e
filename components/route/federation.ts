/** What is asked of a cluster: its federation, where it is served, and by which Route. */
import type * as pulumi from "@pulumi/pulumi";
import type { FederatesWith, Profile } from "../bundle/peer";
import type { ClusterAccess } from "../cluster/access";

/** `spec.federation` of a SpireServer. */
export interface FederationSpec {
  bundleEndpoint: BundleEndpointSpec;
  managedRoute: "true" | "false";
  federatesWith?: FederatesWith[];
}

/** A federation, the host at which it is served, and the stack's own Route if that serves it. */
export interface AskedFederation {
  host: string;
  federation: FederationSpec;
  ownRoute?: OwnRoute;
  /** What is asked of the SpireServer beside the federation. */
  managed?: Record<string, unknown>;
  /** How a person reaches the cluster, for the commands in messages. */
  access?: ClusterAccess;
}

export interface BundleEndpointSpec {
  profile: Profile;
  refreshHint: number;
  httpsWeb?: { servingCert?: ServingCertSpec; acme?: AcmeSpec };
}

export interface ServingCertSpec {
  fileSyncInterval: number;
  /** Without it the router presents its default certificate. */
  externalSecretRef?: string;
}

export interface AcmeSpec {
  directoryUrl: string;
  domainName: string;
  email: string;
  tosAccepted: "true" | "false";
}

/** A Route of the component's own, which serves the bundle endpoint beside the operator's Route. */
export interface OwnRouteArgs {
  /** Labels of the Route, by which an ingress shard selects it; may be empty. */
  labels: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Name of the Route. Default `spire-federation-endpoint`. */
  name?: pulumi.Input<string>;
}

/** The same, known. */
export type OwnRoute = pulumi.Unwrap<OwnRouteArgs>;
