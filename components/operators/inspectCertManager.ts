import { word } from "../shared/shell";
import { oc } from "../cluster/access";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { CERT_MANAGER, OPERATOR_API, SINGLETON, STACK_ANNOTATION } from "../shared/names";
import {
  groupNames,
  isCertManagerVersion,
  OPERATOR_GROUP_API,
  SUBSCRIPTION_API,
  type ClusterServiceVersion,
  type Subscription,
  type SubscriptionReference,
} from "./olm";
import { problem, type Problem } from "../shared/problem";

/** What the cluster has of cert-manager before anything is changed. */
export type InstalledOperator =
  /** Nothing: the stack installs it. */
  | { state: "absent" }
  /**
   * Installed by a stack of this program, now or before it was destroyed or renamed: declared again, which changes nothing.
   * `generation` is the Subscription's, as it is before.
   */
  | { state: "ours"; generation?: number | undefined }
  /** Installed by others through OLM: used as it is, not declared. */
  | { state: "foreign"; subscription: SubscriptionReference }
  /** Installed by others without a Subscription, by OLM v1 for one: used as it is; `namespace` is where its pods run. */
  | { state: "plain"; namespace: string; extension?: string };

/** Who has installed a cert-manager that is not the stack's. */
export function describeInstalled(installed: Extract<InstalledOperator, { state: "foreign" | "plain" }>): string {
  if (installed.state === "foreign") {
    const { namespace, name } = installed.subscription;
    return `Subscription ${namespace}/${name}, which is not this stack's`;
  }
  return installed.extension === undefined
    ? `somebody without OLM, in namespace ${installed.namespace}`
    : `ClusterExtension ${installed.extension} of OLM v1`;
}

/** cert-manager's controller, however it was installed: its own manifests, Helm chart and operators label it so. */
export const CONTROLLER = "app.kubernetes.io/name=cert-manager,app.kubernetes.io/component=controller";

/** How OLM v1 is asked for an operator. */
const EXTENSION_API = "olm.operatorframework.io/v1";

interface ClusterExtension extends KubeObject {
  spec?: { source?: { catalog?: { packageName?: string } } };
}

/** Where in the config these problems belong. */
const PATH = "certManager";

/**
 * Finds out what is installed: what there is, or the problems for which the stack must not go on. cert-manager is never
 * installed beside another.
 */
export async function inspectCertManager(reader: ClusterReader): Promise<InstalledOperator | Problem[]> {
  const all = await reader.list<Subscription>(SUBSCRIPTION_API, "Subscription");
  const subscriptions = all.filter((subscription) => subscription.spec?.name === CERT_MANAGER.packageName);
  const [subscription] = subscriptions;
  if (subscriptions.length > 1) {
    const places = subscriptions.map((each) => `${reference(each).namespace}/${reference(each).name}`).sort();
    return problem(
      PATH,
      `the operator is subscribed to ${places.length} times (${places.join(", ")}); delete all but one`,
    );
  }
  const where = subscription === undefined ? undefined : reference(subscription);
  // Whatever name the stack had: declared again, the Subscription is the same, and is never deleted.
  const ours = isProcedures(where) && STACK_ANNOTATION in (subscription?.metadata?.annotations ?? {});
  const problems = await inspectGroups(reader, where, ours);
  if (problems.length > 0) {
    return problems;
  }
  if (where !== undefined) {
    return ours
      ? { state: "ours", generation: subscription?.metadata?.generation }
      : { state: "foreign", subscription: where };
  }
  const left = await inspectVersions(reader);
  return left.length > 0 ? left : inspectController(reader);
}

function reference({ metadata }: KubeObject): SubscriptionReference {
  return { namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" };
}

function isProcedures(where: SubscriptionReference | undefined): boolean {
  return where?.namespace === CERT_MANAGER.namespace && where.name === CERT_MANAGER.subscription;
}

/** The namespace must come to have one OperatorGroup: OLM says nothing when it has none or two. */
async function inspectGroups(
  reader: ClusterReader,
  where: SubscriptionReference | undefined,
  ours: boolean,
): Promise<Problem[]> {
  const namespace = where?.namespace ?? CERT_MANAGER.namespace;
  const groups = await reader.list(OPERATOR_GROUP_API, "OperatorGroup", namespace);
  const others = groups.filter((group) => group.metadata?.name !== CERT_MANAGER.operatorGroup);
  const declared = where === undefined || ours;
  if (groups.length > 1 || (declared && others.length > 0)) {
    const second = groups.length > 1 ? "" : `; the procedure's ${CERT_MANAGER.operatorGroup} would be the second`;
    return problem(
      PATH,
      `namespace ${namespace} has OperatorGroup ${groupNames(groups)}${second}; OLM installs nothing beside two: delete all but ${declared ? CERT_MANAGER.operatorGroup : "one"}`,
    );
  }
  if (!declared && groups.length === 0) {
    return problem(
      PATH,
      `namespace ${namespace} has Subscription ${where.name} but no OperatorGroup, so OLM installs nothing; create one there`,
    );
  }
  return [];
}

/** Without its Subscription a version stays, and OLM resolves no new Subscription beside it. */
async function inspectVersions(reader: ClusterReader): Promise<Problem[]> {
  const versions = await reader.list<ClusterServiceVersion>(
    SUBSCRIPTION_API,
    "ClusterServiceVersion",
    undefined,
    "!olm.copiedFrom",
  );
  return versions.filter(isCertManagerVersion).flatMap((version) => {
    const { namespace, name } = reference(version);
    return problem(
      PATH,
      `ClusterServiceVersion ${name} in namespace ${namespace} has no Subscription, and OLM resolves no new one beside it; "${oc(reader.access, `delete clusterserviceversions.operators.coreos.com ${word(name)} -n ${word(namespace)}`)}" first`,
    );
  });
}

/**
 * cert-manager without a Subscription: by its manifests or chart, or by an operator that OLM v1 or somebody's hand has
 * installed. What an operator has left behind when it was removed does not count: the new one takes it up again.
 */
async function inspectController(reader: ClusterReader): Promise<InstalledOperator> {
  const [controllers, operand, extensions, operator] = await Promise.all([
    reader.list("apps/v1", "Deployment", undefined, CONTROLLER),
    reader.get(OPERATOR_API, "CertManager", SINGLETON),
    reader.list<ClusterExtension>(EXTENSION_API, "ClusterExtension"),
    reader.get("apps/v1", "Deployment", CERT_MANAGER.operatorDeployment, CERT_MANAGER.namespace),
  ]);
  const extension = extensions.find(({ spec }) => spec?.source?.catalog?.packageName === CERT_MANAGER.packageName);
  // One that OLM's older version made goes with its ClusterServiceVersion, some seconds after it.
  const byHand = operator !== undefined && operator.metadata?.labels?.["olm.owner"] === undefined;
  const namespace = CERT_MANAGER.operandNamespace;
  if (extension !== undefined) return { state: "plain", namespace, extension: reference(extension).name };
  if (byHand) return { state: "plain", namespace };
  const foreign = controllers.find(
    ({ metadata }) => operand === undefined || metadata?.namespace !== CERT_MANAGER.operandNamespace,
  );
  return foreign === undefined ? { state: "absent" } : { state: "plain", namespace: reference(foreign).namespace };
}
