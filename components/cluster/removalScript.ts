/** What the scripts have in common that Pulumi runs before it deletes something: see removalCommand.ts. */
import type { ClusterAccess } from "./access";
import type { ClusterClient } from "./connect";
import { ApiException, PatchStrategy } from "./kubernetesClient";

/** Runs one, for the cluster to which the environment leads. Its error is the script's. */
export function runRemoval(remove: (access: ClusterAccess) => Promise<void>): void {
  remove({ kubeconfig: process.env["KUBE_CONFIG"], context: process.env["KUBE_CONTEXT"] }).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
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
