/** Deployment `metrics`, which looks at all members as the auditor and serves what `verify -o prometheus` prints. */
import type { DeployedMember, ProjectFile } from "./deployed";
import { configMapName, hashOf, itemOf } from "./memberObjects";
import {
  besides,
  CONFINED,
  type Deployment,
  envOf,
  IMAGE_PROJECT,
  type KubernetesObject,
  LABELS,
  named,
  POD_SECURITY,
} from "./objects";

const NAME = "metrics";
const PORT = 9464;
/** A look asks each cluster for some dozens of objects. */
const PAUSE_SECONDS = 300;
/** Project and Pulumi's home, as the command writes them. */
const FOLDER = "/project";

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
cp ${IMAGE_PROJECT}/Pulumi.yaml ${FOLDER}/
cp -RL /stack-files/* ${FOLDER}/
cd ${FOLDER}
exec node /metrics/metrics.js
`;

const podSpec = (members: readonly DeployedMember[], { image, backend }: Deployment): object => ({
  serviceAccountName: NAME,
  automountServiceAccountToken: false,
  securityContext: POD_SECURITY,
  containers: [
    {
      name: NAME,
      image,
      command: ["sh", "-c", SCRIPT],
      envFrom: [{ secretRef: { name: "pulumi-metrics" } }],
      env: envOf({
        HOME: FOLDER,
        USER: "pulumi", // OpenShift's random user has no name
        PULUMI_HOME: `${FOLDER}/.pulumi`,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_BACKEND_URL: backend,
        KUBECONFIG: members.map(({ name }) => `/kube/${name}`).join(":"),
        PROJECT: IMAGE_PROJECT,
        PORT: String(PORT),
        PAUSE_SECONDS: String(PAUSE_SECONDS),
      }),
      ports: [{ name: NAME, containerPort: PORT }],
      resources: { requests: { cpu: "50m", memory: "256Mi" } },
      securityContext: { ...CONFINED, readOnlyRootFilesystem: true },
      volumeMounts: [
        { name: "project", mountPath: FOLDER },
        { name: "tmp", mountPath: "/tmp" },
        { name: NAME, mountPath: "/metrics", readOnly: true },
        { name: "stack-files", mountPath: "/stack-files", readOnly: true },
        { name: "kube", mountPath: "/kube", readOnly: true },
      ],
    },
  ],
  volumes: [
    { name: "project", emptyDir: {} },
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
