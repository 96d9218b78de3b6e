/** Somebody who may do nothing on a cluster but what docs/reader.yaml grants, as a CI should be. */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { KubeConfig, loadYaml } from "@kubernetes/client-node";
import type { Cluster, Manifest } from "../../lab/client/cluster";

const ROLE = resolve(__dirname, "..", "..", "docs", "reader.yaml");
const NAME = "ci-reader";
const NAMESPACE = "default";

/** Makes an identity without any rights, and writes its kubeconfig, whose one context is named as the cluster's own. */
export async function makeReader(cluster: Cluster, file: string): Promise<void> {
  await cluster.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: NAME, namespace: NAMESPACE } });
  const body = { spec: { audiences: [], expirationSeconds: 3600 } };
  const { status } = await cluster.core.createNamespacedServiceAccountToken({ name: NAME, namespace: NAMESPACE, body });
  const server = cluster.kubeconfig.getCurrentCluster();
  if (server === null || status === undefined) throw new Error(`no token of ServiceAccount ${NAME}`);
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromOptions({
    clusters: [server],
    users: [{ name: NAME, token: status.token }],
    contexts: [{ name: cluster.name, cluster: server.name, user: NAME }],
    currentContext: cluster.name,
  });
  await writeFile(file, kubeconfig.exportConfig());
}

/** Grants it the documented ClusterRole. */
export async function grantReading(cluster: Cluster): Promise<void> {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const role = loadYaml<Manifest>(await readFile(ROLE, "utf8"));
  await cluster.apply(role);
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name };
  const subjects = [{ kind: "ServiceAccount", name: NAME, namespace: NAMESPACE }];
  const binding = { apiVersion, kind: "ClusterRoleBinding", metadata: { name: NAME }, roleRef, subjects };
  await cluster.apply(binding);
}
