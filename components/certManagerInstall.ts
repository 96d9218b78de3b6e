import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterAccessArgs } from "./cluster/access";
import { checkName } from "./shared/arguments";
import { checked } from "./shared/checked";
import { watchCertManager } from "./operators/certManagerReadiness";
import type { ClusterReader } from "./cluster/cluster";
import { ownedMetadata } from "./cluster/correction";
import { describeInstalled, type InstalledOperator, inspectCertManager } from "./operators/inspectCertManager";
import { CERT_MANAGER, STACK_ANNOTATION } from "./shared/names";
import { OPERATOR_GROUP_API, SUBSCRIPTION_API } from "./operators/olm";
import { withProvider } from "./cluster/clusterProvider";
import { clusterFor } from "./cluster/openCluster";
import type { Problem } from "./shared/problem";
import { gate, readyOnce } from "./shared/gate";
import { whenReady, type WaitOptions } from "./waiting/readiness";
import { onceApplied } from "./shared/savedPlan";
import { orStop, stopProgram } from "./shared/stopProgram";
import { definedOnly } from "./shared/untyped";

/** When OLM executes an InstallPlan. @enum */
export const InstallPlanApproval = {
  /** At once. */
  Automatic: "Automatic",
  /** After somebody approves it. */
  Manual: "Manual",
} as const;
export type InstallPlanApproval = (typeof InstallPlanApproval)[keyof typeof InstallPlanApproval];

/** Which operator is installed, and how. */
export interface CertManagerArgs {
  /**
   * Install the operator. False: somebody else has installed cert-manager, and the component only waits until it is
   * ready. Default true; refused where cert-manager is already installed by somebody else.
   */
  install?: boolean;
  /** Channel of package openshift-cert-manager-operator. Default `stable-v1`. */
  channel?: pulumi.Input<string>;
  /** Name of the CatalogSource that has the package. Default `redhat-operators`. */
  source?: pulumi.Input<string>;
  /** Namespace of the CatalogSource. Default `openshift-marketplace`. */
  sourceNamespace?: pulumi.Input<string>;
  /**
   * `Manual`: OLM installs and upgrades the operator only after somebody approves the InstallPlan. Default: the value of an
   * existing Subscription, or `Automatic`.
   */
  installPlanApproval?: pulumi.Input<InstallPlanApproval>;
}

export interface CertManagerInstallArgs extends CertManagerArgs, ClusterAccessArgs {
  /** How to wait. `timeoutSeconds` defaults to 600. */
  wait?: WaitOptions;
}

/** The procedure's values. */
export const CERT_MANAGER_DEFAULTS = {
  channel: "stable-v1",
  source: "redhat-operators",
  sourceNamespace: "openshift-marketplace",
} as const;

/**
 * The cert-manager Operator for Red Hat OpenShift, installed through OLM.
 *
 * Creates the namespace cert-manager-operator, an OperatorGroup and a Subscription, and waits until the
 * ClusterServiceVersion has Succeeded and every pod of cert-manager is ready. When OLM cannot resolve the Subscription
 * (channel, catalog, OperatorGroups), the wait ends within seconds and the error names the reason.
 *
 * The operator is never removed, whatever is taken out of the program and on a destroy, too: others may use it.
 *
 * Give it in `dependsOn` to what needs cert-manager.
 *
 * Source: steps 1 to 3 of "Using SPIRE federation with manual certificate management" of the OpenShift
 * documentation.
 *
 * @throws ResourceError when `channel`, `source` or `sourceNamespace` is not a Kubernetes name, when cert-manager is
 * already installed by somebody else, and when it is not ready in time
 * @example
 * const certManager = new CertManagerInstall("cert-manager", { context: "cluster1" }, { provider });
 */
export class CertManagerInstall extends pulumi.ComponentResource {
  constructor(name: string, args: CertManagerInstallArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:CertManagerInstall", name, {}, withProvider(`${name}-cluster`, args, opts));
    const known = checked(name, args, (some) => checkCertManager("", some), this);

    const cluster = clusterFor(name, args, this);
    const { install = true } = args;
    const installed = pulumi.output(this.inspect(name, cluster, install));
    const subscription = install ? declareOperator(this, cluster, name, known, installed) : undefined;
    const ready = whenReady(
      this,
      pulumi.all([installed, subscription === undefined ? "" : onceApplied(subscription)]).apply(([found]) => found),
      "cert-manager",
      watchCertManager(cluster),
      { timeoutSeconds: 600, pollMs: 1000, ...args.wait },
    );
    readyOnce(this, ready);
    this.registerOutputs({});
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }

  /** What is there before anything is changed; cert-manager is never installed beside another. */
  private async inspect(name: string, cluster: ClusterReader, install: boolean): Promise<InstalledOperator> {
    const found = await orStop(inspectCertManager(cluster), this);
    if (pulumi.isUnknown(found)) return pulumi.unknown as never;
    if (Array.isArray(found)) return stopProgram(`${name}: ${found.map(({ message }) => message).join("; ")}`, this);
    if (install && (found.state === "foreign" || found.state === "plain")) {
      const cure = "set install to false";
      return stopProgram(`${name}: cert-manager is already installed by ${describeInstalled(found)}; ${cure}`, this);
    }
    if (!install && found.state === "absent") {
      return stopProgram(`${name}: install is false, but cert-manager is not installed; install it first`, this);
    }
    return found;
  }
}

/** What is wrong with the arguments; `at` stands before each one's name. */
export function checkCertManager(at: string, { channel, source, sourceNamespace }: CertManagerArgs): Problem[] {
  return Object.entries({ channel, source, sourceNamespace }).flatMap(([property, value]) =>
    value === undefined ? [] : checkName(`${at}${property}`, value),
  );
}

/** Namespace, OperatorGroup and Subscription, in the order in which OLM needs them. */
function declareOperator(
  parent: pulumi.Resource,
  cluster: ClusterReader,
  name: string,
  args: pulumi.Output<pulumi.Unwrap<CertManagerArgs>>,
  after: pulumi.Output<unknown>,
): k8s.apiextensions.CustomResource {
  const kept = { parent, retainOnDelete: true };
  const namespace = new k8s.core.v1.Namespace(
    `${name}-namespace`,
    { metadata: { name: after.apply(() => CERT_MANAGER.namespace) } },
    kept,
  );
  const wantedGroup = {
    apiVersion: OPERATOR_GROUP_API,
    kind: "OperatorGroup",
    metadata: { name: CERT_MANAGER.operatorGroup, namespace: CERT_MANAGER.namespace },
    spec: { upgradeStrategy: "Default" },
  };
  const group = new k8s.apiextensions.CustomResource(
    `${name}-group`,
    { ...wantedGroup, metadata: ownedMetadata(cluster, wantedGroup, parent) },
    { ...kept, dependsOn: namespace },
  );
  const type = { apiVersion: SUBSCRIPTION_API, kind: "Subscription" };
  const wanted = args.apply(({ channel, source, sourceNamespace, installPlanApproval }) => ({
    ...type,
    metadata: { name: CERT_MANAGER.subscription, namespace: CERT_MANAGER.namespace },
    spec: {
      ...{ ...CERT_MANAGER_DEFAULTS, ...definedOnly({ channel, source, sourceNamespace, installPlanApproval }) },
      name: CERT_MANAGER.packageName,
    },
  }));
  return new k8s.apiextensions.CustomResource(
    `${name}-subscription`,
    {
      ...type,
      metadata: ownedMetadata(cluster, wanted, parent, { [STACK_ANNOTATION]: pulumi.getStack() }),
      spec: wanted.spec,
    },
    { ...kept, dependsOn: group },
  );
}
