/** Deployment `metrics`, which looks at all members as the auditor and serves what `verify -o prometheus` prints. */
import type { DeployedMember, ProjectFile } from "./deployed";
import { configMapName, hashOf, itemOf } from "./memberObjects";
import { besides, type Deployment, type KubernetesObject, LABELS, named } from "./objects";

const NAME = "metrics";
const PORT = 9464;
/** A look asks each cluster for some dozens of objects. */
const PAUSE_SECONDS = 300;
const IMAGE_PROJECT = "/opt/spire-federation";

export function metricsObjects(members: readonly DeployedMember[], deployment: Deployment): KubernetesObject[] {
  const metadata = named(NAME, deployment);
  const labels = { ...LABELS, "app.kubernetes.io/name": NAME };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata, automountServiceAccountToken: false },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "metrics.js": besides("metrics.js") } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas: 1,
        strategy: { type: "Recreate" }, // two would be two of each series
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: { "spire-federation/stack-files": members.map(hashOf).join(".") } },
          spec: podSpec(members, deployment),
        },
      },
    },
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PodMonitor",
      metadata,
      spec: { selector: { matchLabels: labels }, podMetricsEndpoints: [{ port: NAME, interval: "60s" }] },
    },
  ];
}

/** Without the project's packages: with npm's `pulumi` among them, Pulumi would be downloaded, and the image has it. */
const SCRIPT = `set -eu
cp ${IMAGE_PROJECT}/Pulumi.yaml /work/
cp -RL /stack-files/* /work/
cd /work
exec node /metrics/metrics.js
`;

const podSpec = (members: readonly DeployedMember[], { image, backend }: Deployment): object => ({
  serviceAccountName: NAME,
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [
    {
      name: NAME,
      image,
      command: ["sh", "-c", SCRIPT],
      envFrom: [{ secretRef: { name: "pulumi-metrics" } }],
      env: [
        { name: "HOME", value: "/work" },
        { name: "USER", value: "pulumi" }, // OpenShift's random user has no name
        { name: "PULUMI_HOME", value: "/work/.pulumi" },
        { name: "PULUMI_SKIP_UPDATE_CHECK", value: "true" },
        { name: "PULUMI_BACKEND_URL", value: backend },
        { name: "KUBECONFIG", value: members.map(({ name }) => `/kube/${name}`).join(":") },
        { name: "PROJECT", value: IMAGE_PROJECT },
        { name: "PORT", value: String(PORT) },
        { name: "PAUSE_SECONDS", value: String(PAUSE_SECONDS) },
      ],
      ports: [{ name: NAME, containerPort: PORT }],
      resources: { requests: { cpu: "50m", memory: "256Mi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
      },
      volumeMounts: [
        { name: "work", mountPath: "/work" },
        { name: "tmp", mountPath: "/tmp" },
        { name: NAME, mountPath: "/metrics", readOnly: true },
        { name: "stack-files", mountPath: "/stack-files", readOnly: true },
        { name: "kube", mountPath: "/kube", readOnly: true },
      ],
    },
  ],
  volumes: [
    { name: "work", emptyDir: {} },
    { name: "tmp", emptyDir: {} },
    { name: NAME, configMap: { name: NAME } },
    {
      name: "stack-files",
      projected: {
        sources: members.map((member, index) => ({
          configMap: { name: configMapName(member), items: filesOf(member, members.slice(0, index)).map(itemOf) },
        })),
      },
    },
    {
      name: "kube",
      projected: {
        sources: members.map(({ name }) => ({
          secret: { name: `auditor-${name}`, items: [{ key: "config", path: name }] },
        })),
      },
    },
  ],
});

/** Without those that others have as well, such as a partner's bundle: the API server refuses a path that is there twice. */
function filesOf({ files }: DeployedMember, others: readonly DeployedMember[]): readonly ProjectFile[] {
  const there = new Set(others.flatMap((one) => one.files.map(({ path }) => path)));
  return files.filter(({ path }) => !there.has(path));
}
