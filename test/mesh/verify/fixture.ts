/** Three members that trust each other and are well, each a list of objects and a SPIRE server; tests change what they need. */
import { X509Certificate } from "node:crypto";
import { AccessError } from "../../../components/cluster/kubeconfig";
import type { ClusterReader, KubeObject } from "../../../components/cluster/cluster";
import { federatedTrustDomainSpec, federatesWith, type Peer } from "../../../components/bundle/peer";
import { secretReaderRules, SECRET_READERS } from "../../../components/routerSecretAccess";
import { configHash } from "../../../components/spireServer/spireServerReadiness";
import type { MeshMember } from "../../../mesh/members/members";
import { type Outcome, passes } from "../../../mesh/verify/check";
import type { Presented } from "../../../mesh/verify/presented";
import { verify, type World } from "../../../mesh/verify/verify";
import { type Published, publishedIn } from "../../../mesh/pulumi/workspace";
import type { Verification } from "../../../mesh/verify/verification";
import type { Contract } from "../../../stacks/contract";
import { issue, type Issued, root } from "../../components/issue";
import { clusterOf } from "../../components/readers";
import { configOf } from "../../stacks/fixtures";
import { HOME, memberOf } from "../members/given";
import { fingerprint, type HeldBundle, type Signing } from "../../../mesh/spire/bundle";

export const NAMES = ["cluster1", "cluster2", "cluster3"];
const NAMESPACE = "zero-trust-workload-identity-manager";
const SECRET = "spire-server-federation-tls";
export const NOW = new Date();

export const trustDomainOf = (name: string): string => `apps.${name}.example.com`;
export const hostOf = (name: string): string => `federation.${trustDomainOf(name)}`;
const othersOf = (name: string): string[] => NAMES.filter((other) => other !== name);

const peerOf = (name: string): Peer => ({
  stack: name,
  trustDomain: trustDomainOf(name),
  bundleEndpointUrl: `https://${hostOf(name)}`,
  profile: "https_web",
});

export type Live = KubeObject & Record<string, unknown>;

/** A member's cluster, as tests change it. */
export interface Cluster {
  objects: Live[];
  /** What the API server answers for a kind that may not be read. */
  refuses?: (kind: string) => Error | undefined;
  version: () => Promise<string>;
  verbs: string[];
  /** Why the SPIRE server cannot be asked. */
  serverRefuses?: Error;
  /** Why it cannot be asked for its own bundle and keys. */
  ownRefuses?: Error;
  /** Path of the SPIRE server's program in its container. */
  program: string;
  own: HeldBundle;
  signing: Signing;
  bundles: HeldBundle[];
  /** What happens before it says what it holds. */
  slow?: () => Promise<void>;
  relationships: string[];
  log: string;
  /** Of the SPIRE agents, by the names of their pods. */
  agentLogs: Record<string, string>;
  presented: Presented | Error;
  /** What the API server gets when it asks the SPIRE server in our place. */
  servedInside: string | Error;
}

const ca = issue("web CA", { ca: true });
const keys = new Map<string, Issued>();
/** Of the endpoints that are well. To make one takes longer than to judge it. */
const certificates = new Map<string, X509Certificate>();

function wellCertificateOf(host: string): X509Certificate {
  const known = certificates.get(host) ?? certificateOf(host);
  certificates.set(host, known);
  return known;
}

function keysOf(name: string): Issued {
  const known = keys.get(name) ?? root(trustDomainOf(name));
  keys.set(name, known);
  return known;
}

export function bundleOf(name: string, { certificate }: Issued, jwt: string): HeldBundle {
  return {
    trustDomain: trustDomainOf(name),
    roots: [certificate.raw],
    jwtKeys: [{ id: jwt, publicKey: publicKeyOf }],
    sequence: 4,
  };
}

/** All JWT keys of these tests are the same key by other names. */
const jwtKey = issue("a JWT key").certificate.publicKey;
const publicKeyOf = jwtKey.export({ type: "spki", format: "der" });

/** What an endpoint serves, presented with a good certificate. */
export function presentedOf(bundle: HeldBundle, host: string, certificate = certificateOf(host)): Presented {
  const keys = [
    ...bundle.roots.map((der) => {
      const { publicKey } = new X509Certificate(der);
      return { use: "x509-svid", ...publicKey.export({ format: "jwk" }), x5c: [der.toString("base64")] };
    }),
    ...bundle.jwtKeys.map(({ id }) => ({ use: "jwt-svid", kid: id, ...jwtKey.export({ format: "jwk" }) })),
  ];
  const body = JSON.stringify({ keys, spiffe_sequence: bundle.sequence });
  return { certificate, refused: undefined, status: 200, body };
}

export const certificateOf = (host: string, times: { notBefore?: Date; notAfter?: Date } = {}): X509Certificate =>
  issue(host, { dnsNames: [host], issuer: ca, ...times }).certificate;

export function clusterNamed(
  name: string,
  others: readonly string[] = othersOf(name),
  certificate: X509Certificate = wellCertificateOf(hostOf(name)),
): Cluster {
  const own = bundleOf(name, keysOf(name), `jwt-of-${name}`);
  return {
    objects: objectsOf(name, others, certificate),
    version: () => Promise.resolve("v1.35.3"),
    verbs: ["get", "list", "watch"],
    program: "/spire-server",
    own,
    signing: { x509: own.roots.map(fingerprint), jwt: [`jwt-of-${name}`] },
    bundles: others.map((other) => bundleOf(other, keysOf(other), `jwt-of-${other}`)),
    relationships: others.map(trustDomainOf),
    log: others.map((other) => pollLine(30, "Bundle refreshed", trustDomainOf(other))).join("\n"),
    agentLogs: { "spire-agent-a": "" },
    presented: presentedOf(own, hostOf(name), certificate),
    servedInside: presentedOf(own, hostOf(name), certificate).body,
  };
}

/** A line of a SPIRE server's log. */
export function pollLine(secondsAgo: number, msg: string, trustDomain: string, error?: string): string {
  const time = new Date(NOW.getTime() - secondsAgo * 1000).toISOString();
  const why = error === undefined ? "" : ` error=${JSON.stringify(error)}`;
  return `time="${time}" level=info msg="${msg}"${why} subsystem_name=bundle_client trust_domain=${trustDomain}`;
}

const ready = (type = "Ready"): object => ({ conditions: [{ type, status: "True" }] });

function objectsOf(name: string, others: readonly string[], certificate: X509Certificate): Live[] {
  const peers = others.map(peerOf);
  const host = hostOf(name);
  const httpsWeb = { servingCert: { fileSyncInterval: 86400, externalSecretRef: SECRET } };
  const federation = {
    bundleEndpoint: { profile: "https_web", refreshHint: 300, httpsWeb },
    managedRoute: "true",
    federatesWith: federatesWith(peers),
  };
  const conf = JSON.stringify({
    server: {
      federation: {
        bundle_endpoint: {
          refresh_hint: "300s",
          profile: { https_web: { serving_cert_file: { file_sync_interval: "86400s" } } },
        },
        federates_with: Object.fromEntries(
          peers.map(({ trustDomain, bundleEndpointUrl }) => [
            trustDomain,
            { bundle_endpoint_url: bundleEndpointUrl, bundle_endpoint_profile: { https_web: {} } },
          ]),
        ),
      },
    },
  });
  const rolledOut = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1 };
  const operator = ["openshift-cert-manager-operator", "cert-manager-operator"] as const;
  const [startedAt, renewalTime] = [-3600, 3600].map((seconds) =>
    new Date(NOW.getTime() + seconds * 1000).toISOString(),
  );
  const { validFrom, validTo } = certificate;
  const times = {
    notBefore: new Date(validFrom).toISOString(),
    notAfter: new Date(validTo).toISOString(),
    renewalTime,
  };
  const running = (container: string): object => ({
    name: container,
    ready: true,
    restartCount: 0,
    state: { running: { startedAt } },
  });
  return [
    live("operators.coreos.com/v1", "OperatorGroup", ...operator, {}),
    live("operators.coreos.com/v1alpha1", "Subscription", ...operator, {
      metadata: { annotations: { "spire-federation/stack": name } },
      spec: { name: "openshift-cert-manager-operator" },
      status: { currentCSV: "cert-manager-operator.v1" },
    }),
    live("operators.coreos.com/v1alpha1", "ClusterServiceVersion", "cert-manager-operator.v1", operator[1], {
      status: { phase: "Succeeded" },
    }),
    live("apps/v1", "Deployment", "cert-manager", "cert-manager", { status: rolledOut }),
    live("operator.openshift.io/v1alpha1", "ZeroTrustWorkloadIdentityManager", "cluster", undefined, {
      spec: { trustDomain: trustDomainOf(name) },
    }),
    live("config.openshift.io/v1", "Ingress", "cluster", undefined, { spec: { domain: trustDomainOf(name) } }),
    live("operator.openshift.io/v1alpha1", "SpireServer", "cluster", undefined, {
      spec: { federation },
      status: ready(),
    }),
    live("cert-manager.io/v1", "Issuer", "letsencrypt-http01", NAMESPACE, {
      spec: {
        acme: {
          server: "https://acme-v02.api.letsencrypt.org/directory",
          privateKeySecretRef: { name: "letsencrypt-account-key" },
          solvers: [{ http01: { ingress: { ingressClassName: "openshift-default" } } }],
        },
      },
      status: ready(),
    }),
    live("cert-manager.io/v1", "Certificate", SECRET, NAMESPACE, {
      spec: { dnsNames: [host], issuerRef: { kind: "Issuer", name: "letsencrypt-http01" } },
      status: { ...ready(), ...times },
    }),
    live("cert-manager.io/v1", "CertificateRequest", `${SECRET}-1`, NAMESPACE, {
      metadata: { annotations: { "cert-manager.io/certificate-name": SECRET } },
      status: { certificate: Buffer.from(certificate.toString()).toString("base64") },
    }),
    live("rbac.authorization.k8s.io/v1", "Role", "secret-reader", NAMESPACE, { rules: secretReaderRules(SECRET) }),
    live("rbac.authorization.k8s.io/v1", "RoleBinding", "secret-reader-binding", NAMESPACE, {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secret-reader" },
      subjects: SECRET_READERS,
    }),
    live("route.openshift.io/v1", "Route", "spire-server-federation", NAMESPACE, {
      spec: { host, tls: { termination: "reencrypt", externalCertificate: { name: SECRET } } },
      status: { ingress: [{ host, ...ready("Admitted") }] },
    }),
    live("v1", "ConfigMap", "spire-server", NAMESPACE, { data: { "server.conf": conf } }),
    live("apps/v1", "StatefulSet", "spire-server", NAMESPACE, {
      spec: {
        template: { metadata: { annotations: { "ztwim.openshift.io/spire-server-config-hash": configHash(conf) } } },
      },
      status: rolledOut,
    }),
    live("v1", "Pod", "spire-server-0", NAMESPACE, {
      status: { containerStatuses: [running("spire-server"), running("spire-controller-manager")] },
    }),
    live("apps/v1", "DaemonSet", "spire-agent", NAMESPACE, { status: { desiredNumberScheduled: 1, numberReady: 1 } }),
    ...agentNamed("spire-agent-a", "node1", running("spire-agent")),
    live("operator.openshift.io/v1alpha1", "SpiffeCSIDriver", "cluster", undefined, {}),
    live("apps/v1", "DaemonSet", "spire-spiffe-csi-driver", NAMESPACE, {
      status: { desiredNumberScheduled: 1, numberReady: 1 },
    }),
    live("operator.openshift.io/v1alpha1", "SpireOIDCDiscoveryProvider", "cluster", undefined, {}),
    live("apps/v1", "Deployment", "spire-spiffe-oidc-discovery-provider", NAMESPACE, { status: { ...rolledOut } }),
    live("v1", "ConfigMap", "spire-controller-manager", NAMESPACE, {
      data: { "controller-manager-config.yaml": "gcInterval: 10000000000\nclassName: x\n" },
    }),
    live("operators.coreos.com/v1alpha1", "Subscription", "ztwim", NAMESPACE, {
      spec: { name: "openshift-zero-trust-workload-identity-manager" },
      status: { installedCSV: "zero-trust-workload-identity-manager.v1.1.1" },
    }),
    ...peers.map((peer) =>
      live("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", `${peer.stack}-federation`, undefined, {
        spec: federatedTrustDomainSpec(peer),
      }),
    ),
  ];
}

/** The pod of an agent that is ready. It was restarted, as each is when it starts before the bundle is there. */
export function agentNamed(name: string, nodeName: string, container: object = { name: "spire-agent" }): Live[] {
  const status = {
    phase: "Running",
    conditions: [{ type: "Ready", status: "True" }],
    containerStatuses: [{ ...container, restartCount: 1 }],
  };
  const metadata = { labels: { "app.kubernetes.io/name": "spire-agent" } };
  return [live("v1", "Pod", name, NAMESPACE, { metadata, spec: { nodeName }, status })];
}

/** A line of a SPIRE agent's log. */
export function agentLine(
  secondsAgo: number,
  msg: string,
  fields: Record<string, string> = {},
  level = "error",
): string {
  const time = new Date(NOW.getTime() - secondsAgo * 1000).toISOString();
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `time="${time}" level=${level} msg="${msg}"${rest.join("")} subsystem_name=workload_attestor`;
}

function live(apiVersion: string, kind: string, name: string, namespace: string | undefined, rest: object): Live {
  const { metadata = {}, ...content } = rest as { metadata?: object };
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }), ...metadata },
    ...content,
  };
}

export const memberNamed = (name: string, raw: Record<string, unknown> = {}, stack = name): MeshMember => {
  const own = { context: name, trustDomain: trustDomainOf(name), peers: othersOf(name) };
  return memberOf(configOf({ ...own, ...raw }, { ...HOME, stack }));
};

/** What is otherwise. */
export interface Otherwise {
  members?: MeshMember[];
  chosen?: string[];
  change?: (clusters: Record<string, Cluster>) => void;
  published?: (reference: string) => Contract | undefined;
  /** Whom the last up of a member made it trust; fails where its stack cannot be read. */
  trusts?: (reference: string) => Published["peers"];
  /** What Pulumi says of the outputs of a stack, instead of the two above. */
  outputs?: (reference: string) => string;
  endpoint?: (url: string, ca: string | undefined) => Presented | undefined;
  parallel?: number;
  /** What is wrong with the file of a peer, by the peer's id. */
  unread?: ReadonlyMap<string, string>;
}

export function look({
  members = NAMES.map((name) => memberNamed(name)),
  chosen,
  ...otherwise
}: Otherwise = {}): Promise<Verification> {
  const clusters = Object.fromEntries(NAMES.map((name) => [name, clusterNamed(name)]));
  otherwise.change?.(clusters);
  const world: World = {
    cluster: ({ context = "" }) => {
      const cluster = clusters[context];
      if (cluster === undefined) throw new AccessError("context", `context "${context}" is not in the kubeconfig`);
      const ask = <T>(answer: T): Promise<T> => given(cluster.serverRefuses ?? answer) as Promise<T>;
      const unasked = (): Promise<never> => Promise.reject(new Error("changes something"));
      return {
        reader: {
          ...refusing(clusterOf(...cluster.objects), cluster.refuses),
          ask: () => given(cluster.servedInside) as Promise<string>,
        },
        api: {
          version: cluster.version,
          routersVerbs: () => given(cluster.verbs),
          serverLog: () => given(cluster.log),
          agentLog: (pod) => given(cluster.agentLogs[pod] ?? new Error(`no log of ${pod}`)) as Promise<string>,
        },
        server: {
          program: () => ask(cluster.program),
          ownBundle: () => (cluster.ownRefuses ? Promise.reject(cluster.ownRefuses) : ask(cluster.own)),
          signing: () => ask(cluster.signing),
          bundles: async () => (await cluster.slow?.(), ask(cluster.bundles)),
          relationships: () => ask(cluster.relationships),
          polls: unasked,
          forget: unasked,
        },
      };
    },
    endpoint: (url, ca) => {
      const name = NAMES.find((one) => url === `https://${hostOf(one)}`);
      const presented = otherwise.endpoint?.(url, ca) ?? (name === undefined ? undefined : clusters[name]?.presented);
      if (presented === undefined) return Promise.reject(new Error(`getaddrinfo ENOTFOUND ${url}`));
      return given(presented) as Promise<Presented>;
    },
    published: async (reference) => {
      if (otherwise.outputs !== undefined)
        return publishedIn(JSON.parse(otherwise.outputs(reference)) as Partial<Published>);
      const federation = otherwise.published?.(reference);
      const peers = otherwise.trusts?.(reference) ?? {};
      return Promise.resolve({ ...(federation && { federation }), pendingPeers: [], peers });
    },
    now: () => NOW,
    parallel: otherwise.parallel ?? 8,
    unread: otherwise.unread ?? new Map(),
    version: "0.1.0",
    note: () => undefined,
  };
  return verify(chosen === undefined ? members : members.filter(({ name }) => chosen.includes(name)), members, world);
}

/** An answer; an error instead is one to the question. */
const given = <T>(answer: T): Promise<T> =>
  answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);

/** A reader of a cluster where some kinds may not be read, and pods are selected by one label. */
function refusing(reader: ClusterReader, refuses: Cluster["refuses"] = () => undefined): ClusterReader {
  const ask = async <T>(kind: string, read: () => Promise<T>): Promise<T> => {
    const refused = refuses(kind);
    if (refused !== undefined) throw refused;
    return read();
  };
  return {
    access: reader.access,
    get: (apiVersion, kind, ...rest) => ask(kind, () => reader.get(apiVersion, kind, ...rest)),
    list: (apiVersion, kind, namespace, selector) =>
      ask(kind, async () => {
        const all = await reader.list(apiVersion, kind, namespace);
        const [key = "", value] = selector?.split("=") ?? [];
        return (kind === "Pod" ? all.filter(({ metadata }) => metadata?.labels?.[key] === value) : all) as never[];
      }),
  };
}

/** An object of a cluster, to be changed. */
export function objectIn(cluster: Cluster | undefined, kind: string, name?: string): Live & Record<string, never> {
  const found = cluster?.objects.find(
    (one) => one.kind === kind && (name === undefined || one.metadata?.name === name),
  );
  if (found === undefined) throw new Error(`there is no ${kind} ${name ?? ""}`);
  return found as Live & Record<string, never>;
}

export function removeFrom(cluster: Cluster | undefined, kind: string, name?: string): void {
  const object = objectIn(cluster, kind, name);
  if (cluster) cluster.objects = cluster.objects.filter((one) => one !== object);
}

/** What there is to know of members that are well, as `cluster1 MESH124`. */
export const warnings = ({ members, pairs }: Verification): string[] => [
  ...members.flatMap(({ member, checks }) =>
    checks.flatMap(({ code, state }) => (state === "warn" || state === "note" ? [`${member} ${code}`] : [])),
  ),
  ...pairs.flatMap(({ member, peer, checks }) =>
    checks.flatMap(({ code, state }) => (state === "warn" || state === "note" ? [`${member}->${peer} ${code}`] : [])),
  ),
];

/** What is not in order, as `cluster1 MESH121 failed` and `cluster1->cluster2 MESH211 failed`. */
export function faults({ members, pairs, peers }: Verification): string[] {
  const of = (who: string, checks: readonly Outcome[]): string[] =>
    checks.flatMap(({ code, state }) => (passes(state) || state === "skipped" ? [] : [`${who} ${code} ${state}`]));
  return [
    ...members.flatMap(({ member, checks }) => of(member, checks)),
    ...pairs.flatMap(({ member, peer, checks }) => of(`${member}->${peer}`, checks)),
    ...peers.flatMap(({ peer, checks }) => of(`peer ${peer}`, checks)),
  ];
}
