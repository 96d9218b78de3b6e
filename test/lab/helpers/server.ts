/** A cluster's SPIRE server that is replaced by another one. */
import { type Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";

const serverPod = async (cluster: Cluster): Promise<{ uid: string; ready: boolean }> => {
  const pod = await cluster.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  const ready = pod.status?.containerStatuses?.every((container) => container.ready) === true;
  return { uid: pod.metadata?.uid ?? "", ready };
};

/** Does something after which there is another SPIRE server, and waits for that. */
export async function restarting(cluster: Cluster, change: () => Promise<unknown>): Promise<void> {
  const before = await serverPod(cluster);
  await change();
  await eventually(async () => {
    const now = await serverPod(cluster);
    expect(now.uid).not.toBe(before.uid);
    expect(now.ready).toBe(true);
  }, 300);
}

/** A server that starts looks at each peer once, and again after a quarter of the peer's refresh hint. */
export const startServerAnew = (cluster: Cluster): Promise<void> =>
  restarting(cluster, () => cluster.core.deleteNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE }));
