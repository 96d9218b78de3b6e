/**
 * Which of OpenShift's two Prometheus reads the objects of `alerts`: the labels of their namespace decide.
 *
 * Source: openshift/cluster-monitoring-operator@f581865, assets/{prometheus-k8s,prometheus-user-workload}/prometheus.yaml. The
 * platform's Prometheus selects namespaces with `openshift.io/cluster-monitoring: "true"`; that of user workloads those without
 * it and without `openshift.io/user-monitoring: "false"`. Only the latter may find Services and pods in every namespace
 * (cluster-role.yaml of both folders).
 */
import { oc } from "../../components/cluster/access";
import { type ClusterReader, Forbidden, type KubeObject } from "../../components/cluster/cluster";
import { OPERAND_NAMESPACE, RBAC_API } from "../../components/shared/names";

export interface Monitoring {
  /** Unknown where the namespace may not be read. */
  readBy: "platform" | "user workloads" | "nobody" | "unknown";
  /** What this comes to, and what is left to do. */
  about: string;
}

const PLATFORM_LABEL = "openshift.io/cluster-monitoring";
const USER_LABEL = "openshift.io/user-monitoring";

export async function readMonitoring(reader: ClusterReader): Promise<Monitoring> {
  try {
    return monitoringOf(await reader.get("v1", "Namespace", OPERAND_NAMESPACE), reader);
  } catch (error) {
    if (!(error instanceof Forbidden)) throw error;
    const about = `could not look at which Prometheus reads these objects: ${error.message}; docs/rbac/auditor.yaml grants it`;
    return { readBy: "unknown", about };
  }
}

function monitoringOf(namespace: KubeObject | undefined, { access }: ClusterReader): Monitoring {
  const labels = namespace?.metadata?.labels ?? {};
  if (namespace === undefined) {
    return { readBy: "nobody", about: `there is no namespace ${OPERAND_NAMESPACE} for these objects; install ZTWIM` };
  }
  if (labels[PLATFORM_LABEL] === "true") {
    return {
      readBy: "platform",
      about: `the platform's Prometheus reads these objects, since their namespace has the label ${PLATFORM_LABEL}=true; the Role among them lets it`,
    };
  }
  if (labels[USER_LABEL] === "false") {
    const cure = oc(access, `label namespace ${OPERAND_NAMESPACE} ${USER_LABEL}-`);
    return {
      readBy: "nobody",
      about: `no Prometheus reads these objects, since their namespace has the label ${USER_LABEL}=false; remove it: ${cure}`,
    };
  }
  return {
    readBy: "user workloads",
    about:
      "the Prometheus for user workloads reads these objects, if it runs: enableUserWorkload in ConfigMap cluster-monitoring-config " +
      "of namespace openshift-monitoring",
  };
}

/** Lets the platform's Prometheus find the Service and its pods, which its own Roles let it only in OpenShift's namespaces. */
export function platformAccess(name: string): object[] {
  const metadata = { name, namespace: OPERAND_NAMESPACE };
  const verbs = ["get", "list", "watch"];
  return [
    {
      apiVersion: RBAC_API,
      kind: "Role",
      metadata,
      rules: [
        { apiGroups: [""], resources: ["services", "endpoints", "pods"], verbs },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs },
      ],
    },
    {
      apiVersion: RBAC_API,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name: "prometheus-k8s", namespace: "openshift-monitoring" }],
    },
  ];
}
