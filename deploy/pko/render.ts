/** The manifests by which the Pulumi Kubernetes Operator runs a mesh. Pure, but for the scripts that they carry. */
import { stringify } from "yaml";
import type { DeployedMember } from "./deployed";
import { memberObjects, ownKubeconfig } from "./memberObjects";
import { metricsObjects } from "./metricsObjects";
import { nudgeObjects } from "./nudgeObjects";
import { type Deployment, type KubernetesObject, LABELS, named } from "./objects";

export function render(members: readonly DeployedMember[], deployment: Deployment): KubernetesObject[] {
  return [
    ...(deployment.inCluster ? members.map((member) => ownKubeconfig(member, deployment)) : hub(deployment)),
    authDelegator(deployment),
    ...nudgeObjects(members, deployment),
    ...members.flatMap((member) => memberObjects(member, deployment)),
    ...(deployment.metrics === true ? metricsObjects(members, deployment) : []),
  ];
}

/** In a member's own cluster docs/rbac has made them: namespace spire-federation, and ServiceAccount deployer. */
function hub(deployment: Deployment): KubernetesObject[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: deployment.namespace, labels: LABELS } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: named("workspace", deployment) },
  ];
}

/** The agent in a workspace asks the API server whether it is the operator that calls. */
function authDelegator({ namespace, inCluster }: Deployment): KubernetesObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: `${namespace}-workspaces`, labels: LABELS },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
    subjects: [{ kind: "ServiceAccount", name: inCluster ? "deployer" : "workspace", namespace }],
  };
}

const HEADER = "# Printed by npm run pko from the stack files: edit those, and print again.\n";

export const toYaml = (objects: readonly KubernetesObject[]): string =>
  HEADER + objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
