/**
 * Stands in for components/cluster/openCluster.ts, so that a component reads the cluster of a test:
 *
 *     jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
 */
import type { ClusterAccess } from "../../components/cluster/access";
import type { Cluster } from "../../components/cluster/cluster";

let opened: Cluster | undefined;
const others = new Map<string, Cluster>();

/**
 * The cluster of the components that are made from now on.
 *
 * @param contexts clusters that other contexts lead to
 */
export function useCluster(cluster: Cluster, contexts: Record<string, Cluster> = {}): void {
  opened = cluster;
  others.clear();
  for (const [context, other] of Object.entries(contexts)) others.set(context, other);
}

export function openCluster({ context = "" }: ClusterAccess): Cluster {
  if (opened === undefined) throw new Error("the test opens no cluster");
  return others.get(context) ?? opened;
}

export const clusterFor = (_: string, access: ClusterAccess): Cluster => openCluster(access);
