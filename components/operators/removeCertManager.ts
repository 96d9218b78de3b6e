/**
 * Removes the ClusterServiceVersion of the cert-manager operator, which a deleted Subscription leaves behind.
 *
 * Run by Pulumi when the stack is destroyed with `removeOnDestroy` (see certManagerInstall.ts); `KUBE_CONTEXT` and
 * `KUBE_CONFIG` lead to the cluster. cert-manager's own pods and its certificates stay, as OLM leaves them.
 */
import type { ClusterAccess } from "../cluster/access";
import { connect, connectClient } from "../cluster/connect";
import { CERT_MANAGER } from "../shared/names";
import { isCertManagerVersion, SUBSCRIPTION_API, type ClusterServiceVersion } from "./olm";

/** OLM takes the operator's Deployment and roles away before it lets the version go. */
const SECONDS = 120;

async function remove(access: ClusterAccess): Promise<void> {
  const client = connectClient(access);
  const reader = connect(access);
  const kind = "ClusterServiceVersion";
  const end = Date.now() + SECONDS * 1000;
  for (;;) {
    const all = await reader.list<ClusterServiceVersion>(SUBSCRIPTION_API, kind, CERT_MANAGER.namespace);
    const versions = all.filter(isCertManagerVersion).map(({ metadata }) => metadata?.name ?? "");
    if (versions.length === 0) {
      return;
    }
    if (Date.now() > end) {
      throw new Error(
        `${kind} ${versions.join(", ")} in namespace ${CERT_MANAGER.namespace} is still there after ${SECONDS} s; is OLM running?`,
      );
    }
    for (const name of versions) {
      const metadata = { name, namespace: CERT_MANAGER.namespace };
      await client.attempt(`delete ${kind} ${name}`, undefined, () =>
        client.delete({ apiVersion: SUBSCRIPTION_API, kind, metadata }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

remove({ kubeconfig: process.env["KUBE_CONFIG"], context: process.env["KUBE_CONTEXT"] }).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
