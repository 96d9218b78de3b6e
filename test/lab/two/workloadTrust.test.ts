/** What preview says of workloads is what happens to them, whomever they federate with. */
import * as fc from "fast-check";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { served, Workload } from "../../../lab/client/workload";
import type { WorkloadEffects } from "../../../mesh/spire/federating";
import { testProject } from "../helpers/identities";
import { removeBundles, removeTrust } from "../helpers/leftovers";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const NOWHERE = "nowhere.example.com";
// One that gains and one that stays without, and others as they come.
const drawn = fc.sample(fc.subarray([cluster2.trustDomain, NOWHERE]), 3);
const workloads = [[cluster2.trustDomain], [cluster2.trustDomain, NOWHERE], ...drawn].map((federatesWith, index) => ({
  name: `drawn-${String(index)}`,
  federatesWith,
}));
let project: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  for (const [name, cluster] of [
    ["cluster1", cluster1],
    ["cluster2", cluster2],
  ] as const) {
    await project.unset(name, "peers");
    await project.up(name);
    await removeTrust(cluster);
  }
  await eventually(() => removeBundles(cluster1, []));
  for (const { name, federatesWith } of workloads) await Workload.start(cluster1, name, federatesWith);
});

afterAll(() => Promise.all(workloads.map(({ name }) => Workload.remove(cluster1, name))));

const withIdentity = async (): Promise<string[]> => {
  const found = await Promise.all(
    workloads.map(async ({ name }) => ((await served(cluster1, name)) === undefined ? [] : [name])),
  );
  return found.flat();
};

async function predicted(): Promise<{ served: string[]; refused: string[] }> {
  const { stdout } = await project.mesh("preview", "cluster1", "-o", "json");
  const { members } = JSON.parse(stdout) as { members: { workloads: WorkloadEffects }[] };
  const names = (objects: readonly { object: string }[] = []): string[] =>
    objects
      .flatMap(({ object }) => workloads.filter(({ name }) => object === `ClusterSPIFFEID ${name}`))
      .map(({ name }) => name);
  return { served: names(members[0]?.workloads.served), refused: names(members[0]?.workloads.refused) };
}

test("those that will get identities get them, those that will not stay without, and the others keep theirs", async () => {
  const before = workloads.filter(({ federatesWith }) => federatesWith.length === 0).map(({ name }) => name);
  await eventually(async () => {
    expect(await withIdentity()).toEqual(before);
  });
  await project.set("cluster1", "peers[0]", "cluster2");
  const { served, refused } = await predicted();
  expect(served).not.toHaveLength(0);
  expect(refused).not.toHaveLength(0);
  await project.up("cluster1");
  const after = workloads.map(({ name }) => name).filter((name) => !refused.includes(name));
  expect([...before, ...served].sort()).toEqual(after);
  await eventually(async () => {
    expect(await withIdentity()).toEqual(after);
  });
  expect(await predicted()).toEqual({ served: [], refused });
});
