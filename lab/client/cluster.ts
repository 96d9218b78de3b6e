/** One cluster of the lab seen from outside: through its API server and its bundle endpoint, never through Pulumi. */
import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { connect, type PeerCertificate } from "node:tls";
import {
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
  type V1Status,
} from "../../components/cluster/kubernetesClient";

export const NAMESPACE = "zero-trust-workload-identity-manager";
export const ZTWIM_SUBSCRIPTION = "openshift-zero-trust-workload-identity-manager";
const SERVER_POD = "spire-server-0";

/** Public keys of one trust domain: SHA-256 of each X.509 root, key id of each JWT key; sorted, so that two can be compared. */
export interface Keys {
  x509: string[];
  jwt: string[];
}

/** An object as YAML has it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
    generation?: number;
    uid?: string;
  };
  spec?: object;
  status?: object;
}

interface Condition {
  type: string;
  status: string;
  message?: string;
}

export interface Route extends Manifest {
  spec?: { host?: string; tls?: { termination?: string; externalCertificate?: { name?: string } } };
  status?: { ingress?: { conditions?: Condition[] }[] };
}

export class Cluster {
  /** All of the running lab. */
  static names(): string[] {
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromDefault();
    return kubeconfig.getContexts().map(({ name }) => name);
  }

  readonly kubeconfig = new KubeConfig();
  readonly core: CoreV1Api;
  private readonly objects: KubernetesObjectApi;

  /** CA certificates (PEM) that vouch for the endpoint, where none of the lab's public ones does. */
  endpointCa?: string;

  /** `trustDomain` where `lab up --trust-domain` has set another. */
  constructor(
    readonly name: string,
    readonly trustDomain = `apps.${name}.example.com`,
  ) {
    this.kubeconfig.loadFromDefault();
    this.kubeconfig.setCurrentContext(name);
    this.core = this.kubeconfig.makeApiClient(CoreV1Api);
    this.objects = KubernetesObjectApi.makeApiClient(this.kubeconfig);
  }

  get host(): string {
    return `federation.apps.${this.name}.example.com`;
  }

  async pods(): Promise<V1Pod[]> {
    return (await this.core.listNamespacedPod({ namespace: NAMESPACE })).items;
  }

  async read(apiVersion: string, kind: string, name: string): Promise<Manifest> {
    return (await this.objects.read({
      apiVersion,
      kind,
      metadata: { name, namespace: NAMESPACE },
    })) as unknown as Manifest;
  }

  async list(apiVersion: string, kind: string, namespace: string): Promise<Manifest[]> {
    return (await this.objects.list(apiVersion, kind, namespace)).items as unknown as Manifest[];
  }

  /** The ingress domain. By itself, because `read` takes this Ingress for Kubernetes' own and drops what that doesn't have. */
  async domain(): Promise<string> {
    const ingress = { group: "config.openshift.io", version: "v1", plural: "ingresses", name: "cluster" };
    const found: unknown = await this.kubeconfig.makeApiClient(CustomObjectsApi).getClusterCustomObject(ingress);
    return (found as { spec: { domain: string } }).spec.domain;
  }

  async create(manifest: Manifest): Promise<void> {
    await this.objects.create(manifest);
  }

  async remove(apiVersion: string, kind: string, name: string, namespace = NAMESPACE): Promise<void> {
    await this.objects.delete({ apiVersion, kind, metadata: { name, namespace } });
  }

  /** What `oc apply` does: server-side, as one user who insists. */
  async apply(manifest: Manifest): Promise<void> {
    await this.objects.patch(manifest, undefined, undefined, "by-hand", true, PatchStrategy.ServerSideApply);
  }

  /** What `oc patch --type merge` does; `manager` is whom the API server notes as the one who has set the fields. */
  async merge(patch: Manifest, manager?: string): Promise<void> {
    await this.objects.patch(patch, undefined, undefined, manager, undefined, PatchStrategy.MergePatch);
  }

  async annotate(apiVersion: string, kind: string, name: string, annotations: Record<string, string>): Promise<void> {
    await this.merge({ apiVersion, kind, metadata: { name, namespace: NAMESPACE, annotations } });
  }

  /** A variable of ZTWIM's operator, the only one beside those of its release: in its Subscription, from where OLM takes it. */
  async setOperatorEnv(name: string, value: string): Promise<void> {
    await this.merge({
      apiVersion: "operators.coreos.com/v1alpha1",
      kind: "Subscription",
      metadata: { name: ZTWIM_SUBSCRIPTION, namespace: NAMESPACE },
      spec: { config: { env: [{ name, value }] } },
    });
  }

  /** What `cmctl renew` does: cert-manager issues at once. */
  async renew(certificate: string): Promise<void> {
    const issuing = { type: "Issuing", status: "True", reason: "ManuallyTriggered", message: "asked for by hand" };
    await this.kubeconfig.makeApiClient(CustomObjectsApi).patchNamespacedCustomObjectStatus(
      {
        group: "cert-manager.io",
        version: "v1",
        namespace: NAMESPACE,
        plural: "certificates",
        name: certificate,
        body: { status: { conditions: [{ ...issuing, lastTransitionTime: new Date().toISOString() }] } },
      },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  }

  /** The Route that serves the bundle endpoint: the operator's is for the trust domain alone. */
  get route(): string {
    return this.host === `federation.${this.trustDomain}` ? "spire-server-federation" : "spire-federation-endpoint";
  }

  /** The router's word on the Route of the bundle endpoint. */
  async admission(): Promise<{ route: Route; admitted: Condition | undefined }> {
    const route: Route = await this.read("route.openshift.io/v1", "Route", this.route);
    return { route, admitted: route.status?.ingress?.[0]?.conditions?.find((c) => c.type === "Admitted") };
  }

  /** Runs a command in a container; stdout is returned, a non-zero exit code is an error with its stderr. */
  async exec(pod: string, container: string, command: string[], namespace = NAMESPACE): Promise<string> {
    const [out, err] = [new PassThrough(), new PassThrough()];
    let [stdout, stderr] = ["", ""];
    out.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    err.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const status = await new Promise<V1Status>((done, fail) => {
      new Exec(this.kubeconfig).exec(namespace, pod, container, command, out, err, null, false, done).catch(fail);
    });
    if (status.status !== "Success")
      throw new Error(`${command.join(" ")} in ${this.name}/${pod}: ${status.message ?? "failed"}\n${stderr}`);
    return stdout;
  }

  spireServer(...args: string[]): Promise<string> {
    return this.exec(SERVER_POD, "spire-server", ["/spire-server", ...args]);
  }

  /** What this cluster's SPIRE server has written since it started. */
  serverLog(): Promise<string> {
    return this.core.readNamespacedPodLog({ name: SERVER_POD, namespace: NAMESPACE, container: "spire-server" });
  }

  /** The keys that this cluster's SPIRE server holds of another trust domain; undefined when it holds none. */
  async heldKeys(trustDomain: string): Promise<Keys | undefined> {
    const list = JSON.parse(await this.spireServer("bundle", "list", "-output", "json")) as {
      bundles: { trust_domain: string; x509_authorities: { asn1: string }[]; jwt_authorities: { key_id: string }[] }[];
    };
    const bundle = list.bundles.find((b) => b.trust_domain === trustDomain);
    return (
      bundle &&
      keys(
        bundle.x509_authorities.map((a) => a.asn1),
        bundle.jwt_authorities.map((a) => a.key_id),
      )
    );
  }

  /** Asks a peer for its bundle now instead of when it is due. */
  refreshBundle(trustDomain: string): Promise<string> {
    return this.spireServer("federation", "refresh", "-id", trustDomain);
  }

  /** What the bundle endpoint serves now, over verified TLS, with the certificate that vouched for it. */
  async endpoint(): Promise<{ keys: Keys; refreshHint: number; certificate: PeerCertificate }> {
    const { body, certificate } = await httpsGet(this.host, this.endpointCa);
    const { spiffe_refresh_hint: refreshHint } = JSON.parse(body) as { spiffe_refresh_hint: number };
    return { keys: bundleKeys(body), refreshHint, certificate };
  }
}

/** The keys of a trust bundle, as endpoints serve it and ClusterFederatedTrustDomains carry it. */
export function bundleKeys(jwks: string): Keys {
  const bundle = JSON.parse(jwks) as { keys: { use: string; x5c?: string[]; kid?: string }[] };
  const x5c = bundle.keys.flatMap((k) => (k.use === "x509-svid" ? (k.x5c ?? []) : []));
  const kids = bundle.keys.flatMap((k) => (k.use === "jwt-svid" && k.kid !== undefined ? [k.kid] : []));
  return keys(x5c, kids);
}

function keys(x509: string[], jwt: string[]): Keys {
  return {
    x509: x509.map((der) => createHash("sha256").update(Buffer.from(der, "base64")).digest("hex")).sort(),
    jwt: jwt.sort(),
  };
}

/** A GET over TLS by hand, because the server's certificate is wanted beside the body. */
function httpsGet(host: string, ca?: string): Promise<{ body: string; certificate: PeerCertificate }> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port: 443, servername: host, timeout: 10_000, ...(ca && { ca }) }, () => {
      const certificate = socket.getPeerCertificate();
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
      socket.on("end", () => {
        const [head = "", ...rest] = text.split("\r\n\r\n");
        if (/^HTTP\/1\.[01] 200 /.test(head)) done({ body: rest.join("\r\n\r\n"), certificate });
        else fail(new Error(`https://${host}: ${head.split("\r\n")[0] ?? "no answer"}`));
      });
      socket.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    });
    socket.on("error", fail);
    socket.on("timeout", () => socket.destroy(new Error(`https://${host}: no answer in 10 s`)));
  });
}
