/** The Stack of one member, and the files that its workspace gets. */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { stringify } from "yaml";
import { word } from "../../components/shared/shell";
import type { DeployedMember, NeededStack } from "./deployed";
import { besides, CONFINED, type Deployment, envOf, IMAGE_PROJECT, type KubernetesObject, named } from "./objects";

/** Where the image has them. */
const IMAGE_PLUGINS = "/opt/pulumi/plugins";
/** The operator mounts a volume of this name here, in each container that it makes. */
const SHARE = { name: "share", mountPath: "/share" };
const WORKSPACE = "/share/source";
const PULUMI_HOME = "/share/pulumi";
const STACK_FILES = "/stack-files";
const KUBECONFIG = "/kube/config";
/** Secret with Pulumi's environment: passphrase, access to the backend. */
const PULUMI_SECRET = "pulumi";
/** One of a member alone, such as credentials that write its own state only; it need not be there, and wins. */
const memberSecret = ({ name }: DeployedMember): string => `environment-${name}`;

export function memberObjects(member: DeployedMember, deployment: Deployment): KubernetesObject[] {
  return [filesConfigMap(member, deployment), stack(member, deployment)];
}

export const configMapName = ({ name }: DeployedMember): string => `stack-${name}`;

/** A key has no slash. */
const keyOf = (path: string): string => path.replaceAll("/", "__");

function filesConfigMap(member: DeployedMember, deployment: Deployment): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: named(configMapName(member), deployment),
    data: Object.fromEntries(member.files.map(({ path, text }) => [keyOf(path), text])),
  };
}

/** The operator does not see that a ConfigMap changes: this changes with it, and so replaces the workspace. */
export const hashOf = ({ files }: DeployedMember): string =>
  createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);

function stack(member: DeployedMember, deployment: Deployment): KubernetesObject {
  const { backend, resync, image, inCluster } = deployment;
  const [own] = member.stacks;
  const secretEnv = [
    { secretRef: { name: PULUMI_SECRET } },
    { secretRef: { name: memberSecret(member), optional: true } },
  ];
  const env = {
    HOME: "/share",
    USER: "pulumi", // OpenShift's random user has no name, and Pulumi wants one for its locks
    PULUMI_HOME,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(own.secretsProvider !== undefined && { PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true" }),
  };
  return {
    apiVersion: "pulumi.com/v1",
    kind: "Stack",
    metadata: named(member.name, deployment),
    spec: {
      stack: own.id,
      backend,
      ...(member.namesKubeconfig && { config: { [`${member.project}:kubeconfig`]: KUBECONFIG } }),
      serviceAccountName: inCluster ? "deployer" : "workspace",
      refresh: true,
      continueResyncOnCommitMatch: true,
      resyncFrequencySeconds: resync,
      // Nothing that the operator would rewrite when it adds its finalizer, such as false or "1h": applying the same
      // manifest again would put it back, and start a run. So no `destroyOnFinalize: false`, which is the default.
      updateTemplate: { spec: { ttlAfterCompleted: "1h0m0s" } },
      workspaceTemplate: {
        spec: {
          image,
          securityProfile: "baseline", // OpenShift assigns the user; the other profile asks for user 1000
          local: { dir: WORKSPACE },
          resources: { requests: { cpu: "100m", memory: "512Mi" } },
          envFrom: secretEnv,
          // PULUMI_OPTION_NO_DEPENDENCIES: the packages are in the image
          env: envOf({ ...env, PULUMI_OPTION_NO_DEPENDENCIES: "true" }),
          podTemplate: {
            metadata: { annotations: { "spire-federation/stack-files": hashOf(member) } },
            spec: {
              initContainers: [
                {
                  name: "prepare",
                  image,
                  command: ["sh", "-c", prepareScript(member.stacks)],
                  envFrom: secretEnv,
                  env: envOf({
                    ...env,
                    PULUMI_BACKEND_URL: backend,
                    ...{ IMAGE_PROJECT, IMAGE_PLUGINS, STACK_FILES, WORKSPACE, MEMBER_KUBECONFIG: KUBECONFIG },
                  }),
                  securityContext: CONFINED,
                  volumeMounts: [SHARE, { name: "stack-files", mountPath: STACK_FILES, readOnly: true }],
                },
              ],
              containers: [
                {
                  name: "pulumi",
                  securityContext: CONFINED,
                  volumeMounts: [{ name: "kube", mountPath: posix.dirname(KUBECONFIG), readOnly: true }],
                },
              ],
              volumes: [
                { name: "stack-files", configMap: { name: configMapName(member), items: member.files.map(itemOf) } },
                { name: "kube", ...kubeconfigVolume(member, inCluster) },
              ],
            },
          },
        },
      },
    },
  };
}

export const itemOf = ({ path }: { path: string }): object => ({ key: keyOf(path), path });

/** What runs before the operator's agent opens the workspace. */
export function prepareScript(stacks: readonly NeededStack[]): string {
  const calls = stacks.map(({ id, secretsProvider }) =>
    [
      "make_stack",
      word(id),
      ...(secretsProvider === undefined ? [] : ["--secrets-provider", word(secretsProvider)]),
    ].join(" "),
  );
  return `${besides("prepare.sh")}${calls.join("\n")}\n`;
}

const kubeconfigVolume = ({ name }: DeployedMember, inCluster: boolean): object =>
  inCluster
    ? { configMap: { name: "kubeconfig" } }
    : { secret: { secretName: `kubeconfig-${name}`, items: [{ key: "config", path: "config" }] } };

/** Leads a pod to its own cluster, with the token of its ServiceAccount: it is no secret. */
export function ownKubeconfig({ context = "cluster" }: DeployedMember, deployment: Deployment): KubernetesObject {
  const account = "/var/run/secrets/kubernetes.io/serviceaccount";
  const token = `${account}/token`;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "own",
        cluster: { server: "https://kubernetes.default.svc", "certificate-authority": `${account}/ca.crt` },
      },
    ],
    // Kubernetes' clients read the first one, and Node's the second one.
    users: [{ name: "own", user: { tokenFile: token, "token-file": token } }],
    contexts: [{ name: context, context: { cluster: "own", user: "own" } }],
    "current-context": context,
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: named("kubeconfig", deployment),
    data: { config: stringify(config) },
  };
}
