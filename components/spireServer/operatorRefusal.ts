import { word } from "../shared/shell";
import { type ClusterAccess, oc } from "../cluster/access";
import type { Condition } from "../cluster/cluster";
import { type Conditioned, describe } from "../cluster/conditions";
import { OPERAND_NAMESPACE, OPERATOR_LABEL, TRUSTED_CA_ENV, ZTWIM } from "../shared/names";

/** What ZTWIM's operator does not get over by itself, and what to do. */
export interface Refusal {
  reason: string;
  because: string;
  cure: string;
}

export const PROXY_INVALID = "ProxyConfigurationInvalid";

/** By condition, the kind of what the operator makes in that step, as `oc` takes it. */
const MADE: Partial<Record<string, string>> = {
  ServiceAccountAvailable: "serviceaccount",
  ServiceAvailable: "service",
  RBACAvailable: "role,rolebinding,clusterrole,clusterrolebinding",
  ValidatingWebhookAvailable: "validatingwebhookconfiguration",
  ServerConfigMapAvailable: "configmap",
  ControllerManagerConfigAvailable: "configmap",
  BundleConfigAvailable: "configmap",
  StatefulSetAvailable: "statefulset",
  RouteAvailable: "route",
};

/**
 * Why the operator stopped before it did all that the SpireServer asks for; undefined when it says nothing of the kind.
 *
 * Any step may end so, and the operator does nothing that comes after it. Conditions of later steps keep what was true
 * before, so the first one counts, and it counts before anything that the operator makes is looked at.
 */
export function operatorRefusal(server: Conditioned | undefined, access: ClusterAccess = {}): Refusal | undefined {
  const refusals = (server?.status?.conditions ?? []).filter(
    ({ type, status }) => status === "False" && type !== "Ready",
  );
  for (const found of refusals) {
    const cure = cureOf(found, access);
    if (cure !== undefined) return { reason: found.reason ?? "", because: describe(found), cure };
  }
  return undefined;
}

function cureOf({ type, reason, message = "" }: Condition, access: ClusterAccess): string | undefined {
  // Release 1.0 passes on what the API server said.
  if (reason === "ResourceConflict" || / already exists$/.test(message)) return conflictCure(type, message, access);
  switch (reason) {
    case PROXY_INVALID:
      return (
        "the cluster has a proxy, and the operator does nothing until it knows a ConfigMap of trusted CAs: " +
        TRUSTED_CA
      );
    case "InvalidUpstreamAuthorityConfiguration":
      return "correct spec.upstreamAuthority of the SpireServer: exactly one of certManager and vault, with all that it requires";
    default:
      return undefined;
  }
}

/** The documented way to give the operator its ConfigMap of trusted CAs. */
export const TRUSTED_CA =
  `create ConfigMap trusted-ca in namespace ${OPERAND_NAMESPACE} with label config.openshift.io/inject-trusted-cabundle=true, ` +
  `and set ${TRUSTED_CA_ENV}=trusted-ca in spec.config.env of subscriptions.operators.coreos.com ${ZTWIM.packageName}`;

function conflictCure(type: string, message: string, access: ClusterAccess): string {
  const [, namespace, name] = /resource (?:(\S+)\/)?(\S+) already exists/.exec(message) ?? [];
  const found = name ?? /"([^"]+)" already exists/.exec(message)?.[1];
  const quoted = found === undefined ? "<name>" : word(found);
  const where = namespace === undefined && name !== undefined ? "" : ` -n ${word(namespace ?? OPERAND_NAMESPACE)}`;
  const kind = MADE[type] ?? "all";
  // The operator backs off for up to 16 minutes, and sees no object that lacks its label come or go.
  const restart = oc(access, `delete pod -n ${OPERAND_NAMESPACE} -l ${OPERATOR_LABEL}`);
  return (
    `somebody else made ${quoted}, and the operator needs that name. See whose it is ` +
    `(${oc(access, `get ${kind} ${quoted}${where} -o yaml`)}), rename or delete it, and make the operator try again: ${restart}`
  );
}
