/** The cluster that a component reads. */
import * as pulumi from "@pulumi/pulumi";
import { accessOf, type ClusterAccess, type ClusterAccessArgs } from "./access";
import type { Cluster, KubeObject } from "./cluster";
import { connect } from "./connect";
import { onProvidersCluster } from "./sameCluster";
import { AccessError } from "./kubeconfig";
import { isKnown, valueIfKnown } from "../shared/known";
import { argumentError } from "../shared/problem";
import { Unreachable } from "../shared/unreachable";

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
 * The same for a component; a read fails where the component's provider leads to another cluster, and in a preview where
 * nothing leads to one.
 *
 * @throws ResourceError in an up
 */
export function clusterFor(name: string, access: ClusterAccessArgs, component: pulumi.Resource): Cluster {
  const { kubeconfig, context } = access;
  return isKnown(kubeconfig) && isKnown(context)
    ? clusterAt(name, accessOf({ kubeconfig, context }), component)
    : clusterLater(name, pulumi.output(accessOf(access)), component);
}

function clusterAt(name: string, access: ClusterAccess, component: pulumi.Resource): Cluster {
  try {
    return onProvidersCluster(name, openCluster(access), component);
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    if (pulumi.runtime.isDryRun()) return unreachable(access, `${name}: ${error.key} ${error.message}`);
    throw argumentError(name, [{ path: error.key, message: error.message }], component);
  }
}

/** The same where it is known only later how it is reached: a read waits for that. */
function clusterLater(name: string, access: pulumi.Output<ClusterAccess>, component: pulumi.Resource): Cluster {
  const known: ClusterAccess = {};
  const opened = valueIfKnown(access).then((value) => {
    if (value === undefined) return unreachable(known, `${name}: context or kubeconfig is not known yet`);
    return clusterAt(name, Object.assign(known, value), component);
  });
  return {
    access: known,
    get: async <T extends KubeObject>(...what: Parameters<Cluster["get"]>) => (await opened).get<T>(...what),
    list: async <T extends KubeObject>(...what: Parameters<Cluster["list"]>) => (await opened).list<T>(...what),
    ask: async (...what) => (await opened).ask(...what),
  };
}

function unreachable(access: ClusterAccess, message: string): Cluster {
  const fail = (): Promise<never> => Promise.reject(new Unreachable(message, JSON.stringify(accessOf(access))));
  return { access, get: fail, list: fail, ask: fail };
}
