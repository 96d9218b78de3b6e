/** The cert-manager operator of a cluster, as OLM has it. */
import type { Cluster } from "./cluster";
import { eventually } from "./eventually";

const OLM = "operators.coreos.com/v1alpha1";
export const OPERATOR = "openshift-cert-manager-operator";
export const OPERATOR_NAMESPACE = "cert-manager-operator";

/**
 * Names of its objects of a kind: `Subscription`, or `ClusterServiceVersion` for what is installed. OLM copies the versions of
 * operators for all namespaces, such as ZTWIM's, into this one as well.
 */
export async function operatorObjects(cluster: Cluster, kind: string): Promise<string[]> {
  const own = (await cluster.list(OLM, kind, OPERATOR_NAMESPACE)).filter(
    ({ metadata }) => metadata.labels?.["olm.copiedFrom"] === undefined,
  );
  return own.map(({ metadata }) => metadata.name);
}

/** Removes it as a whole: a Subscription that is made anew beside its old version never resolves. */
export async function removeOperator(cluster: Cluster): Promise<void> {
  const version = "ClusterServiceVersion";
  for (const kind of ["Subscription", version])
    for (const name of await operatorObjects(cluster, kind)) await cluster.remove(OLM, kind, name, OPERATOR_NAMESPACE);
  await eventually(async () => {
    const left = await operatorObjects(cluster, version);
    if (left.length > 0) throw new Error(`${cluster.name}: ${left.join()} is still there`);
  });
}
