/** What the scripts have in common that Pulumi runs before it deletes something: see removalCommand.ts. */
import type { ClusterAccess } from "./access";
import { type ClusterClient, connect, connectClient } from "./connect";
import { ApiException, PatchStrategy } from "./kubernetesClient";
import { readTrustDomain } from "./trustDomain";

/** Runs one, for the cluster to which the environment leads, if that is the stack's. Its error is the script's. */
export function runRemoval(remove: (access: ClusterAccess) => Promise<void>): void {
  run(remove).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}

async function run(remove: (access: ClusterAccess) => Promise<void>): Promise<void> {
  const access = { kubeconfig: process.env["KUBE_CONFIG"], context: process.env["KUBE_CONTEXT"] };
  await refuseOtherCluster(access);
  await remove(access);
}

/**
 * No program runs at a destroy, so no preflight has compared the cluster with the config. Where the config names no kubeconfig,
 * that of the machine may lead anywhere.
 */
async function refuseOtherCluster(access: ClusterAccess): Promise<void> {
  // A state of an earlier release does not say it.
  const own = process.env["OWN_TRUST_DOMAIN"] ?? "";
  const found = own === "" ? undefined : await readTrustDomain(connect(access));
  if (found === undefined || found === own) return;
  const cure =
    access.kubeconfig === undefined
      ? "set KUBECONFIG to the file that leads to the stack's cluster"
      : `have ${access.kubeconfig} lead to the stack's cluster`;
  throw new Error(
    `${connectClient(access).place} is trust domain "${found}", and the stack is of "${own}"; no trust was ended there. ` +
      `To go on, ${cure}, and run this again`,
  );
}

/**
 * Merges the patch into an object that is as it was read, which its `resourceVersion` says.
 *
 * @param manager who owns the result, as the API server sees it
 * @returns false when somebody has changed the object since: it is to be read again
 */
export async function mergeUnchanged(
  client: ClusterClient,
  patch: Parameters<ClusterClient["patch"]>[0],
  manager: string,
): Promise<boolean> {
  try {
    await client.attempt<unknown>(`patch ${patch.kind ?? ""} ${patch.metadata?.name ?? ""}`, undefined, () =>
      client.patch(patch, undefined, undefined, manager, undefined, PatchStrategy.MergePatch),
    );
    return true;
  } catch (error) {
    const { cause } = error as Error;
    if (cause instanceof ApiException && cause.code === 409) return false;
    throw error;
  }
}
