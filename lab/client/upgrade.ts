/** Upgrades of ZTWIM, as an administrator has OLM make them. */
import { type Cluster, type Manifest, NAMESPACE, ZTWIM_SUBSCRIPTION } from "./cluster";
import { eventually } from "./eventually";

const OLM = "operators.coreos.com/v1alpha1";
export const csv = (version: string): string => `zero-trust-workload-identity-manager.v${version}`;

/**
 * What an administrator does in the console: approve the InstallPlan of an upgrade, once OLM has made it. While one upgrade is held
 * back OLM fails to resolve the next and looks ever more rarely; a change of the Subscription makes it look at once.
 */
export async function approve(cluster: Cluster, next: string): Promise<void> {
  await approvePlan(cluster, next, 20).catch(async () => {
    await cluster.annotate(OLM, "Subscription", ZTWIM_SUBSCRIPTION, { "test/look-again": String(Date.now()) });
    await approvePlan(cluster, next, 120);
  });
}

async function approvePlan(cluster: Cluster, next: string, seconds: number): Promise<void> {
  await eventually(async () => {
    const plans = await cluster.list(OLM, "InstallPlan", NAMESPACE);
    const plan = plans.find(({ spec, status }) => {
      const { clusterServiceVersionNames } = spec as { clusterServiceVersionNames: string[] };
      return (
        clusterServiceVersionNames.includes(csv(next)) && (status as { phase?: string }).phase === "RequiresApproval"
      );
    });
    if (plan === undefined) throw new Error(`no InstallPlan for ${csv(next)} that waits for approval`);
    const { name } = plan.metadata;
    await cluster.merge({
      apiVersion: OLM,
      kind: "InstallPlan",
      metadata: { name, namespace: NAMESPACE },
      spec: { approved: true },
    });
  }, seconds);
}

export async function phaseOf(cluster: Cluster, version: string): Promise<{ phase?: string; reason?: string }> {
  return (await cluster.read(OLM, "ClusterServiceVersion", csv(version))).status ?? {};
}

/** The version is installed, and SPIRE runs as its operator wants, with the version that its objects are labelled with. */
export async function installed(cluster: Cluster, version: string, spire: string): Promise<void> {
  await eventually(async () => {
    const { phase = "" } = await phaseOf(cluster, version);
    if (phase !== "Succeeded") throw new Error(`${csv(version)}: ${phase}`);
    const set: Manifest = await cluster.read("apps/v1", "StatefulSet", "spire-server");
    const label = set.metadata.labels?.["app.kubernetes.io/version"] ?? "";
    const { observedGeneration, readyReplicas, updatedReplicas } = set.status as Record<string, number | undefined>;
    const rolledOut = observedGeneration === set.metadata.generation && readyReplicas === 1 && updatedReplicas === 1;
    if (label !== spire || !rolledOut) throw new Error(`the SPIRE server has ${label}: ${JSON.stringify(set.status)}`);
    const { status } = await cluster.read("operator.openshift.io/v1alpha1", "SpireServer", "cluster");
    const { conditions = [] } = status as { conditions?: { type: string; status: string }[] };
    if (!conditions.some((one) => one.type === "Ready" && one.status === "True"))
      throw new Error(`SpireServer is not Ready: ${JSON.stringify(conditions)}`);
  }, 300);
}
