/** Ways to break a cluster, and to put it right again. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState } from "../../../lab/client/project";
import { issue } from "../../components/issue";

export const CERTIFICATE = "spire-server-federation-tls";

/** Something that goes wrong, and how it is undone. */
export interface Injection {
  inject: () => Promise<unknown>;
  undo: () => Promise<unknown>;
}

const APIS = {
  Certificate: "cert-manager.io/v1",
  ClusterRole: "rbac.authorization.k8s.io/v1",
  ConfigMap: "v1",
  Issuer: "cert-manager.io/v1",
  ClusterFederatedTrustDomain: "spire.spiffe.io/v1alpha1",
  Deployment: "apps/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
  Route: "route.openshift.io/v1",
  Secret: "v1",
  SpireServer: "operator.openshift.io/v1alpha1",
} as const;
type Kind = keyof typeof APIS;

export const object = (kind: Kind, name: string, content: object = {}, namespace = NAMESPACE): Manifest => ({
  apiVersion: APIS[kind],
  kind,
  metadata: metadataOf(kind, name, namespace),
  ...content,
});
const metadataOf = (kind: Kind, name: string, namespace = NAMESPACE): Manifest["metadata"] =>
  ["ClusterFederatedTrustDomain", "ClusterRole", "SpireServer"].includes(kind) ? { name } : { name, namespace };
export const merge = (cluster: Cluster, kind: Kind, name: string, content: object, namespace?: string): Promise<void> =>
  cluster.merge(object(kind, name, content, namespace));

/** Takes an object away, and brings it back as it was. */
export function removal(cluster: Cluster, kind: Kind, name: string): Injection {
  let saved: Manifest;
  return {
    inject: async () => {
      const found = await cluster.read(APIS[kind], kind, name);
      const { annotations = {}, labels = {} } = found.metadata;
      saved = { ...found, apiVersion: APIS[kind], kind, metadata: { ...metadataOf(kind, name), annotations, labels } };
      await cluster.remove(APIS[kind], kind, name);
    },
    undo: () => cluster.apply(saved),
  };
}

/** Changes an object, and back. */
export const change = (cluster: Cluster, kind: Kind, name: string, there: object, back: object): Injection => ({
  inject: () => merge(cluster, kind, name, there),
  undo: () => merge(cluster, kind, name, back),
});

/** A change of the Certificate, with the certificate that comes of it: to look at a whole mesh until it is there is much. */
export function issuing(cluster: Cluster, { inject, undo }: Injection): Injection {
  const issued = (): Promise<void> =>
    eventually(async () => {
      const { metadata, status } = await cluster.read(APIS.Certificate, "Certificate", CERTIFICATE);
      const ready = { type: "Ready", status: "True", observedGeneration: metadata.generation };
      expect(status).toMatchObject({ conditions: expect.arrayContaining([expect.objectContaining(ready)]) as unknown });
    });
  return { inject: () => inject().then(issued), undo: () => undo().then(issued) };
}

export const spec = (content: object): object => ({ spec: content });

const processes = (): { pid: number; parent: number; command: string }[] =>
  readdirSync("/proc").flatMap((name) => {
    try {
      const pid = Number(name);
      const stat = Number.isNaN(pid) ? "" : readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return stat === "" ? [] : [{ pid, parent, command: readFileSync(`/proc/${name}/cmdline`, "utf8") }];
    } catch {
      return []; // it has just ended
    }
  });

export const pidOf = (cluster: Cluster, server: string): number =>
  Number(readFileSync(join(labState(), cluster.name, `${server}.pid`), "utf8"));

/** Sends a signal to a program of a cluster's pods, which are processes below that of the cluster. */
export function signal(cluster: Cluster, program: RegExp, name: NodeJS.Signals): void {
  const all = processes();
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const root = parents.get(pidOf(cluster, "kube-apiserver"));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === root || isBelow(parents.get(pid)));
  for (const { pid, command } of all) {
    if (!program.test(command) || !isBelow(pid)) continue;
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has just ended
    }
  }
}

/** A pod that serves this to the router, with a certificate that the router trusts. */
function impostor(bundle: string): Manifest[] {
  const metadata = { name: "impostor", namespace: NAMESPACE, labels: { app: "impostor" } };
  const files = "key: fs.readFileSync('/tls/tls.key'), cert: fs.readFileSync('/tls/tls.crt')";
  const script = `const fs = require("fs"); require("https").createServer({${files}}, (_, r) => r.end(process.env.BUNDLE)).listen(8443)`;
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, annotations: { "service.beta.openshift.io/serving-cert-secret-name": "impostor" } },
      spec: { selector: { app: "impostor" }, ports: [{ name: "federation", port: 8443, targetPort: 8443 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "impostor",
            image: "registry.access.redhat.com/ubi9/nodejs-22-minimal",
            command: ["node", "-e", script],
            env: [{ name: "BUNDLE", value: bundle }],
            readinessProbe: { tcpSocket: { port: 8443 } },
            volumeMounts: [{ name: "tls", mountPath: "/tls" }],
          },
        ],
        volumes: [{ name: "tls", secret: { secretName: "impostor" } }],
      },
    },
  ];
}

/** A certificate of nobody's CA in the place of the endpoint's, while cert-manager, which would put it right, is stopped. */
export function presented(cluster: Cluster, times: { notBefore?: Date; notAfter?: Date }): Injection {
  let saved: Record<string, string>;
  return {
    inject: async () => {
      signal(cluster, CERT_MANAGER, "SIGSTOP");
      const found = await cluster.core.readNamespacedSecret({ name: CERTIFICATE, namespace: NAMESPACE });
      saved = found.data ?? {};
      const { pem, keyPem } = issue("nobody", { dnsNames: [cluster.host], ...times });
      const encode = (text: string): string => Buffer.from(text).toString("base64");
      await merge(cluster, "Secret", CERTIFICATE, { data: { "tls.crt": encode(pem), "tls.key": encode(keyPem) } });
    },
    undo: async () => {
      await merge(cluster, "Secret", CERTIFICATE, { data: saved });
      signal(cluster, CERT_MANAGER, "SIGCONT");
    },
  };
}
export const CERT_MANAGER = /^\/app\/cmd\/controller\/controller\0/;

/** Agents that the kubelet tells nothing, while the operator, which would give them their right back, is stopped. */
export function withoutKubelet(cluster: Cluster): Injection {
  const rights = (resources: string[]): Promise<void> =>
    merge(cluster, "ClusterRole", "spire-agent", { rules: [{ apiGroups: [""], resources, verbs: ["get"] }] });
  // The kubelet remembers what it has allowed to a token.
  const restart = async (): Promise<void> => {
    const labelSelector = "app.kubernetes.io/name=spire-agent";
    await cluster.core.deleteCollectionNamespacedPod({ namespace: NAMESPACE, labelSelector });
  };
  return {
    inject: async () => {
      signal(cluster, ZTWIM, "SIGSTOP");
      await rights(["pods", "nodes"]);
      await restart();
    },
    undo: async () => {
      await rights(["pods", "nodes", "nodes/proxy"]);
      signal(cluster, ZTWIM, "SIGCONT");
      await restart();
    },
  };
}
/** The stand-in, or the real operator in its place, whose file may have any name. */
const ZTWIM = /^\/opt\/lab\/(?:lab-standin\0ztwim-operator\0|[^\0]+\0--health-probe-bind-address=:8081\0)/;

/** A server.conf that is neither JSON nor HCL, while the operator, which would write it anew, is stopped; SPIRE goes on with the old one. */
export function brokenConf(cluster: Cluster): Injection {
  let saved: Record<string, string>;
  return {
    inject: async () => {
      signal(cluster, ZTWIM, "SIGSTOP");
      const { data } = await cluster.core.readNamespacedConfigMap({ name: "spire-server", namespace: NAMESPACE });
      saved = data ?? {};
      await merge(cluster, "ConfigMap", "spire-server", { data: { "server.conf": "server { a: [b" } });
    },
    undo: async () => {
      await merge(cluster, "ConfigMap", "spire-server", { data: saved });
      signal(cluster, ZTWIM, "SIGCONT");
    },
  };
}

/** The endpoint is the impostor's, which serves what is made of the bundle. */
export function served(cluster: Cluster, bundle: () => Promise<string>): Injection {
  const leadTo = (name: string): Promise<void> =>
    merge(cluster, "Route", cluster.route, spec({ to: { kind: "Service", name, weight: 100 } }));
  return {
    inject: async () => {
      for (const manifest of impostor(await bundle())) await cluster.apply(manifest);
      await leadTo("impostor");
    },
    undo: async () => {
      await leadTo("spire-server");
      for (const { apiVersion, kind, metadata } of impostor("").reverse())
        await cluster.remove(apiVersion, kind, metadata.name);
    },
  };
}
