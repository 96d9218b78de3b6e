import { word } from "../shared/shell";
import { type ClusterAccess, oc } from "../cluster/access";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { condition, describe, type Conditioned } from "../cluster/conditions";
import { CERT_MANAGER } from "../shared/names";
import { failed, firstNotReady, ready, waiting, type Verdict } from "../waiting/readiness";

/** Operator Lifecycle Manager: what it says about an operator, and where it says nothing at all. */

export const SUBSCRIPTION_API = "operators.coreos.com/v1alpha1";
export const OPERATOR_GROUP_API = "operators.coreos.com/v1";

/** OLM says it again within seconds; in passing it says it for a moment during an upgrade or a catalog's restart. */
const SETTLE_SECONDS = 15;
/** Between the Subscription's choice and the ClusterServiceVersion itself lies an InstallPlan. */
const INSTALL_PLAN_SECONDS = 120;

/** A variable of an operator's environment; its value may come from elsewhere. */
export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: object;
}

export interface Subscription extends Conditioned {
  spec?: {
    name?: string;
    channel?: string;
    source?: string;
    sourceNamespace?: string;
    config?: { env?: EnvVar[] };
  };
  status?: NonNullable<Conditioned["status"]> & {
    state?: string;
    /** What OLM has chosen; with an InstallPlan that waits for approval that is not what runs. */
    currentCSV?: string;
    installedCSV?: string;
    installPlanRef?: { name?: string };
  };
}

export interface ClusterServiceVersion extends KubeObject {
  status?: { phase?: string; reason?: string; message?: string };
}

/** Where a Subscription is. */
export interface SubscriptionReference {
  namespace: string;
  name: string;
}

/** A Subscription, the OperatorGroups beside it and the version that it chose. */
export interface OperatorState {
  subscription: Subscription | undefined;
  groups: readonly KubeObject[];
  version: ClusterServiceVersion | undefined;
}

export async function lookAtOperator(reader: ClusterReader, where: SubscriptionReference): Promise<Verdict> {
  const [subscription, groups] = await Promise.all([
    reader.get<Subscription>(SUBSCRIPTION_API, "Subscription", where.name, where.namespace),
    reader.list(OPERATOR_GROUP_API, "OperatorGroup", where.namespace),
  ]);
  const chosen = chosenVersion(subscription);
  const version =
    chosen === undefined
      ? undefined
      : await reader.get<ClusterServiceVersion>(SUBSCRIPTION_API, "ClusterServiceVersion", chosen, where.namespace);
  return operatorReadiness(where, { subscription, groups, version }, reader.access);
}

/**
 * Whether OLM has installed what the Subscription asks for.
 *
 * The Subscription's own `AtLatestKnown` comes before the operator runs, so the phase of its version decides.
 */
export function operatorReadiness(
  where: SubscriptionReference,
  state: OperatorState,
  access: ClusterAccess = {},
): Verdict {
  return firstNotReady(
    () => groupsReadiness(where, state.groups),
    () => resolutionReadiness(where, state, access),
    () => versionReadiness(state.subscription, state.version),
  );
}

/** The version that is to run: while an upgrade waits for somebody's approval, the one that is installed. */
function chosenVersion(subscription: Subscription | undefined): string | undefined {
  const { currentCSV, installedCSV } = subscription?.status ?? {};
  return awaitsApproval(subscription) ? installedCSV : currentCSV;
}

function awaitsApproval(subscription: Subscription | undefined): boolean {
  const pending = condition(subscription, "InstallPlanPending");
  return pending?.status === "True" && pending.reason === "RequiresApproval";
}

/** OLM resolves nothing, and says nothing, without exactly one OperatorGroup. */
function groupsReadiness({ namespace }: SubscriptionReference, groups: readonly KubeObject[]): Verdict {
  if (groups.length === 1) {
    return ready;
  }
  return groups.length === 0
    ? failed(
        `namespace ${namespace} has no OperatorGroup, so OLM installs nothing there; "pulumi up --refresh" makes it again`,
        SETTLE_SECONDS,
      )
    : failed(
        `namespace ${namespace} has the OperatorGroups ${groupNames(groups)}, so OLM installs nothing there; delete all but one`,
        SETTLE_SECONDS,
      );
}

export function groupNames(groups: readonly KubeObject[]): string {
  return groups
    .map((group) => group.metadata?.name ?? "")
    .sort()
    .join(", ");
}

/** Whether what OLM has chosen is installed, so that a new choice is needed for an upgrade only. */
function isInstalled({ subscription, version }: OperatorState): boolean {
  const { currentCSV, installedCSV } = subscription?.status ?? {};
  return installedCSV !== undefined && installedCSV === currentCSV && version?.status?.phase === "Succeeded";
}

function resolutionReadiness(where: SubscriptionReference, state: OperatorState, access: ClusterAccess): Verdict {
  const { subscription } = state;
  if (subscription === undefined) {
    return failed(
      `Subscription ${where.name} in namespace ${where.namespace} is not there; "pulumi up --refresh" makes it again`,
      SETTLE_SECONDS,
    );
  }
  const { spec = {} } = subscription;
  const asked = `channel ${spec.channel ?? "(default)"} of ${spec.name ?? ""} in catalog ${spec.sourceNamespace ?? ""}/${spec.source ?? ""}`;
  const problems = ["ResolutionFailed", "CatalogSourcesUnhealthy"].flatMap((type) => {
    const found = condition(subscription, type);
    return found?.status === "True" ? [describe(found)] : [];
  });
  if (problems.length > 0 && isInstalled(state)) {
    // OLM says it of every Subscription of a namespace while any catalog does not answer (operator-lifecycle-manager#2288).
    const warning = `${subscription.status?.installedCSV ?? ""} runs, but OLM cannot resolve ${asked}, so it installs no upgrade: ${problems.join("; ")}`;
    return { state: "ready", warning };
  }
  if (problems.length > 0) {
    const cure = `"${oc(access, `get packagemanifest -n ${word(spec.sourceNamespace ?? "")} ${word(spec.name ?? "")} -o yaml`)}" says what the catalog has; name it in certManager`;
    return failed(`OLM cannot resolve ${asked}: ${problems.join("; ")}. ${cure}`, SETTLE_SECONDS);
  }
  if (awaitsApproval(subscription) && subscription.status?.installedCSV === undefined) {
    const plan = subscription.status?.installPlanRef?.name;
    const approve = `patch installplans.operators.coreos.com ${plan === undefined ? "<name>" : word(plan)} -n ${where.namespace} --type merge -p '{"spec":{"approved":true}}'`;
    return failed(
      `InstallPlan ${plan ?? "<name>"} in namespace ${where.namespace} waits for approval, as the Subscription asks: ${oc(access, approve)}`,
      SETTLE_SECONDS,
    );
  }
  return chosenVersion(subscription) === undefined
    ? waiting(`OLM is resolving ${asked} (state ${subscription.status?.state ?? "not set"})`)
    : ready;
}

function versionReadiness(subscription: Subscription | undefined, version: ClusterServiceVersion | undefined): Verdict {
  const name = `ClusterServiceVersion ${chosenVersion(subscription) ?? ""}`;
  if (version === undefined) {
    return failed(
      `${name} is not there. If it was deleted OLM does not bring it back: delete the Subscription too, then "pulumi up --refresh"`,
      INSTALL_PLAN_SECONDS,
    );
  }
  const { phase = "without a phase", reason, message } = version.status ?? {};
  if (phase === "Succeeded") {
    return ready;
  }
  const said = `${name} is ${phase}${reason ? ` (${reason})` : ""}${message ? `: ${message}` : ""}`;
  return phase === "Failed" ? failed(said, SETTLE_SECONDS) : waiting(said);
}

/** Whether a ClusterServiceVersion is of the cert-manager operator and not OLM's copy of one in another namespace. */
export function isCertManagerVersion(version: ClusterServiceVersion): boolean {
  const { name = "", labels = {} } = version.metadata ?? {};
  const copied = "olm.copiedFrom" in labels || version.status?.reason === "Copied";
  const labelled = Object.keys(labels).some((key) =>
    key.startsWith(`operators.coreos.com/${CERT_MANAGER.packageName}.`),
  );
  return !copied && (labelled || /^(cert-manager-operator|openshift-cert-manager)\.v/.test(name));
}
