/** `pulumi up --target` of one peer. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
let project: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  await project.unset("cluster2", "peers"); // cluster1 is looked at; its peer need not trust it
  await project.up("cluster2");
});

const federatesWith = async (): Promise<unknown> =>
  (
    (await cluster1.read("operator.openshift.io/v1alpha1", "SpireServer", "cluster")).spec as {
      federation?: { federatesWith?: unknown };
    }
  ).federation?.federatesWith;

const elsewhere = { trustDomain: "cluster9.example.com", bundleEndpointUrl: "https://federation.cluster9.example.com" };

/** Makes a stack that has published something, and of which there is no cluster. */
async function publish(stack: string, federation: object): Promise<void> {
  await project.init(stack);
  const urn = `urn:pulumi:${stack}::spire-federation::pulumi:pulumi:Stack::spire-federation-${stack}`;
  const resources = [{ urn, custom: false, type: "pulumi:pulumi:Stack", outputs: { federation } }];
  const manifest = { time: "2026-01-01T00:00:00Z", magic: "", version: "" };
  const file = join(project.dir, "cluster9.json");
  await writeFile(file, JSON.stringify({ version: 3, deployment: { manifest, resources } }));
  await project.pulumi("stack", "import", "--stack", stack, "--file", file);
}

test("before the first up says at once what is missing", async () => {
  const { code, stdout } = await project.tryUp("cluster1", "--target", "**cluster2**");
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/not.*target/);
});

test("of a peer that joins makes its ClusterFederatedTrustDomain, and says that the SpireServer waits", async () => {
  await project.unset("cluster1", "peers");
  await project.up("cluster1");
  const { federation } = await project.outputs("cluster1");
  await project.set("cluster1", "peers[0]", "cluster2");
  const said = await project.up("cluster1", "--target", "**cluster2**");
  expect(said).toMatch(/SpireServer cluster is not among the targets.*--target/s);
  await eventually(() => held(cluster1, cluster2));
  expect(await federatesWith()).toBeUndefined();
  expect((await project.outputs("cluster1"))["federation"]).toEqual(federation);
});

test("is done though another peer, that has not joined yet, does not answer; that one fails the run", async () => {
  await publish("cluster9", { ...((await project.outputs("cluster2"))["federation"] as object), ...elsewhere });
  await project.set("cluster1", "peers[1]", "cluster9");
  const { code, stdout } = await project.tryUp("cluster1", "--target", "**cluster2**");
  await project.unset("cluster1", "peers[1]");
  expect(code).not.toBe(0);
  expect(stdout).toContain("https://federation.cluster9.example.com");
  expect(await federatesWith()).toBeUndefined();
  await expect(
    cluster1.read("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "cluster9-federation"),
  ).rejects.toThrow("404");
  await eventually(() => held(cluster1, cluster2));
});

test("the next up without it lists the peer, and the one after that changes nothing", async () => {
  await project.up("cluster1");
  expect(await federatesWith()).toMatchObject([{ trustDomain: cluster2.trustDomain }]);
  await project.up("cluster1", "--expect-no-changes");
});

test("of a peer that has joined fetches its bundle anew", async () => {
  await project.set("cluster1", "peers", "[{stack: cluster2, rebootstrap: 1}]");
  await project.up("cluster1", "--target", "**cluster2**");
  await project.up("cluster1", "--expect-no-changes");
});

test("of a peer that leaves keeps it in the SpireServer's list, and the next up without it ends the trust", async () => {
  await project.unset("cluster1", "peers");
  await project.tryUp("cluster1", "--target", "**cluster2**");
  expect(await federatesWith()).toMatchObject([{ trustDomain: cluster2.trustDomain }]);
  const trust = ["spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "cluster2-federation"] as const;
  await cluster1.refreshBundle(cluster2.trustDomain);

  await project.up("cluster1");
  expect(await federatesWith()).toBeUndefined();
  await expect(cluster1.read(...trust)).rejects.toThrow(/not found/);
  await expect(cluster1.refreshBundle(cluster2.trustDomain)).rejects.toThrow(/no federation relationship/);
});
