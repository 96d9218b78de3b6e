/** A config, and what a peer publishes, are changed under a running member; each up ends with all of it in effect. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleKeys, Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { issue } from "../../components/issue";
import { rotateAuthorities } from "../helpers/rotation";
import { routersCa } from "../helpers/routersCa";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const CERT_MANAGER = "cert-manager.io/v1";
const ACME = "https://acme-v02.api.letsencrypt.org/directory";
/** The lab's own DNS server, which takes updates of example.com. */
const ZONE_SERVER = "198.18.0.254:53";
const URL = `https://${cluster2.host}/`;
let project: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  await project.unset("cluster2", "peers"); // cluster1 is changed; its peer need not trust it
  await project.up("cluster2");
  await project.up("cluster1");
});

const issuers = async (): Promise<string[]> =>
  (await cluster1.list("cert-manager.io/v1", "Issuer", NAMESPACE)).map(({ metadata }) => metadata.name).sort();

/** Puts another URL into what a stack has published. */
async function republish(stack: string, bundleEndpointUrl: string): Promise<void> {
  const file = join(project.dir, "export.json");
  await project.pulumi("stack", "export", "--stack", stack, "--file", file);
  const state = JSON.parse(await readFile(file, "utf8")) as {
    deployment: { resources: { type: string; outputs?: { federation?: object } }[] };
  };
  const { outputs } = state.deployment.resources.find(({ type }) => type === "pulumi:pulumi:Stack") ?? {};
  if (outputs === undefined) throw new Error(`${stack} has no outputs`);
  outputs.federation = { ...outputs.federation, bundleEndpointUrl };
  await writeFile(file, JSON.stringify(state));
  await project.pulumi("stack", "import", "--stack", stack, "--file", file);
}

describe("after another refresh hint, another CA, and a peer with another URL and other keys", () => {
  beforeAll(async () => {
    await rotateAuthorities(cluster2);
    await republish("cluster2", URL);
    await project.set("cluster1", "endpoint.refreshHint", "600");
    await project.set("cluster1", "issuer.type", "ca");
    await project.set("cluster1", "issuer.secretName", "own-ca");
    await project.set("cluster1", "issuer.selfSigned", "true");
    await project.up("cluster1");
  });
  afterAll(() => {
    delete cluster1.endpointCa;
  });

  test("the endpoint has a certificate of the CA that the stack now publishes, and gives the hint", async () => {
    await expect(cluster1.endpoint()).rejects.toThrow(/certificate/);
    const { federation } = (await project.outputs("cluster1")) as { federation: { caCertificates: string } };
    cluster1.endpointCa = federation.caCertificates;
    const { certificate, refreshHint } = await cluster1.endpoint();
    expect(certificate.issuer.CN).toBe("internal-ca");
    expect(refreshHint).toBe(600);
  });

  test("the peer's ClusterFederatedTrustDomain has the URL, and a bundle fetched now", async () => {
    const api = "spire.spiffe.io/v1alpha1";
    const { spec } = (await cluster1.read(api, "ClusterFederatedTrustDomain", "cluster2-federation")) as {
      spec: { bundleEndpointURL: string; trustDomainBundle: string };
    };
    expect(spec.bundleEndpointURL).toBe(URL);
    expect(bundleKeys(spec.trustDomainBundle)).toEqual((await cluster2.endpoint()).keys);
    await eventually(() => held(cluster1, cluster2));
  });

  test("an issuer that exists issues by DNS-01, with a solver that updates the zone", async () => {
    const name = "dns01";
    const dns01 = { rfc2136: { nameserver: ZONE_SERVER } };
    const acme = { server: ACME, privateKeySecretRef: { name }, solvers: [{ dns01 }] };
    await cluster1.apply({ apiVersion: CERT_MANAGER, kind: "ClusterIssuer", metadata: { name }, spec: { acme } });
    await project.unset("cluster1", "issuer");
    await project.set("cluster1", "issuer", JSON.stringify({ type: "existing", kind: "ClusterIssuer", name }));
    await project.up("cluster1");
    delete cluster1.endpointCa;
    await eventually(async () => {
      expect((await cluster1.endpoint()).certificate.issuer.CN).toMatch(/^Pebble/);
    });
    const orders = (await cluster1.list("acme.cert-manager.io/v1", "Order", NAMESPACE)) as {
      spec?: { issuerRef?: { name: string } };
      status?: { state?: string };
    }[];
    expect(orders.filter(({ spec }) => spec?.issuerRef?.name === name).map(({ status }) => status?.state)).toEqual([
      "valid",
    ]);
    await cluster1.remove(CERT_MANAGER, "ClusterIssuer", name, "");
  });

  /** Whoever has set the certificate's secret in the SpireServer. */
  const takeOutSecret = (): Promise<void> =>
    cluster1.merge({
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "SpireServer",
      metadata: { name: "cluster" },
      spec: { federation: { bundleEndpoint: { httpsWeb: { servingCert: { externalSecretRef: null } } } } },
    });

  test("the router's default certificate takes over, and nothing is left of cert-manager's", async () => {
    const ca = await routersCa(cluster1);
    await project.set("cluster1", "issuer", JSON.stringify({ type: "router" }));
    await project.set("cluster1", "endpoint.ca", JSON.stringify(ca));
    await takeOutSecret(); // procedure.test has set it by hand, and then an up refuses to
    await project.up("cluster1");
    cluster1.endpointCa = ca;
    await eventually(async () => {
      expect((await cluster1.endpoint()).certificate.subjectaltname).toBe("DNS:*.apps.cluster1.example.com");
    });
    for (const [api, kind, name] of [
      [CERT_MANAGER, "Certificate", "spire-server-federation-tls"],
      ["rbac.authorization.k8s.io/v1", "Role", "secret-reader"],
    ] as const)
      await expect(cluster1.read(api, kind, name)).rejects.toThrow(/404|not found/);
  });

  test("a secret that somebody else keeps takes over", async () => {
    const ca = issue("their CA", { ca: true });
    const { certificate, pem, keyPem } = issue(cluster1.host, { dnsNames: [cluster1.host], issuer: ca });
    const name = "their-tls";
    const [crt, key] = [pem, keyPem].map((text) => Buffer.from(text).toString("base64"));
    const data = { "tls.crt": crt, "tls.key": key };
    const secret = { apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", data };
    await cluster1.apply({ ...secret, metadata: { name, namespace: NAMESPACE } });
    await project.set("cluster1", "issuer", JSON.stringify({ type: "secret" }));
    await project.set("cluster1", "names", JSON.stringify({ secret: name }));
    await project.set("cluster1", "endpoint.ca", JSON.stringify(ca.pem));
    await project.up("cluster1");
    cluster1.endpointCa = ca.pem;
    expect((await cluster1.endpoint()).certificate.fingerprint256).toBe(certificate.fingerprint256);
  });

  test("the committed issuer can take over again, and nothing is left of the other", async () => {
    for (const key of ["endpoint", "names"]) await project.unset("cluster1", key);
    await project.set("cluster1", "issuer", JSON.stringify({ type: "acme" }));
    await project.up("cluster1");
    delete cluster1.endpointCa;
    const { certificate, refreshHint } = await cluster1.endpoint();
    expect(certificate.issuer.CN).toMatch(/^Pebble/);
    expect(refreshHint).toBe(300);
    expect(await issuers()).toEqual(["letsencrypt-http01"]);
  });
});
