import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader } from "./cluster";
import type { InstalledOperator } from "./inspectCertManager";
import type { WaitOptions } from "./readiness";

export interface CertManagerInstallArgs {
  /** Reads the cluster, to wait for what OLM does. */
  reader: ClusterReader;
  /** What is there already, from `inspectCertManager`. Plain: it decides which resources exist. */
  installed: InstalledOperator;
  /** Name of the stack; marks the Subscription as the stack's. */
  stack: string;
  /** Context of the kubeconfig; the removal of the operator runs when no program does, and connects by itself. */
  context: string;
  /** Channel of the package. Default `stable-v1`. */
  channel?: string;
  /** CatalogSource that has the package. Default `redhat-operators`. */
  source?: string;
  /** Namespace of the CatalogSource. Default `openshift-marketplace`. */
  sourceNamespace?: string;
  /**
   * Remove the operator as a whole when the stack is destroyed: Subscription and ClusterServiceVersion. Default false:
   * it stays as a whole, because others may have come to use it.
   */
  removeOnDestroy?: boolean;
  /** Default 600 seconds. */
  wait?: WaitOptions;
}

export class CertManagerInstall extends pulumi.ComponentResource {
  /** This component, once cert-manager runs: what needs cert-manager has it in `dependsOn`. */
  readonly ready: pulumi.Output<pulumi.Resource>;

  constructor(name: string, _args: CertManagerInstallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:CertManagerInstall", name, {}, opts);
    this.ready = pulumi.output(this);
    this.registerOutputs({});
  }
}
