/** What the tests of the components have in common: a cluster in which everything is ready, and a peer that answers. */
import { createHash } from "node:crypto";
import type { Cluster, KubeObject } from "../../components/cluster/cluster";
import { planIssuer } from "../../components/certificates/issuer";
import type { Peer } from "../../components/bundle/peer";
import { root, rootKey } from "./issue";
import { clusterOf } from "./readers";

export const NAMESPACE = "zero-trust-workload-identity-manager";
export const DOMAIN = "apps.cluster1.example.com";
export const HOST = "federation.apps.cluster1.example.com";

export const peer: Peer = {
  stack: "cluster2",
  trustDomain: "apps.cluster2.example.com",
  bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
  profile: "https_web",
};
export const peerRoot = root(peer.trustDomain);
export const peerBundle = { keys: [rootKey(peerRoot)], spiffe_sequence: 1, spiffe_refresh_hint: 300 };

/**
 * A cluster that has nothing, and answers each question once: what a component reads before it declares its objects is
 * answered, and what waits for them never goes on and leaves no timer.
 */
export function silentCluster(): Cluster {
  const asked = new Set<string>();
  const once = <T>(answer: T, ...question: unknown[]): Promise<T> => {
    const key = JSON.stringify(question);
    if (asked.has(key)) return new Promise(() => undefined);
    asked.add(key);
    return Promise.resolve(answer);
  };
  return {
    access: {},
    get: (...question) => once(undefined, ...question),
    list: (...question) => once([], ...question),
    ask: () => new Promise(() => undefined),
  };
}

const httpsWeb = { servingCert: { fileSyncInterval: 86400, externalSecretRef: "spire-server-federation-tls" } };
export const federation = {
  bundleEndpoint: { profile: "https_web", refreshHint: 300, httpsWeb },
  managedRoute: "true",
};

const serverConf = JSON.stringify({
  server: {
    federation: {
      bundle_endpoint: {
        refresh_hint: "300s",
        profile: { https_web: { serving_cert_file: { file_sync_interval: "86400s" } } },
      },
    },
  },
});
const hash = createHash("sha256").update(serverConf).digest("hex");
const rolledOut = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1 };
const isReady = { conditions: [{ type: "Ready", status: "True" }] };

const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | undefined,
  rest: object,
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace && { namespace }) },
  ...rest,
});

/** OLM has installed ZTWIM, and OpenShift has written the cluster's CAs. */
export const withZtwim = (clusterCas: string): Cluster =>
  clusterOf(
    object("operators.coreos.com/v1alpha1", "Subscription", "ztwim", NAMESPACE, {
      spec: { name: "openshift-zero-trust-workload-identity-manager" },
    }),
    object("v1", "ConfigMap", "spire-federation-trusted-cas", NAMESPACE, { data: { "ca-bundle.crt": clusterCas } }),
  );

/** Everything is installed and ready. */
export const ready = clusterOf(
  object("operators.coreos.com/v1", "OperatorGroup", "openshift-cert-manager-operator", "cert-manager-operator", {}),
  {
    apiVersion: "operators.coreos.com/v1alpha1",
    kind: "Subscription",
    metadata: {
      name: "openshift-cert-manager-operator",
      namespace: "cert-manager-operator",
      annotations: { "spire-federation/stack": "cluster1" },
    },
    ...{
      spec: { name: "openshift-cert-manager-operator" },
      status: { currentCSV: "cert-manager-operator.v1.18.1" },
    },
  },
  object(
    "operators.coreos.com/v1alpha1",
    "ClusterServiceVersion",
    "cert-manager-operator.v1.18.1",
    "cert-manager-operator",
    {
      status: { phase: "Succeeded" },
    },
  ),
  ...["cert-manager", "cert-manager-webhook"].map((name) =>
    object("apps/v1", "Deployment", name, "cert-manager", { status: rolledOut }),
  ),
  object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "cert-manager-webhook", undefined, {
    webhooks: [{ clientConfig: { caBundle: "Q0E=" } }],
  }),
  object("cert-manager.io/v1", "Certificate", "spire-server-federation-tls", NAMESPACE, { status: isReady }),
  {
    apiVersion: "cert-manager.io/v1",
    kind: "CertificateRequest",
    metadata: {
      name: "spire-server-federation-tls-1",
      namespace: NAMESPACE,
      annotations: { "cert-manager.io/certificate-name": "spire-server-federation-tls" },
    },
    ...{ status: { certificate: Buffer.from("leaf").toString("base64") } },
  },
  ...["letsencrypt-http01", "internal-ca", planIssuer({ type: "ca", selfSigned: true }, HOST).reference.name].map(
    (name) => object("cert-manager.io/v1", "Issuer", name, NAMESPACE, { status: isReady }),
  ),
  object("cert-manager.io/v1", "ClusterIssuer", "corporate", undefined, { status: isReady }),
  object("operator.openshift.io/v1alpha1", "SpireServer", "cluster", undefined, {
    spec: { federation },
    status: isReady,
  }),
  object("v1", "ConfigMap", "spire-server", NAMESPACE, { data: { "server.conf": serverConf } }),
  object("v1", "ConfigMap", "spire-bundle", NAMESPACE, { data: { "bundle.crt": "the roots" } }),
  object("apps/v1", "StatefulSet", "spire-server", NAMESPACE, {
    spec: { template: { metadata: { annotations: { "ztwim.openshift.io/spire-server-config-hash": hash } } } },
    status: rolledOut,
  }),
  ...["spire-server-federation", "spire-federation-endpoint"].map((name) =>
    object("route.openshift.io/v1", "Route", name, NAMESPACE, {
      spec: {
        host: HOST,
        tls: { termination: "reencrypt", externalCertificate: { name: "spire-server-federation-tls" } },
      },
      status: { ingress: [{ host: HOST, conditions: [{ type: "Admitted", status: "True" }] }] },
    }),
  ),
);
