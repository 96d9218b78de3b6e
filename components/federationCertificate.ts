import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader } from "./cluster";
import type { IssuerArgs } from "./issuer";
import { CERTIFICATE_SECRET } from "./names";
import type { WaitOptions } from "./readiness";

export interface FederationCertificateArgs {
  /** Reads the cluster, to wait for the certificate. */
  reader: ClusterReader;
  /** DNS name of the bundle endpoint, the Route's host. */
  host: string;
  /** Who signs. */
  issuer: IssuerArgs;
  /** Life of the certificate, a Go duration, 1h at least. Default `2160h`, 90 days. */
  duration?: string;
  /** How long before its end it is renewed, a Go duration, 5m at least. Default `360h`, 15 days. */
  renewBefore?: string;
  /**
   * Hours by which the renewal may be earlier still: a random number from 0 to this, drawn once, so that the members
   * of a large federation don't all renew in the same hour. Default 0.
   */
  renewJitterHours?: number;
  /** Default 300 seconds. */
  wait?: WaitOptions;
}

export class FederationCertificate extends pulumi.ComponentResource {
  /** Name of the TLS secret; known once the certificate is issued, so what uses it comes after. */
  readonly secretName: pulumi.Output<string>;
  /** This component, once the certificate is issued. */
  readonly ready: pulumi.Output<pulumi.Resource>;

  constructor(name: string, _args: FederationCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:FederationCertificate", name, {}, opts);
    this.secretName = pulumi.output(CERTIFICATE_SECRET);
    this.ready = pulumi.output(this);
    this.registerOutputs({ secretName: this.secretName });
  }
}
