/** Trust that the stacks of other test files have left on a cluster, and of which the next stacks know nothing. */
import type { Cluster } from "../../../lab/client/cluster";

const SPIRE = "spire.spiffe.io/v1alpha1";
const TRUST = "ClusterFederatedTrustDomain";

/** Those that ups have made. */
export async function removeTrust(cluster: Cluster): Promise<void> {
  for (const { metadata } of await cluster.list(SPIRE, TRUST, ""))
    if (metadata.name.endsWith("-federation")) await cluster.remove(SPIRE, TRUST, metadata.name);
}

/** After it, when nothing fetches them any more: bundles of all but the cluster's peers. */
export async function removeBundles(cluster: Cluster, peers: readonly Pick<Cluster, "trustDomain">[]): Promise<void> {
  const list = JSON.parse(await cluster.spireServer("bundle", "list", "-output", "json")) as {
    bundles: { trust_domain: string }[];
  };
  for (const { trust_domain: held } of list.bundles)
    if (!peers.some(({ trustDomain }) => trustDomain === held))
      await cluster.spireServer("bundle", "delete", "-id", `spiffe://${held}`, "-mode", "dissociate");
}
