/**
 * A cluster whose trust domain is not its ingress domain, and whose endpoint's certificate is of an internal CA, federates
 * with one that has neither. The tests build on each other; jest runs them in order.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster, NAMESPACE } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { labState, Project } from "../../lab/client/project";
import { held } from "../../lab/demo/proof";

const [cluster1, cluster3] = [new Cluster("cluster1"), new Cluster("cluster3", "cluster3.example.com")];
const CONFIG = `config:
  spire-federation:context: cluster3
  spire-federation:trustDomain: cluster3.example.com
  spire-federation:peers: [cluster1]
  spire-federation:issuer: { type: ca, selfSigned: true, secretName: own-ca-key-pair }
`;
let project: Project;
let rootCa: string;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await Project.forTest();
  await project.writeStackFile("cluster3", CONFIG);
  await project.init("cluster1", "cluster3");
  await project.set("cluster1", "peers[0]", "cluster3");
});

afterAll(async () => {
  await trustCasOf(""); // as good as not set
  await eventually(async () => {
    expect(await mountsTrustedCa()).toBe(false);
    await cluster1.spireServer("healthcheck");
  });
  await cluster1.remove("v1", "ConfigMap", "trusted-ca");
});

/** As the env of the operator's Subscription would. */
const trustCasOf = (configMap: string): Promise<void> =>
  cluster1.setEnv(`${NAMESPACE}-controller-manager`, "manager", "TRUSTED_CA_BUNDLE_CONFIGMAP", configMap);
const mountsTrustedCa = async (): Promise<boolean> => {
  const { spec } = await cluster1.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  return spec?.volumes?.some(({ configMap }) => configMap?.name === "trusted-ca") ?? false;
};
const refresh = (): Promise<string> => cluster1.spireServer("federation", "refresh", "-id", cluster3.trustDomain);

test("the Route is the stack's own, below the ingress domain", async () => {
  await project.pulumi("up", "--yes", "--stack", "cluster3"); // with its preview: on a new cluster a Route would be refused
  const { federation, pendingPeers } = await project.outputs("cluster3");
  expect(federation).toMatchObject({
    trustDomain: "cluster3.example.com",
    bundleEndpointUrl: "https://federation.apps.cluster3.example.com",
  });
  expect(pendingPeers).toEqual(["cluster1"]);

  const { route, admitted } = await cluster3.admission();
  expect(route.spec).toMatchObject({
    host: "federation.apps.cluster3.example.com",
    tls: { termination: "reencrypt", externalCertificate: { name: "spire-server-federation-tls" } },
  });
  expect(admitted?.status).toBe("True");
  // The operator counts it as a failure.
  const server = await cluster3.read("operator.openshift.io/v1alpha1", "SpireServer", "cluster");
  expect(server.spec).toMatchObject({ federation: { managedRoute: "false" } });
  expect(server.status).toMatchObject({
    conditions: expect.arrayContaining([expect.objectContaining({ type: "Ready", status: "False" })]) as unknown,
  });

  await expect(cluster3.endpoint()).rejects.toThrow(/certificate/);
  rootCa = (federation as { caCertificates: string }).caCertificates;
  cluster3.endpointCa = rootCa;
  await cluster3.endpoint();
});

test("a peer needs to know nothing of it: its stack has trust, though its SPIRE server does not know the CA", async () => {
  await project.up("cluster1");
  expect((await project.outputs("cluster1"))["pendingPeers"]).toEqual([]);
  await held(cluster1, cluster3);
  await expect(refresh()).rejects.toThrow(/x509: certificate signed by unknown authority/);
});

test("a SPIRE server that trusts the CA follows its peer's keys", async () => {
  // It replaces the public roots, so they are in it too.
  const bundle = (await readFile(join(labState(), "ca", "bundle.crt"), "utf8")) + rootCa;
  await cluster1.core.createNamespacedConfigMap({
    namespace: NAMESPACE,
    body: { metadata: { name: "trusted-ca" }, data: { "ca-bundle.crt": bundle } },
  });
  await trustCasOf("trusted-ca");
  await project.up("cluster3"); // and joins cluster1 meanwhile
  await eventually(refresh);
  expect(await mountsTrustedCa()).toBe(true);

  const before = (await cluster3.endpoint()).keys;
  await cluster3.spireServer("localauthority", "x509", "prepare");
  expect((await cluster3.endpoint()).keys).not.toEqual(before);
  await refresh();
  await held(cluster1, cluster3);
  await eventually(() => held(cluster3, cluster1));
});

test("what router and operators write is no drift", async () => {
  await project.pulumi("preview", "--stack", "cluster3", "--refresh", "--expect-no-changes");
});

test("destroy takes the Route away, and leaves the SPIRE server", async () => {
  await project.destroy("cluster3");
  await expect(cluster3.admission()).rejects.toThrow(/not found/);
  await cluster3.spireServer("healthcheck");
});

test("up brings it back once the certificate, which is the one from before, has been renewed and so names its CA", async () => {
  const { code, stdout } = await project.tryUp("cluster3");
  expect(stdout).toContain("cmctl renew spire-server-federation-tls");
  expect(code).not.toBe(0);
  await cluster3.renew("spire-server-federation-tls");
  await eventually(() => project.up("cluster3"));
  expect((await project.outputs("cluster3"))["federation"]).toMatchObject({ caCertificates: rootCa });
  await held(cluster1, cluster3);
});
