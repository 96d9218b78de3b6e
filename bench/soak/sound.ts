/** What test/mesh/protocol demands of every interleaving, asked of real clusters: whoever is trusted is to be, and whoever is listed is held. */
import type { Cluster } from "../../lab/client/cluster";
import type { SpireServerObject } from "../../components/spireServer/spireServerReadiness";

/** @throws Error with all that is not so */
export async function assertSound(members: readonly Cluster[], away: readonly Cluster[]): Promise<void> {
  const wrong = await Promise.all([
    ...members.map((cluster) => faultsOf(cluster, members)),
    ...away.map((cluster) => faultsOf(cluster, [])),
  ]);
  if (wrong.flat().length > 0) throw new Error(wrong.flat().join("\n"));
}

async function faultsOf(cluster: Cluster, trusted: readonly Cluster[]): Promise<string[]> {
  const { spec } = (await cluster.read(
    "operator.openshift.io/v1alpha1",
    "SpireServer",
    "cluster",
  )) as SpireServerObject;
  const listed = (spec?.federation?.federatesWith ?? []).map(({ trustDomain }) => trustDomain);
  const bundles = JSON.parse(await cluster.spireServer("bundle", "list", "-output", "json")) as {
    bundles: { trust_domain: string }[];
  };
  const held = bundles.bundles.map((bundle) => bundle.trust_domain);
  const isTrusted = (trustDomain: string): boolean => trusted.some((one) => one.trustDomain === trustDomain);
  return [
    ...held
      .filter((one) => !isTrusted(one))
      .map((one) => `${cluster.name} holds the bundle of ${one}, which it is not to trust`),
    ...listed.filter((one) => !isTrusted(one)).map((one) => `${cluster.name} lists ${one}, which it is not to trust`),
    ...listed
      .filter((one) => !held.includes(one))
      .map((one) => `${cluster.name} lists ${one}, and holds no bundle of it`),
  ];
}
