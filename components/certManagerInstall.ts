import { local } from "@pulumi/command";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccess } from "./access";
import { checkName } from "./arguments";
import { watchCertManager } from "./certManagerReadiness";
import type { ClusterReader } from "./cluster";
import type { InstalledOperator } from "./inspectCertManager";
import { CERT_MANAGER, OWNED, STACK_ANNOTATION } from "./names";
import { OPERATOR_GROUP_API, SUBSCRIPTION_API } from "./olm";
import { refuse } from "./problem";
import { whenReady, type WaitOptions } from "./readiness";
import { done } from "./savedPlan";

export interface CertManagerInstallArgs {
  /** Reads the cluster, to wait for what OLM does. */
  reader: ClusterReader;
  /** What is there already, from `inspectCertManager`. Plain: it decides which resources exist. */
  installed: InstalledOperator;
  /** Name of the stack; marks the Subscription as the stack's. */
  stack: string;
  /** The removal of the operator runs when no program does, and connects by itself. */
  access: ClusterAccess;
  /** Channel of the package. Default `stable-v1`. */
  channel?: string;
  /** CatalogSource that has the package. Default `redhat-operators`. */
  source?: string;
  /** Namespace of the CatalogSource. Default `openshift-marketplace`. */
  sourceNamespace?: string;
  /** Manual: OLM installs and upgrades only what somebody approves. Default: as the Subscription has it, or Automatic. */
  installPlanApproval?: "Automatic" | "Manual";
  /**
   * Remove the operator as a whole when the stack is destroyed: Subscription and ClusterServiceVersion. Default false:
   * it stays as a whole, because others may have come to use it.
   */
  removeOnDestroy?: boolean;
  /** Default 600 seconds. */
  wait?: WaitOptions;
}

/** The procedure's values. */
export const CERT_MANAGER_DEFAULTS = {
  channel: "stable-v1",
  source: "redhat-operators",
  sourceNamespace: "openshift-marketplace",
} as const;

/** Runs in the project's folder, and finds this package from there: the state must not name a file of it. */
const REMOVE = "node --eval \"require('spire-federation/remove-cert-manager')\"";

/**
 * The cert-manager operator, installed through OLM (steps 1 to 3 of the procedure).
 *
 * What others have installed is used as it is and never declared. Ready means that the operator's version Succeeded and
 * every pod of cert-manager runs; what OLM refuses (channel, catalog, OperatorGroups) ends the wait within seconds.
 *
 * A destroy leaves the operator as a whole, or with `removeOnDestroy` removes it as a whole: a Subscription alone that
 * comes back beside its old version never resolves.
 *
 * @throws ResourceError for `channel`, `source`, `sourceNamespace`
 * @example
 * const certManager = new CertManagerInstall("cert-manager", { reader, installed, stack, access }, { provider });
 */
export class CertManagerInstall extends pulumi.ComponentResource {
  /** This component, once cert-manager runs: what needs cert-manager has it in `dependsOn`. */
  readonly ready: pulumi.Output<pulumi.Resource>;

  constructor(name: string, args: CertManagerInstallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:CertManagerInstall", name, {}, opts);
    const catalog = {
      channel: args.channel ?? CERT_MANAGER_DEFAULTS.channel,
      source: args.source ?? CERT_MANAGER_DEFAULTS.source,
      sourceNamespace: args.sourceNamespace ?? CERT_MANAGER_DEFAULTS.sourceNamespace,
    };
    refuse(
      name,
      Object.entries(catalog).flatMap(([property, value]) => checkName(property, value)),
      this,
    );

    const declared = args.installed.state === "absent" || args.installed.state === "ours";
    const subscription = declared ? declareOperator(this, name, catalog, args) : undefined;
    this.ready = whenReady(
      this,
      subscription === undefined ? pulumi.output("") : done(subscription),
      "cert-manager",
      watchCertManager(args.reader, args.installed),
      { timeoutSeconds: 600, pollMs: 1000, ...args.wait },
    );
    this.registerOutputs({});
  }
}

/** Namespace, OperatorGroup and Subscription, in the order in which OLM needs them. */
function declareOperator(
  parent: pulumi.Resource,
  name: string,
  catalog: { channel: string; source: string; sourceNamespace: string },
  args: CertManagerInstallArgs,
): k8s.apiextensions.CustomResource {
  const retainOnDelete = args.removeOnDestroy !== true;
  const namespace = new k8s.core.v1.Namespace(
    `${name}-namespace`,
    { metadata: { name: CERT_MANAGER.namespace } },
    { parent, retainOnDelete },
  );
  const group = new k8s.apiextensions.CustomResource(
    `${name}-group`,
    {
      apiVersion: OPERATOR_GROUP_API,
      kind: "OperatorGroup",
      metadata: { name: CERT_MANAGER.operatorGroup, namespace: CERT_MANAGER.namespace, annotations: OWNED },
      spec: { upgradeStrategy: "Default" },
    },
    { parent, retainOnDelete, dependsOn: namespace },
  );
  const before: pulumi.Resource[] = [group];
  if (!retainOnDelete) {
    before.push(removal(parent, `${name}-removal`, args.access, group));
  }
  return new k8s.apiextensions.CustomResource(
    `${name}-subscription`,
    {
      apiVersion: SUBSCRIPTION_API,
      kind: "Subscription",
      metadata: {
        name: CERT_MANAGER.subscription,
        namespace: CERT_MANAGER.namespace,
        annotations: { ...OWNED, [STACK_ANNOTATION]: args.stack },
      },
      spec: {
        ...catalog,
        name: CERT_MANAGER.packageName,
        ...(args.installPlanApproval !== undefined && { installPlanApproval: args.installPlanApproval }),
      },
    },
    { parent, retainOnDelete, dependsOn: before },
  );
}

/**
 * Removes the operator's version when the stack is destroyed. The Subscription depends on this and so goes first: OLM
 * would not let go of a version that is subscribed to.
 */
function removal(
  parent: pulumi.Resource,
  name: string,
  { kubeconfig, context }: ClusterAccess,
  group: pulumi.Resource,
): local.Command {
  const environment = {
    ...(context !== undefined && { KUBE_CONTEXT: context }),
    ...(kubeconfig !== undefined && { KUBE_CONFIG: kubeconfig }),
  };
  return new local.Command(name, { delete: REMOVE, environment, logging: "stderr" }, { parent, dependsOn: group });
}
