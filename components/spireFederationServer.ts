import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader } from "./cluster";
import type { Peer, Profile } from "./peer";
import type { WaitOptions } from "./readiness";
import type { SpireServerSpecArgs } from "./spireServerSpec";

/** The endpoint's certificate comes from a secret, which the router serves (Route of type re-encrypt). */
export interface ServingCertArgs {
  /** Name of the `kubernetes.io/tls` secret in the operand namespace; pass `FederationCertificate.secretName`. */
  externalSecretRef: pulumi.Input<string>;
  /** Seconds between two looks of SPIRE at its own serving certificate, 3600 to 7776000. Default 86400. */
  fileSyncInterval?: number;
}

/** SPIRE itself gets the endpoint's certificate, from an ACME server (Route of type passthrough). */
export interface EndpointAcmeArgs {
  /** URL of the ACME directory. */
  directoryUrl: string;
  email: string;
  /** That the CA's terms of service are accepted; an ACME server wants true. */
  tosAccepted: boolean;
}

export interface SpireFederationServerArgs {
  /** Reads the cluster, to wait for the server. */
  reader: ClusterReader;
  /** Trust domain of this cluster, as ZeroTrustWorkloadIdentityManager/cluster has it. */
  trustDomain: string;
  /** Host of the bundle endpoint; with the operator's managed Route `federation.<trust domain>`. */
  host: string;
  /** Default `https_web`. Immutable once set, in the CRD. */
  profile?: Profile;
  /** With `https_web`, exactly one of `servingCert` and `acme`; the one cannot be exchanged for the other later. */
  servingCert?: ServingCertArgs;
  acme?: EndpointAcmeArgs;
  /** Seconds after which peers are asked to look again, 60 to 3600. Default 300. */
  refreshHint?: number;
  /** The peers whose bundles are held: `FederatedTrustDomain.held` of each. Default none. */
  federatesWith?: pulumi.Input<pulumi.Input<Peer>[]>;
  /**
   * `static` (default): peers are listed in the SpireServer too, as the procedure has it; each change restarts the
   * server. `dynamic`: the ClusterFederatedTrustDomains alone say it, which never restarts the server.
   */
  federatesWithMode?: "static" | "dynamic";
  /** Own the whole SpireServer instead of `spec.federation` alone. Default: someone else owns the rest. */
  manage?: SpireServerSpecArgs;
  /** CA certificates (PEM) that vouch for this cluster's endpoint; needed when they are not public. */
  endpointCaCertificates?: string;
  /** Default 600 seconds. */
  wait?: WaitOptions;
}

export class SpireFederationServer extends pulumi.ComponentResource {
  /** URL of the bundle endpoint; known once it has answered, so a peer never learns one that doesn't. */
  readonly bundleEndpointUrl: pulumi.Output<string>;
  /** SPIFFE ID that the endpoint presents; only with `https_spiffe`. */
  readonly endpointSpiffeId: pulumi.Output<string | undefined>;
  /** CA certificates (PEM) that vouch for the endpoint: those given, or the server's own roots with `https_spiffe`. */
  readonly caCertificates: pulumi.Output<string | undefined>;
  /** This component, once the endpoint has answered. */
  readonly ready: pulumi.Output<pulumi.Resource>;

  constructor(name: string, args: SpireFederationServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:SpireFederationServer", name, {}, opts);
    this.bundleEndpointUrl = pulumi.output(`https://${args.host}`);
    this.endpointSpiffeId = pulumi.output(undefined);
    this.caCertificates = pulumi.output(undefined);
    this.ready = pulumi.output(this);
    this.registerOutputs({
      bundleEndpointUrl: this.bundleEndpointUrl,
      endpointSpiffeId: this.endpointSpiffeId,
      caCertificates: this.caCertificates,
    });
  }
}
