/** A second router of a cluster, as of an IngressController with a routeSelector: reachable by its pod's address, since no name leads there. */
import { connect } from "node:tls";
import type { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";

const NAMESPACE = "openshift-ingress";
const NAME = "router-sharded";
const LABELS = { "ingresscontroller.operator.openshift.io/deployment-ingresscontroller": "sharded" };
const SERVICE_CA = "/var/run/configmaps/service-ca";

/** Starts a router for Routes with such labels; its address. */
export async function startShard(cluster: Cluster, routeSelector: string): Promise<string> {
  const flags = [
    "--name=sharded",
    `--selector=${routeSelector}`,
    "--address=0.0.0.0",
    `--service-ca=${SERVICE_CA}/ca.crt`,
  ];
  const router = {
    name: "router",
    image: "lab.local/lab-standin:latest",
    args: ["router", `--domain=shard.${cluster.name}.example.com`, ...flags],
    readinessProbe: { tcpSocket: { port: 443 } },
    volumeMounts: [{ name: "service-ca", mountPath: SERVICE_CA, readOnly: true }],
  };
  const configMap = { name: "service-ca-bundle", items: [{ key: "service-ca.crt", path: "ca.crt" }] };
  const spec = { serviceAccountName: "router", containers: [router], volumes: [{ name: "service-ca", configMap }] };
  await cluster.apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME, namespace: NAMESPACE },
    spec: { selector: { matchLabels: LABELS }, template: { metadata: { labels: LABELS }, spec } },
  });
  const [[key, value] = []] = Object.entries(LABELS);
  return eventually(async () => {
    const { items } = await cluster.core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: `${key}=${value}` });
    const [{ status } = {}] = items;
    if (status?.podIP === undefined || status.containerStatuses?.[0]?.ready !== true)
      throw new Error(`${NAME} is not ready`);
    return status.podIP;
  });
}

export const endShard = (cluster: Cluster): Promise<void> => cluster.remove("apps/v1", "Deployment", NAME, NAMESPACE);

/** The names in the certificate that a router presents for a host; an error when the CA doesn't vouch for it. */
export const presentedBy = (address: string, servername: string, ca: string): Promise<string | undefined> =>
  new Promise((done, fail) => {
    const socket = connect({ host: address, port: 443, servername, ca, timeout: 10_000 }, () => {
      done(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    });
    socket.on("error", fail);
    socket.on("timeout", () => socket.destroy(new Error(`${address}: no answer in 10 s`)));
  });
