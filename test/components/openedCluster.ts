/**
 * Stands in for components/openCluster.ts, so that a component reads the cluster of a test:
 *
 *     jest.mock("../../components/openCluster", () => jest.requireActual<object>("./openedCluster"));
 */
import type { Cluster } from "../../components/cluster";

let opened: Cluster | undefined;

/** The cluster of the components that are made from now on. */
export function useCluster(cluster: Cluster): void {
  opened = cluster;
}

export function openCluster(): Cluster {
  if (opened === undefined) throw new Error("the test opens no cluster");
  return opened;
}

export const clusterFor = openCluster;
