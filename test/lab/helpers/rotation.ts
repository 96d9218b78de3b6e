import { type Cluster, NAMESPACE } from "../../../lab/client/cluster";

/** Replaces a trust domain's keys at once, as an administrator does after a leak: the old ones are gone from the bundle. */
export async function rotateAuthorities(cluster: Cluster): Promise<void> {
  await rotateServer((...args) => cluster.spireServer(...args));
  await deleteAgents(cluster);
}

/**
 * The same for a SPIRE server alone.
 *
 * @param prepared runs before the new key is used, for peers that know the server by its keys
 */
export async function rotateServer(
  spireServer: (...args: string[]) => Promise<string>,
  prepared: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  for (const kind of ["x509", "jwt"]) {
    const authority = async (...args: string[]): Promise<Record<string, { authority_id: string } | undefined>> =>
      JSON.parse(await spireServer("localauthority", kind, ...args, "-output", "json")) as Record<
        string,
        { authority_id: string } | undefined
      >;
    const old = (await authority("show"))["active"]?.authority_id ?? "";
    const next = (await authority("prepare"))["prepared_authority"]?.authority_id ?? "";
    await prepared();
    await authority("activate", "-authorityID", next);
    await authority("taint", "-authorityID", old);
    await authority("revoke", "-authorityID", old);
  }
}

/** An agent whose SVID was signed with a key that is gone is refused for ever, and gives workloads nothing new; a new one attests. */
export async function deleteAgents(cluster: Cluster): Promise<void> {
  for (const { metadata } of await cluster.pods()) {
    if (metadata?.labels?.["app.kubernetes.io/name"] !== "spire-agent") continue;
    await cluster.core.deleteNamespacedPod({ name: metadata.name ?? "", namespace: NAMESPACE });
  }
}
