/** What somebody looks at between the steps of the procedure: objects, the server's configuration, and what curl gets. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { type Cluster, type Manifest, NAMESPACE } from "../client/cluster";

/** Step 6. With the operator's own Route it is right only where the ingress domain is the trust domain. */
export async function federationDomain(cluster: Cluster): Promise<string> {
  return `federation.${await cluster.domain()}`;
}

/** As `curl https://…` in a terminal: what was served, or what curl says. */
export async function curl(url: string): Promise<string> {
  return (await promisify(execFile)("curl", ["--fail", "--silent", "--show-error", "--max-time", "20", url])).stdout;
}

/** Step 3: every pod of cert-manager runs. */
export async function certManagerRuns(cluster: Cluster): Promise<void> {
  const { items: pods } = await cluster.core.listNamespacedPod({ namespace: "cert-manager" });
  const waiting = pods.filter(({ status }) => status?.containerStatuses?.every(({ ready }) => ready) !== true);
  if (pods.length < 3 || waiting.length > 0)
    throw new Error(`cert-manager: ${pods.length} of 3 pods, ${waiting.length} of them not ready`);
}

/**
 * Ready=True may be that of the specification before: the operator notices a change only after a moment. So first SPIRE's
 * own configuration has to name the peers that the SpireServer names, and the StatefulSet has to be of that, and rolled out.
 */
export async function serverRuns(cluster: Cluster): Promise<void> {
  const name = "spire-server";
  const conf = (await cluster.core.readNamespacedConfigMap({ name, namespace: NAMESPACE })).data?.["server.conf"] ?? "";
  const { federation } = (JSON.parse(conf) as ServerConf).server;
  const server = (await cluster.read("operator.openshift.io/v1alpha1", "SpireServer", "cluster")) as SpireServer;
  const asked = (server.spec.federation.federatesWith ?? []).map(({ trustDomain }) => trustDomain).sort();
  if (federation === undefined || Object.keys(federation.federates_with ?? {}).join() !== asked.join())
    throw new Error(
      `server.conf has federation ${JSON.stringify(federation)}; the SpireServer asks for [${asked.join()}]`,
    );
  const { metadata, spec, status } = (await cluster.read("apps/v1", "StatefulSet", name)) as StatefulSet;
  const hash = createHash("sha256").update(conf.trim()).digest("hex");
  if (spec.template.metadata.annotations["ztwim.openshift.io/spire-server-config-hash"] !== hash)
    throw new Error("StatefulSet spire-server is of another server.conf");
  if (status.observedGeneration !== metadata.generation || status.updatedReplicas !== 1 || status.readyReplicas !== 1)
    throw new Error(`StatefulSet spire-server is not rolled out: ${JSON.stringify(status)}`);
  mustBe(server, "Ready");
}

interface ServerConf {
  server: { federation?: { federates_with?: Record<string, object> } };
}

interface SpireServer extends Manifest {
  spec: { federation: { federatesWith?: { trustDomain: string }[] } };
}

interface StatefulSet extends Manifest {
  spec: { template: { metadata: { annotations: Record<string, string> } } };
  status: { observedGeneration?: number; updatedReplicas?: number; readyReplicas?: number };
}

/** Throws what the object says when the condition is not True of its present specification. */
export function mustBe({ kind, metadata, status }: Manifest, type: string): void {
  const { conditions = [] } = status as { conditions?: Condition[] };
  const current = ({ observedGeneration = metadata.generation }: Condition): boolean =>
    observedGeneration === metadata.generation;
  if (!conditions.some((c) => c.type === type && c.status === "True" && current(c)))
    throw new Error(`${kind} ${metadata.name} is not ${type}: ${JSON.stringify(conditions)}`);
}

interface Condition {
  type: string;
  status: string;
  observedGeneration?: number;
}
