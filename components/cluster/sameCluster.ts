/** That a component reads the cluster in which its provider creates objects. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { accessFlags } from "./access";
import type { Cluster, KubeObject } from "./cluster";
import { foreignProvider } from "./clusterProvider";
import { valueIfKnown } from "../shared/known";

/** Every cluster has it, and nobody makes it anew. */
const WITNESS = "kube-system";

/**
 * The cluster, asked only once it is known to be that of the component's provider. What a component creates depends on what it
 * has read, so nothing is created in another cluster.
 */
export function onProvidersCluster(name: string, cluster: Cluster, component: pulumi.Resource): Cluster {
  const provider = foreignProvider(component);
  if (provider === undefined) return cluster;
  let compared: Promise<void> | undefined;
  const same = (): Promise<void> => (compared ??= compare(name, cluster, component, provider));
  return {
    access: cluster.access,
    get: async <T extends KubeObject>(...what: Parameters<Cluster["get"]>) => {
      await same();
      return cluster.get<T>(...what);
    },
    list: async <T extends KubeObject>(...what: Parameters<Cluster["list"]>) => {
      await same();
      return cluster.list<T>(...what);
    },
    ask: (...what) => same().then(() => cluster.ask(...what)),
  };
}

async function compare(
  name: string,
  cluster: Cluster,
  parent: pulumi.Resource,
  provider: pulumi.ProviderResource,
): Promise<void> {
  const written = k8s.core.v1.Namespace.get(`${name}-${WITNESS}`, WITNESS, { parent, provider });
  const [there, here] = await Promise.all([
    valueIfKnown(written.metadata.uid),
    cluster.get("v1", "Namespace", WITNESS),
  ]);
  // A preview doesn't know a provider that the same program makes of what is not there yet.
  if (there === undefined || there === here?.metadata?.uid) return;
  const flags = accessFlags(cluster.access).trim();
  const read = flags === "" ? "the machine's kubeconfig" : flags;
  throw new Error(
    `${name}: its provider leads to another cluster than ${read}, which it would read; give it context and kubeconfig alone, ` +
      "and it makes its provider of them",
  );
}
