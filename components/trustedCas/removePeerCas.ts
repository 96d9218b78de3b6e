/**
 * Takes the ConfigMap with the peers' CAs out of ZTWIM's Subscription, and waits until no pod of SPIRE needs it.
 *
 * Run by Pulumi before it deletes the ConfigMap (see peerCas.ts); `KUBE_CONTEXT` and `KUBE_CONFIG` lead to the cluster.
 * What the provider would do by itself is to take away the whole list of variables, others' too.
 */
import type { ClusterAccess } from "../cluster/access";
import { type ClusterClient, connect, connectClient } from "../cluster/connect";
import { FIELD_MANAGER, TRUSTED_CA_ENV } from "../shared/names";
import { mergeUnchanged, runRemoval } from "../cluster/removalScript";
import { SUBSCRIPTION_API, type Subscription } from "../operators/olm";
import { lookAtUnmountedCas } from "./peerCasReadiness";
import type { ClusterReader } from "../cluster/cluster";
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

runRemoval(remove);
