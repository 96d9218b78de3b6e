/** What a preview has saved as a plan is what the up after it does: when a peer joins, and when drift is corrected. */
import { join } from "node:path";
import { bundleKeys, Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const TRUST = { apiVersion: "spire.spiffe.io/v1alpha1", kind: "ClusterFederatedTrustDomain" };
const NAME = "cluster2-federation";
let project: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  process.env["PULUMI_EXPERIMENTAL"] = "true"; // what makes the CLI offer plans
  project = await testProject("cluster1", "cluster2");
  await project.unset("cluster2", "peers"); // cluster1 is looked at; its peer need not trust it
  await project.up("cluster2");
});
afterAll(() => {
  delete process.env["PULUMI_EXPERIMENTAL"];
});

/** Saves a plan and carries it out; the plan's preview. */
async function byPlan(...flags: string[]): Promise<string> {
  const plan = join(project.dir, "plan.json");
  const seen = await project.pulumi("preview", "--stack", "cluster1", "--save-plan", plan, ...flags);
  await project.up("cluster1", "--plan", plan, ...flags);
  return seen;
}

const trust = (): Promise<Manifest> => cluster1.read(TRUST.apiVersion, TRUST.kind, NAME);
const bundle = async (): Promise<string> => ((await trust()).spec as { trustDomainBundle: string }).trustDomainBundle;

test("a first up", async () => {
  await project.unset("cluster1", "peers");
  await byPlan();
});

test("a peer joins", async () => {
  await project.set("cluster1", "peers[0]", "cluster2");
  expect(await byPlan()).toMatch(/ClusterFederatedTrustDomain cluster2-trust create/);
  await eventually(() => held(cluster1, cluster2));
});

test("nothing changes", async () => {
  await byPlan("--expect-no-changes");
});

test("a subject that somebody has added to the RoleBinding is taken out, the second time, too", async () => {
  const name = "secret-reader-binding";
  const subjects = async (): Promise<unknown> =>
    ((await cluster1.read("rbac.authorization.k8s.io/v1", "RoleBinding", name)) as { subjects?: unknown[] }).subjects;
  const before = await subjects();
  for (let n = 0; n < 2; n++) {
    await cluster1.merge({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name, namespace: NAMESPACE },
      subjects: [...(before as object[]), { kind: "ServiceAccount", name: "other", namespace: "default" }],
    } as Manifest);
    expect(await byPlan()).toMatch(/RoleBinding router-access-binding update/);
    expect(await subjects()).toEqual(before);
  }
});

describe("a ClusterFederatedTrustDomain is corrected with a newly fetched bundle", () => {
  const fresh = async (): Promise<void> => {
    expect(bundleKeys(await bundle())).toEqual((await cluster2.endpoint()).keys);
    await eventually(() => held(cluster1, cluster2));
  };

  test("when somebody has deleted it", async () => {
    const { metadata } = await trust();
    await cluster1.remove(TRUST.apiVersion, TRUST.kind, NAME);
    await byPlan("--refresh");
    expect((await trust()).metadata).not.toEqual(metadata);
    await fresh();
  });

  test.each(["first", "second"])("when somebody has changed its URL, the %s time", async () => {
    await cluster1.merge({ ...TRUST, metadata: { name: NAME }, spec: { bundleEndpointURL: "https://x.example.com" } });
    await byPlan("--refresh");
    expect((await trust()).spec).toMatchObject({ bundleEndpointURL: `https://${cluster2.host}` });
    await fresh();
  });
});

test("a peer leaves", async () => {
  await project.unset("cluster1", "peers");
  await byPlan();
  await expect(trust()).rejects.toThrow(/not found/);
});
