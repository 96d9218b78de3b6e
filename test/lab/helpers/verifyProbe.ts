/** `spire-federation verify --probe` on a full mesh: workloads that meet, whatever happens to whoever has made them. */
import type { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project, Running } from "../../../lab/client/project";
import { pairs } from "../../../lab/client/trust";
import { connectProbe } from "../../../mesh/verify/probe/cluster";
import { PROBE, PROBE_IMAGE } from "../../../mesh/verify/probe/probeObjects";
import { probeMesh } from "../../../mesh/verify/probe/probe";
import { ownClaim } from "../../../mesh/verify/probe/self";
import type { Outcome } from "../../../mesh/verify/check";
import { report } from "./report";
import { rotateAuthorities } from "./rotation";
import { CLUSTERS as all } from "./verifyFaults";

const [cluster1, cluster2, cluster3] = all;
const REFUSED = { event: "dialed", outcome: "refused" };
let project: Project;

/** One that an administrator has made for probes to come: these tests are without. */
async function removeNamespace(cluster: Cluster): Promise<void> {
  await cluster.core.deleteNamespace({ name: PROBE }).catch(() => undefined);
  await eventually(async () => {
    expect(await left(cluster)).toEqual([]);
  });
}

/** What of a probe is in a cluster. */
async function left(cluster: Cluster): Promise<string[]> {
  const ids = await cluster.list("spire.spiffe.io/v1alpha1", "ClusterSPIFFEID", "");
  const { items } = await cluster.core.listNamespace();
  return [
    ...ids.map(({ metadata }) => `ClusterSPIFFEID ${metadata.name}`),
    ...items.map(({ metadata }) => `Namespace ${metadata?.name ?? ""}`),
  ].filter((name) => name.endsWith(PROBE));
}

async function expectNothingLeft(): Promise<void> {
  expect(await Promise.all(all.map(left))).toEqual([[], [], []]);
}

/** Of the checks by workloads, as `cluster1 MESH401 ok`. */
async function probe(): Promise<{ code: number; said: string[]; outcomes: Outcome[]; stderr: string }> {
  const { code, stdout, stderr } = await project.mesh("verify", "--probe", "-o", "json");
  if (stdout === "") throw new Error(`spire-federation verify: exit code ${code}\n${stderr}`);
  const { members, pairs: ofPairs } = report("verify", stdout);
  const named = [
    ...members.map(({ member, checks }) => ({ who: member, checks })),
    ...ofPairs.map(({ member, peer, checks }) => ({ who: `${member}->${peer}`, checks })),
  ].map(({ who, checks }) => ({ who, checks: checks.filter((one) => one.code.startsWith("MESH4")) }));
  return {
    code,
    said: named.flatMap(({ who, checks }) => checks.map((one) => `${who} ${one.code} ${one.state}`)),
    outcomes: named.flatMap(({ checks }) => checks),
    stderr,
  };
}

/** Starts one, and returns when there is a workload everywhere. */
async function begin(): Promise<Running & { pid: number }> {
  const running = project.startMesh("verify", "--probe", "-o", "json");
  for (const { core } of all) await eventually(() => core.readNamespacedPod({ name: PROBE, namespace: PROBE }));
  return { ...running, pid: running.pid as number };
}

/** Tests that build on each other, on the mesh of a project. */
export function probeTests(mesh: () => Project): void {
  beforeAll(async () => {
    project = mesh();
    for (const cluster of all) await removeNamespace(cluster);
  });

  test("an SVID that is signed with a key the other end doesn't have is refused, and each end knows by whom", async () => {
    // They have looked, and will not do so for a while.
    for (const cluster of [cluster1, cluster3]) await cluster.refreshBundle(cluster2.trustDomain);
    await rotateAuthorities(cluster2);
    const members = [cluster1, cluster2].map(({ name, trustDomain }) => ({
      member: name,
      context: name,
      trustDomain,
      meets: ["cluster1", "cluster2"].filter((other) => other !== name),
    }));
    const io = {
      ...ownClaim(),
      connect: connectProbe,
      note: () => undefined,
      made: () => () => undefined,
      interrupted: () => false,
      image: PROBE_IMAGE,
    };
    const results = await probeMesh(members, io);
    const dialed = (from: Cluster, to: Cluster): unknown => {
      const { probed } = results.get(from.name) ?? {};
      return probed !== undefined && "seen" in probed ? probed.seen.report.dialed.get(to.name) : probed;
    };
    const id = `spiffe://${cluster2.trustDomain}/ns/${PROBE}/sa/${PROBE}`;
    const why = expect.stringContaining(
      `the certificate of ${id} is signed by no root that is held of ${cluster2.trustDomain}`,
    ) as string;
    expect(dialed(cluster1, cluster2)).toEqual({ ...REFUSED, peer: "cluster2", by: "here", why });
    expect(dialed(cluster2, cluster1)).toEqual({ ...REFUSED, peer: "cluster1", by: "there", why });
    await expectNothingLeft();
  });

  test("as long as such a key is missing, verify says so and tries nothing", async () => {
    const { outcomes, said } = await probe();
    const tried = outcomes.filter((one) => one.code === "MESH402" && one.state !== "ok");
    expect(tried).toHaveLength(4);
    for (const one of tried) expect(one).toMatchObject({ state: "skipped", needs: "MESH211" });
    expect(said).toContain("cluster1->cluster3 MESH402 ok");
    for (const cluster of [cluster1, cluster3]) await cluster.refreshBundle(cluster2.trustDomain);
  });

  describe("while a probe is at work", () => {
    let first: Running & { pid: number };

    beforeAll(async () => {
      first = await begin();
      process.kill(first.pid, "SIGSTOP");
    });

    test("another one leaves it alone, and says whose it is", async () => {
      const pods = (): Promise<unknown[]> =>
        Promise.all(
          all.map(async ({ core }) => (await core.readNamespacedPod({ name: PROBE, namespace: PROBE })).metadata?.uid),
        );
      const before = await pods();
      const { code, outcomes } = await probe();
      expect(code).toBe(3);
      const said = outcomes.filter((one) => one.code === "MESH401").map(({ evidence }) => evidence);
      expect(said).toEqual(
        Array(3).fill(expect.stringMatching(new RegExp(`^a probe of process ${first.pid} of .*is there`))),
      );
      expect(await pods()).toEqual(before);
    });

    afterAll(async () => {
      process.kill(first.pid, "SIGKILL");
      await first.ended;
    });
  });

  test("what it leaves when it is killed is taken away by the next one, whose workloads all meet", async () => {
    expect(await left(cluster1)).toHaveLength(2);
    const { code, said, stderr } = await probe();
    expect(said.sort()).toEqual(
      [
        ...all.flatMap(({ name }) => [`${name} MESH401 ok`, `${name} MESH403 ok`, `${name} MESH404 ok`]),
        ...pairs(all).map(([from, to]) => `${from.name}->${to.name} MESH402 ok`),
      ].sort(),
    );
    expect(code).toBe(0);
    expect(stderr).toContain("takes away what a probe of process");
    await expectNothingLeft();
  });

  test("one that is told to end takes everything away first", async () => {
    const running = await begin();
    process.kill(running.pid, "SIGTERM");
    expect((await running.ended).code).toBe(143);
    await expectNothingLeft();
  });
}
