/** The identities of docs/rbac/ on clusters of the lab, as somebody would set them up there. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeConfig } from "../../../components/cluster/kubernetesClient";
import { Cluster, type Manifest } from "../../../lab/client/cluster";
import { Project } from "../../../lab/client/project";
import { files, objectsOf } from "../../rbac/manifests";

const NAMESPACE = "spire-federation";

/** Secrets that the tests name in `issuer.secretName`. */
const CA_SECRETS = ["no-such-ca", "own-ca", "own-ca-key-pair", "peer-cas-test", "rbac-ca"];

/** What `oc apply -f docs/rbac/<file>.yaml …` does, with those Secrets in the policies. */
export async function grant(cluster: Cluster, ...files: string[]): Promise<void> {
  for (const file of files) await allow(cluster, file, ["internal-ca-key-pair"], CA_SECRETS);
}

/** Applies a file of docs/rbac/ after somebody has put more into a list of its policies. */
export async function allow(cluster: Cluster, file: string, list: string[], more: string[]): Promise<void> {
  const inPolicy = (texts: string[]): string => `[${texts.map((text) => `'${text}'`).join(", ")}]`;
  for (const object of objectsOf(file)) {
    const edited = JSON.stringify(object).replaceAll(inPolicy(list), inPolicy([...list, ...more]));
    await cluster.apply(JSON.parse(edited) as Manifest);
  }
}

/** An object, or its kind, was not there. */
export function gone(error: unknown): undefined {
  if (!String(error).includes("HTTP-Code: 404")) throw error;
}

/** Takes away all that `grant` gives, which outlives the test file that has granted it. */
export async function revoke(cluster: Cluster): Promise<void> {
  const granting = files()
    .flatMap(objectsOf)
    .filter(({ apiVersion }) => /^(rbac|admissionregistration)\./.test(apiVersion));
  for (const { apiVersion, kind, metadata } of granting)
    await cluster.remove(apiVersion, kind, metadata.name, metadata.namespace).catch(gone);
}

/** A throw-away project in the deployer's hands on every cluster of the lab: the lab's own administrator may do anything. */
export const testProject = async (...stacks: string[]): Promise<Project> =>
  inHandsOf(
    "deployer",
    await Project.forTest(...stacks),
    Cluster.names().map((name) => new Cluster(name)),
  );

/** The project in the hands of an identity that has everything docs/rbac/ grants it on these clusters, and nothing else. */
export async function inHandsOf(
  name: "auditor" | "deployer" | "rotator",
  project: Project,
  clusters: readonly Cluster[],
): Promise<Project> {
  for (const cluster of clusters)
    await grant(cluster, ...files().filter((file) => file.startsWith(name) || file.startsWith("auditor")));
  return project.as(await writeKubeconfig(join(project.dir, `${name}.kubeconfig`), name, clusters));
}

/** Writes the kubeconfig of a ServiceAccount, which is made if need be: a context per cluster, called as the cluster's own. */
export async function writeKubeconfig(file: string, name: string, clusters: readonly Cluster[]): Promise<string> {
  const users = await Promise.all(
    clusters.map(async (cluster) => ({ name: cluster.name, token: await tokenOf(cluster, name) })),
  );
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromOptions({
    clusters: clusters.map((cluster) => cluster.kubeconfig.getCurrentCluster()),
    users,
    contexts: clusters.map((cluster) => ({
      name: cluster.name,
      cluster: cluster.kubeconfig.getCurrentCluster()?.name,
      user: cluster.name,
    })),
    currentContext: clusters[0]?.name,
  });
  await writeFile(file, kubeconfig.exportConfig(), { mode: 0o600 });
  return file;
}

async function tokenOf(cluster: Cluster, name: string): Promise<string> {
  await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  await cluster.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: NAMESPACE } });
  const { status } = await cluster.core.createNamespacedServiceAccountToken({
    name,
    namespace: NAMESPACE,
    body: { spec: { audiences: [], expirationSeconds: 3600 } },
  });
  if (status === undefined) throw new Error(`no token of ServiceAccount ${name}`);
  return status.token;
}
