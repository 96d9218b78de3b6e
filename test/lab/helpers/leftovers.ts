/** Trust that the stacks of other test files have left on a cluster, and of which the next stacks know nothing. */
import { FIELD_MANAGER } from "../../../components/shared/names";
import type { Cluster } from "../../../lab/client/cluster";

const SPIRE = "spire.spiffe.io/v1alpha1";
const TRUST = "ClusterFederatedTrustDomain";
const SERVER = { apiVersion: "operator.openshift.io/v1alpha1", kind: "SpireServer", metadata: { name: "cluster" } };

/** Objects that ups have made, and a list of peers that somebody has changed by hand, which an up would refuse to overwrite. */
export async function removeTrust(cluster: Cluster): Promise<void> {
  const server = await cluster.read(SERVER.apiVersion, SERVER.kind, SERVER.metadata.name);
  const { managedFields = [] } = server.metadata as { managedFields?: { manager?: string; fieldsV1?: object }[] };
  const others = managedFields.filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes("f:federatesWith"));
  if (others.some(({ manager }) => manager !== FIELD_MANAGER))
    await cluster.merge({ ...SERVER, spec: { federation: { federatesWith: null } } });
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
