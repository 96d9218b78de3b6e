/**
 * Takes the ConfigMap with the peers' CAs out of ZTWIM's Subscription, and waits until no pod of SPIRE needs it.
 *
 * Run by Pulumi before it deletes the ConfigMap (see peerCas.ts); `KUBE_CONTEXT` and `KUBE_CONFIG` lead to the cluster.
 * What the provider would do by itself is to take away the whole list of variables, others' too.
 */
import type { ClusterAccess } from "../cluster/access";
import { type ClusterClient, connect, connectClient } from "../cluster/connect";
import { FIELD_MANAGER, OPERAND_NAMESPACE, SINGLETON, TRUSTED_CA_ENV, ZTWIM } from "../shared/names";
import { mergeUnchanged, runRemoval } from "../cluster/removalScript";
import { SUBSCRIPTION_API, type Subscription } from "../operators/olm";
import { lookAtUnmountedCas } from "./peerCasReadiness";
import { type ClusterReader, unlessForbidden } from "../cluster/cluster";
import type { OperatorDeployment } from "../spireServer/ztwimRelease";
import { lacksTrustedCas, type ProxyConfig } from "./operatorProxy";
import { PEER_CAS_PREFIX, readTrustedCas } from "./trustedCas";

/** OLM restarts the operator, and that the SPIRE server. */
const SECONDS = 300;

async function remove(access: ClusterAccess): Promise<void> {
  const [client, reader] = [connectClient(access), connect(access)];
  const end = Date.now() + SECONDS * 1000;
  for (;;) {
    const isOut = await takeOut(client, reader);
    const verdict = await lookAtUnmountedCas(reader, PEER_CAS_PREFIX);
    if (isOut && verdict.state === "ready") return;
    const why = verdict.state === "ready" ? "ZTWIM's Subscription keeps changing" : verdict.because;
    if (Date.now() > end) throw new Error(`${why}; still so after ${SECONDS} s`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** @returns whether it was out before */
async function takeOut(client: ClusterClient, reader: ClusterReader): Promise<boolean> {
  const { subscription, configMap } = await readTrustedCas(reader);
  if (subscription === undefined || configMap?.name.startsWith(PEER_CAS_PREFIX) !== true) return true;
  const { namespace, name } = subscription;
  const live = await reader.get<Subscription>(SUBSCRIPTION_API, "Subscription", name, namespace);
  await refuseProxied(reader, live);
  const env = (live?.spec?.config?.env ?? []).filter((variable) => variable.name !== TRUSTED_CA_ENV);
  const { resourceVersion = "" } = live?.metadata ?? {};
  const patch = {
    apiVersion: SUBSCRIPTION_API,
    kind: "Subscription",
    // What somebody has changed in between is not overwritten: the API server refuses, and the next round tries again.
    metadata: { name, namespace, resourceVersion },
    spec: { config: { env: env.length === 0 ? null : env } },
  };
  await mergeUnchanged(client, patch, FIELD_MANAGER);
  return false;
}

/** Without any CAs an operator with a proxy would reconcile nothing any more. */
async function refuseProxied(reader: ClusterReader, subscription: Subscription | undefined): Promise<void> {
  const [proxy, deployment] = await Promise.all([
    unlessForbidden(undefined, reader.get<ProxyConfig>("config.openshift.io/v1", "Proxy", SINGLETON)),
    unlessForbidden(
      undefined,
      reader.get<OperatorDeployment>("apps/v1", "Deployment", ZTWIM.deployment, OPERAND_NAMESPACE),
    ),
  ]);
  const lacking = lacksTrustedCas(reader.access, { proxy, subscription, deployment });
  if (lacking !== undefined) throw new Error(`${lacking}\n    Then run this again.`);
}

runRemoval(remove);
