/** What a probe makes in a cluster. Pure, but for the workload's own program, which is read once. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FEDERATION_CLASS, ROUTE_API, SPIRE_API } from "../../../components/shared/names";

/** Of the namespace and of all that is in it. */
export const PROBE = "spire-federation-probe";

/**
 * Red Hat's own, for every architecture of OpenShift, and anybody may pull it. It is pinned (tag 9.8-1779828907), so that
 * what runs in a production cluster is what was tested.
 */
export const PROBE_IMAGE =
  "registry.access.redhat.com/ubi9/nodejs-22-minimal@sha256:75a2c4753c2475d715e31304ec1effef61770713e6e9fdafdcb80351dbdf3ba5";

/** On a namespace that a probe has made; one that was there before it stays. */
export const TEMPORARY = "spire-federation/temporary";

/** On the ConfigMap: whose probe it is. */
export const CLAIM = "spire-federation/probe";

/** A pod ends by itself when whoever has made it cannot take it away. */
export const POD_SECONDS = 600;

const PORT = 8443;
const FOLDER = join(__dirname, "workload");
const WORKLOAD = Object.fromEntries(
  readdirSync(FOLDER).map((file) => [file, readFileSync(join(FOLDER, file), "utf8")] as const),
);

/** A workload of the probe as others know it. */
export interface Prober {
  member: string;
  trustDomain: string;
  /** Of its cluster, under which its Route is. */
  ingressDomain: string;
}

export const probeId = (trustDomain: string): string => `spiffe://${trustDomain}/ns/${PROBE}/sa/${PROBE}`;

export const probeHost = (ingressDomain: string): string => `${PROBE}.${ingressDomain}`;

const LABELS = { "app.kubernetes.io/name": PROBE };

/** What an object is called. */
export interface Named {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

export interface Made extends Named {
  metadata: Named["metadata"] & { labels: Record<string, string>; annotations?: Record<string, string> };
  spec?: object;
  data?: Record<string, string>;
}

export const NAMESPACE: Made = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: PROBE, labels: LABELS, annotations: { [TEMPORARY]: "true" } },
};

const inNamespace = (apiVersion: string, kind: string, content: Pick<Made, "spec" | "data">): Made => ({
  apiVersion,
  kind,
  metadata: { name: PROBE, namespace: PROBE, labels: LABELS },
  ...content,
});

/** The first that is made and the last that goes: whoever could make it is alone. */
export function claimObject(claim: object, { trustDomain }: Prober, peers: readonly Prober[]): Made {
  const config = {
    socket: "/spiffe-workload-api/spire-agent.sock",
    port: PORT,
    id: probeId(trustDomain),
    peers: peers.map((peer) => ({
      name: peer.member,
      id: probeId(peer.trustDomain),
      host: probeHost(peer.ingressDomain),
      port: 443,
    })),
  };
  const object = inNamespace("v1", "ConfigMap", { data: { ...WORKLOAD, "config.json": JSON.stringify(config) } });
  return { ...object, metadata: { ...object.metadata, annotations: { [CLAIM]: JSON.stringify(claim) } } };
}

/** The rest, in the order in which it is made: the pod comes last, when all that it needs is there. */
export function objects({ ingressDomain }: Prober, peers: readonly Prober[], image: string): Made[] {
  return [
    inNamespace("v1", "ServiceAccount", {}),
    {
      apiVersion: SPIRE_API,
      kind: "ClusterSPIFFEID",
      metadata: { name: PROBE, labels: LABELS },
      spec: {
        className: FEDERATION_CLASS,
        spiffeIDTemplate:
          "spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}",
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": PROBE } },
        podSelector: { matchLabels: LABELS },
        federatesWith: peers.map(({ trustDomain }) => trustDomain),
      },
    },
    inNamespace("v1", "Service", { spec: { selector: LABELS, ports: [{ name: "mtls", port: PORT }] } }),
    inNamespace(ROUTE_API, "Route", {
      spec: {
        host: probeHost(ingressDomain),
        to: { kind: "Service", name: PROBE, weight: 100 },
        port: { targetPort: "mtls" },
        tls: { termination: "passthrough" },
        wildcardPolicy: "None",
      },
    }),
    inNamespace("v1", "Pod", { spec: podSpec(image) }),
  ];
}

/** What the SCC restricted-v2 and the pod security standard `restricted` ask for. */
function podSpec(image: string): object {
  return {
    serviceAccountName: PROBE,
    automountServiceAccountToken: false,
    restartPolicy: "Always",
    activeDeadlineSeconds: POD_SECONDS,
    terminationGracePeriodSeconds: 1,
    nodeSelector: { "kubernetes.io/os": "linux" },
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "workload",
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["node", "/probe/main.js", "/probe/config.json"],
        ports: [{ containerPort: PORT }],
        // It listens only once it has its SVID.
        readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
        resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
        },
        volumeMounts: [
          { name: "workload", mountPath: "/probe", readOnly: true },
          { name: "workload-api", mountPath: "/spiffe-workload-api", readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: "workload", configMap: { name: PROBE } },
      { name: "workload-api", csi: { driver: "csi.spiffe.io", readOnly: true } },
    ],
  };
}
