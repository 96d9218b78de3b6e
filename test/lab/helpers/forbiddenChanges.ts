/** What RBAC allows the identities of docs/rbac/ and the policies beside it refuse: who applies what, and the field that is named. */
import type { Manifest } from "../../../lab/client/cluster";
import { PROBE } from "../../../mesh/verify/probe/probeObjects";

const [SUBSCRIPTION, CERT_MANAGER] = ["operators.coreos.com/v1alpha1", "cert-manager.io/v1"];
const namespace = "zero-trust-workload-identity-manager";

const server = (rest: object): Manifest => ({
  apiVersion: "operator.openshift.io/v1alpha1",
  kind: "SpireServer",
  ...rest,
  metadata: { name: "cluster", ...(rest as Partial<Manifest>).metadata },
});
const issuer = (name: string, spec: object): Manifest => ({
  apiVersion: CERT_MANAGER,
  kind: "Issuer",
  metadata: { name, namespace },
  spec,
});
const acme = (rest: object): Manifest =>
  issuer("letsencrypt-http01", {
    acme: {
      server: "https://acme-v02.api.letsencrypt.org/directory",
      privateKeySecretRef: { name: "letsencrypt-account-key" },
      solvers: [{ http01: { ingress: { ingressClassName: "openshift-default" } } }],
      ...rest,
    },
  });
const certificate = (rest: object, name = "spire-server-federation-tls"): Manifest => ({
  apiVersion: CERT_MANAGER,
  kind: "Certificate",
  metadata: { name, namespace },
  spec: { secretName: name, dnsNames: ["a.example.com"], issuerRef: { name: "letsencrypt-http01" }, ...rest },
});
const root = { secretName: "internal-ca-key-pair", isCA: true, commonName: "root", dnsNames: undefined };
const subscription = (spec: object, name = "openshift-zero-trust-workload-identity-manager"): Manifest => ({
  apiVersion: SUBSCRIPTION,
  kind: "Subscription",
  metadata: { name, namespace: name === "openshift-cert-manager-operator" ? "cert-manager-operator" : namespace },
  spec,
});
const certManager = (spec: object): Manifest => subscription(spec, "openshift-cert-manager-operator");
const variables = (...env: object[]): Manifest => subscription({ config: { env } });
const identity = (spec: object): Manifest => ({
  apiVersion: "spire.spiffe.io/v1alpha1",
  kind: "ClusterSPIFFEID",
  metadata: { name: PROBE },
  spec: {
    spiffeIDTemplate: "spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}",
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": PROBE } },
    ...spec,
  },
});

const database = { databaseType: "postgres", connectionString: "host=evil.example.com" };
const owner = { apiVersion: "v1", kind: "ConfigMap", name: "none", uid: "00000000-0000-0000-0000-000000000000" };
const owned = { metadata: { ownerReferences: [owner] } } as object;
const vault = {
  server: "https://evil.example.com",
  path: "x",
  auth: { tokenSecretRef: { name: "any", key: "token" } },
};
const secretKeyRef = { name: "any", key: "token" };

export const FORBIDDEN: [what: string, who: "auditor" | "deployer", object: Manifest, refusal: RegExp][] = [
  [
    "another database",
    "deployer",
    server({ spec: { datastore: database } }),
    /spec\.datastore: .*spec\.federation alone/,
  ],
  ["an owner that is not there", "deployer", server(owned), /metadata\.ownerReferences: /],
  ["a Vault issuer", "deployer", issuer("internal-ca", { vault }), /spec\.vault: /],
  ["an Issuer of another name", "deployer", issuer("vault", { vault }), /metadata\.name: /],
  ["an upstream CA", "deployer", issuer("internal-ca", { ca: { secretName: "upstream" } }), /spec\.ca\.secretName: /],
  [
    "a Secret as account key",
    "deployer",
    acme({ privateKeySecretRef: { name: "any" } }),
    /spec\.acme\.privateKeySecretRef/,
  ],
  [
    "a Secret as external account",
    "deployer",
    acme({ externalAccountBinding: { keyID: "x", keySecretRef: secretKeyRef } }),
    /spec\.acme\.externalAccountBinding: /,
  ],
  [
    "a solver that sends a Secret",
    "deployer",
    acme({ solvers: [{ dns01: { cloudflare: { apiTokenSecretRef: secretKeyRef } } }] }),
    /spec\.acme\.solvers: /,
  ],
  ["an SVID", "deployer", certificate({ uris: ["spiffe://apps.cluster1.example.com/spire/server"] }), /spec\.uris: /],
  ["a CA", "deployer", certificate({ isCA: true }), /spec\.isCA: /],
  ["a Secret of others", "deployer", certificate({ secretName: "any" }), /spec\.secretName: /],
  ["a client certificate", "deployer", certificate({ usages: ["client auth"] }), /spec\.usages: /],
  ["a CA below another", "deployer", certificate(root, "internal-ca-root"), /spec\.issuerRef: /],
  [
    "a root in a Secret of others",
    "deployer",
    certificate({ ...root, secretName: "any", issuerRef: { name: "internal-ca-root" } }, "internal-ca-root"),
    /spec\.secretName: /,
  ],
  ["an image", "deployer", variables({ name: "RELATED_IMAGE_SPIRE_SERVER", value: "evil" }), /spec\.config\.env: /],
  [
    "a value from a Secret",
    "deployer",
    variables({ name: "TRUSTED_CA_BUNDLE_CONFIGMAP", valueFrom: { secretKeyRef } }),
    /spec\.config\.env: .*ConfigMap of its own/,
  ],
  ["resources of the operator", "deployer", subscription({ config: { nodeSelector: { a: "b" } } }), /spec\.config: /],
  ["another channel of ZTWIM", "deployer", subscription({ channel: "other" }), /spec\.channel: /],
  ["another package", "deployer", certManager({ name: "any-operator" }), /spec\.name: /],
  ["variables of cert-manager", "deployer", certManager({ config: { env: [] } }), /spec\.config: /],
  [
    "SPIRE's configuration",
    "deployer",
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "spire-server", namespace } },
    /metadata\.name: /,
  ],
  ["identities of other pods", "auditor", identity({ namespaceSelector: {} }), /spec\.namespaceSelector: /],
  [
    "others' identity",
    "auditor",
    identity({ spiffeIDTemplate: "spiffe://{{ .TrustDomain }}/a" }),
    /spec\.spiffeIDTemplate/,
  ],
  ["an administrator", "auditor", identity({ admin: true }), /spec: /],
];
