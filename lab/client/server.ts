/** A cluster's SPIRE server that is replaced by another one. */
import { type Cluster, NAMESPACE } from "./cluster";
import { eventually } from "./eventually";
import { running } from "./workload";

const pod = { name: "spire-server-0", namespace: NAMESPACE };

/** Does something after which there is another SPIRE server, and waits for that. */
export async function restarting(cluster: Cluster, change: () => Promise<unknown>): Promise<void> {
  const before = (await cluster.core.readNamespacedPod(pod)).metadata?.uid;
  await change();
  await eventually(async () => {
    const now = await cluster.core.readNamespacedPod(pod);
    if (now.metadata?.uid === before) throw new Error("the old pod is still there");
    running(now);
  }, 300);
}

/** A server that starts looks at each peer once, and again after a quarter of the peer's refresh hint. */
export const startServerAnew = (cluster: Cluster): Promise<void> =>
  restarting(cluster, () => cluster.core.deleteNamespacedPod(pod));
