/** The cluster that a component reads. */
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterAccess } from "./access";
import type { Cluster } from "./cluster";
import { connect } from "./connect";
import { onProvidersCluster } from "./sameCluster";
import { AccessError } from "./kubeconfig";
import { argumentError } from "../shared/problem";

const clusters = new Map<string, Cluster>();

/**
 * The cluster that a kubeconfig leads to; one client, whoever asks for it and however often.
 *
 * @throws AccessError when the kubeconfig doesn't lead to a cluster
 */
export function openCluster({ kubeconfig, context }: ClusterAccess): Cluster {
  const key = JSON.stringify([kubeconfig, context]);
  const cluster = clusters.get(key) ?? connect({ kubeconfig, context });
  clusters.set(key, cluster);
  return cluster;
}

/**
 * The same for a component; a read fails where the component's provider leads to another cluster.
 *
 * @throws ResourceError
 */
export function clusterFor(name: string, access: ClusterAccess, component: pulumi.Resource): Cluster {
  try {
    return onProvidersCluster(name, openCluster(access), component);
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    throw argumentError(name, [{ path: error.key, message: error.message }], component);
  }
}
