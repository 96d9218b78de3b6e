/** Workloads with SPIFFE identities: lab/cmd/probe as a pod that has the Workload API from the CSI driver. */
import type { V1Pod } from "../../components/cluster/kubernetesClient";
import { NAMESPACE as OPERANDS, type Cluster, type Manifest } from "./cluster";
import { eventually } from "./eventually";

const NAMESPACE = "workloads";
const PORT = 8443;

export class Workload {
  private constructor(
    readonly cluster: Cluster,
    readonly name: string,
    private readonly ip: string,
  ) {}

  /**
   * Makes the workload, or takes up one that is there, and returns when it has its SVID.
   *
   * @param federatesWith trust domains whose bundles it gets; there is no SVID before the SPIRE server holds them all
   */
  static async deploy(cluster: Cluster, name: string, federatesWith: string[] = []): Promise<Workload> {
    await Workload.start(cluster, name, federatesWith);
    const ip = await eventually(async () => {
      const found = await served(cluster, name);
      if (found === undefined)
        throw new Error(`workload ${name} of ${cluster.name} has no SVID; ${await log(cluster, name)}`);
      return found;
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; ${await agentLog(cluster)}`);
    });
    return new Workload(cluster, name, ip);
  }

  /** Makes the workload, and does not wait for its SVID. */
  static async start(cluster: Cluster, name: string, federatesWith: string[]): Promise<void> {
    for (const object of objects(name, federatesWith)) await cluster.apply(object);
  }

  get id(): string {
    return `spiffe://${this.cluster.trustDomain}/ns/${NAMESPACE}/sa/${this.name}`;
  }

  get address(): string {
    return `${this.ip}:${PORT}`;
  }

  /** Takes it away, with all that was made for it but the namespace. */
  remove(): Promise<void> {
    return Workload.remove(this.cluster, this.name);
  }

  static async remove(cluster: Cluster, name: string): Promise<void> {
    for (const { apiVersion, kind } of objects(name, []).slice(1).reverse())
      await cluster.remove(apiVersion, kind, name, NAMESPACE);
  }
}

/** The address of a workload that has its SVID. */
export async function served(cluster: Cluster, name: string): Promise<string | undefined> {
  const { status } = await cluster.core.readNamespacedPod({ name, namespace: NAMESPACE });
  return status?.containerStatuses?.[0]?.ready === true ? status.podIP : undefined;
}

/** One mTLS connection: who met whom; when either side refuses, or `to` is not `expected`, the reason is thrown. */
export async function handshake(from: Workload, to: Workload, expected = to.id): Promise<string> {
  try {
    const dial = ["probe", "dial", to.address, expected];
    return (await from.cluster.exec(from.name, "probe", dial, NAMESPACE)).trim();
  } catch (error) {
    const said = error instanceof Error ? error.message.trim() : String(error);
    const reason = said.slice(said.lastIndexOf("\n") + 1);
    // A server that refuses tells its client next to nothing, so as to help nobody; its log says why.
    throw new Error(reason.startsWith("the server refuses") ? `${reason}; ${await log(to.cluster, to.name)}` : reason);
  }
}

/** Throws unless the pod runs and all of its containers are ready. */
export function running(pod: V1Pod): string {
  const containers = pod.status?.containerStatuses ?? [];
  const ready = containers.filter((c) => c.ready).length;
  const text = `${pod.status?.phase ?? "unknown"}, ${ready}/${containers.length} ready`;
  if (pod.status?.phase !== "Running" || ready !== containers.length) throw new Error(text);
  return text;
}

/** One JWT-SVID from one workload to another, which validates it: whose it is; when it is refused, the reason is thrown. */
export async function presentToken(from: Workload, to: Workload): Promise<string> {
  const probe = async ({ cluster, name }: Workload, ...args: string[]): Promise<string> =>
    (await cluster.exec(name, "probe", ["probe", ...args], NAMESPACE)).trim();
  return probe(to, "validate", to.id, await probe(from, "token", to.id));
}

export async function agentLog(cluster: Cluster, tailLines = 5): Promise<string> {
  const agent = (await cluster.pods()).find((pod) => pod.metadata?.name?.startsWith("spire-agent-"));
  const last = { name: agent?.metadata?.name ?? "spire-agent", namespace: OPERANDS, tailLines };
  return `spire-agent's log ends with:\n${await cluster.core.readNamespacedPodLog(last).catch(String)}`;
}

async function log(cluster: Cluster, name: string): Promise<string> {
  const last = { name, namespace: NAMESPACE, tailLines: 1 };
  return `its log ends with: ${await cluster.core.readNamespacedPodLog(last).catch(String)}`.trim();
}

function objects(name: string, federatesWith: string[]): Manifest[] {
  const metadata = { name, namespace: NAMESPACE, labels: { app: name } };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "spire.spiffe.io/v1alpha1",
      kind: "ClusterSPIFFEID",
      metadata: { name },
      spec: {
        className: "zero-trust-workload-identity-manager-spire",
        spiffeIDTemplate:
          "spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}",
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": NAMESPACE } },
        podSelector: { matchLabels: metadata.labels },
        federatesWith,
      },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        serviceAccountName: name,
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: "probe",
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            image: "lab.local/probe",
            args: ["serve", `:${PORT}`],
            // It listens only once it has its SVID.
            readinessProbe: { tcpSocket: { port: PORT } },
            volumeMounts: [{ name: "workload-api", mountPath: "/spiffe-workload-api", readOnly: true }],
          },
        ],
        volumes: [{ name: "workload-api", csi: { driver: "csi.spiffe.io", readOnly: true } }],
      },
    },
  ];
}
