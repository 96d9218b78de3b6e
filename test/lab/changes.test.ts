/** A config, and what a peer publishes, are changed under a running member; each up ends with all of it in effect. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleKeys, Cluster, NAMESPACE } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import type { Project } from "../../lab/client/project";
import { held } from "../../lab/demo/proof";
import { rotateAuthorities } from "./rotation";
import { testProject } from "./identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
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
    await project.set("cluster1", "refreshHint", "600");
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

  test("the committed issuer can take over again, and nothing is left of the other", async () => {
    for (const key of ["issuer.secretName", "issuer.selfSigned", "refreshHint"]) await project.unset("cluster1", key);
    await project.set("cluster1", "issuer.type", "acme");
    await project.up("cluster1");
    delete cluster1.endpointCa;
    const { certificate, refreshHint } = await cluster1.endpoint();
    expect(certificate.issuer.CN).toMatch(/^Pebble/);
    expect(refreshHint).toBe(300);
    expect(await issuers()).toEqual(["letsencrypt-http01"]);
  });
});
