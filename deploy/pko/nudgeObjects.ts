/** CronJob `nudge`, which requests runs that the operator would not begin by itself, and the few rights that it needs. */
import type { DeployedMember } from "./deployed";
import { besides, CONFINED, type Deployment, envOf, type KubernetesObject, named, POD_SECURITY } from "./objects";

const NAME = "nudge";
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

export function nudgeObjects(members: readonly DeployedMember[], deployment: Deployment): KubernetesObject[] {
  const metadata = named(NAME, deployment);
  const names = members.map(({ name }) => name);
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [
        { apiGroups: ["pulumi.com"], resources: ["stacks"], verbs: ["list"] },
        { apiGroups: ["pulumi.com"], resources: ["stacks"], resourceNames: names, verbs: ["patch"] },
        {
          apiGroups: [""],
          resources: ["pods"],
          resourceNames: names.map((name) => `${name}-workspace-0`),
          verbs: ["delete"],
        },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: NAME },
      subjects: [{ kind: "ServiceAccount", name: NAME, namespace: deployment.namespace }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "nudge.js": besides("nudge.js") } },
    {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata,
      spec: {
        schedule: "* * * * *",
        concurrencyPolicy: "Forbid",
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 1,
        jobTemplate: { spec: { backoffLimit: 0, activeDeadlineSeconds: 50, template: { spec: podSpec(deployment) } } },
      },
    },
  ];
}

const podSpec = ({ image, namespace }: Deployment): object => ({
  serviceAccountName: NAME,
  restartPolicy: "Never",
  securityContext: POD_SECURITY,
  containers: [
    {
      name: NAME,
      image,
      command: ["node", "/nudge/nudge.js"],
      env: envOf({
        NAMESPACE: namespace,
        API_SERVER: "https://kubernetes.default.svc",
        TOKEN_FILE: `${ACCOUNT}/token`,
        NODE_EXTRA_CA_CERTS: `${ACCOUNT}/ca.crt`,
      }),
      resources: { requests: { cpu: "10m", memory: "64Mi" } },
      securityContext: { ...CONFINED, readOnlyRootFilesystem: true },
      volumeMounts: [{ name: NAME, mountPath: "/nudge", readOnly: true }],
    },
  ],
  volumes: [{ name: NAME, configMap: { name: NAME } }],
});
