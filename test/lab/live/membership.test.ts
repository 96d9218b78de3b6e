/**
 * A mesh of two that a third cluster joins and leaves again, looked at on the clusters and by workloads. cluster1 lists its
 * peers statically, as the procedure does; the other two dynamically.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState, Project, type Run } from "../../../lab/client/project";
import { handshake, Workload } from "../../../lab/client/workload";
import { held, pairs } from "../../../lab/client/trust";
import { testProject } from "../helpers/identities";
import { report } from "../helpers/report";

const cluster3 = new Cluster("cluster3", "cluster3.example.com");
const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const all = [cluster1, cluster2, cluster3];
const CONFIG = `# The newcomer
config:
  spire-federation:context: cluster3
  spire-federation:trustDomain: cluster3.example.com
  spire-federation:peers: [cluster1, cluster2]
  spire-federation:federatesWith: dynamic
`;
/** Agents ask their server every 5 s, and the server's answer is up to 5 s old. */
const SYNC_SECONDS = 10;

let project: Project;
let workloads: Workload[] = [];

// A generous bound against hanging, not a measurement.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  await project.set("cluster2", "federatesWith", "dynamic");
  await mesh("up", "--yes");
});

afterAll(() => Promise.all(workloads.map((workload) => workload.remove())));

async function mesh(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.mesh(...args);
  if (code !== 0) throw new Error(`mesh ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** What says of each pod whether it, or a container of it, is another than before. */
async function lives(cluster: Cluster): Promise<Record<string, string>> {
  const pods = (await cluster.pods()).map(({ metadata, status }): [string, string] => [
    metadata?.name ?? "",
    [metadata?.uid, ...(status?.containerStatuses?.map(({ restartCount }) => restartCount) ?? [])].join(),
  ]);
  return Object.fromEntries(pods);
}

/** Every change of the SPIRE server's configuration is one, and a restart. */
const rollouts = async (cluster: Cluster): Promise<number> =>
  (await cluster.read("apps/v1", "StatefulSet", "spire-server")).metadata.generation ?? 0;

const refused = (from: Workload, to: Workload): Promise<void> =>
  eventually(async () => {
    await expect(handshake(from, to)).rejects.toThrow(/no X\.509 bundle for trust domain/);
  }, SYNC_SECONDS);

test("a cluster joins, and only what must change changes", async () => {
  await project.writeStackFile("cluster3", CONFIG);
  for (const stack of ["cluster1", "cluster2"]) await project.set(stack, "peers[1]", "cluster3");
  const old = [cluster1, cluster2];
  const before = await Promise.all(
    old.map(async (cluster) => [await lives(cluster), await rollouts(cluster)] as const),
  );

  const { members } = report("up", await mesh("up", "--yes", "-o", "json"));
  // The newcomer's ClusterFederatedTrustDomain and its component; the list of peers, and of those whom a destroy takes out.
  expect(members.slice(0, 2)).toMatchObject([
    { member: "cluster1", changes: { create: 2, update: 2 } },
    { member: "cluster2", changes: { create: 2 } },
  ]);
  const [pods1, pods2] = await Promise.all(old.map(lives));
  const [[was1, rolled1] = [], [was2, rolled2] = []] = before;
  expect({ ...pods1, "spire-server-0": "" }).toEqual({ ...was1, "spire-server-0": "" });
  expect(await rollouts(cluster1)).toBe((rolled1 ?? 0) + 1);
  expect(pods2).toEqual(was2);
  expect(await rollouts(cluster2)).toBe(rolled2);
  for (const [from, to] of pairs(all)) await eventually(() => held(from, to));
});

describe("a cluster leaves while the API server of another one is down", () => {
  let removal: Run;

  beforeAll(async () => {
    const others = (cluster: Cluster) => all.filter((one) => one !== cluster).map(({ trustDomain }) => trustDomain);
    workloads = await Promise.all(all.map((cluster) => Workload.deploy(cluster, "member", others(cluster))));
    for (const [from, to] of pairs(workloads)) await eventually(() => handshake(from, to));

    const pid = Number(await readFile(join(labState(), "cluster2", "kube-apiserver.pid"), "utf8"));
    process.kill(pid, "SIGSTOP");
    removal = await project.mesh("remove", "cluster3", "--yes").finally(() => process.kill(pid, "SIGCONT"));
  });

  test("the others and the leaver trust each other no more within one sync of the agents", async () => {
    const [one, , three] = workloads;
    if (one === undefined || three === undefined) throw new Error("no workloads");
    await Promise.all([refused(one, three), refused(three, one)]);
    expect(await cluster1.heldKeys(cluster3.trustDomain)).toBeUndefined();
    expect(await cluster3.heldKeys(cluster1.trustDomain)).toBeUndefined();
    expect(await cluster3.heldKeys(cluster2.trustDomain)).toBeUndefined();
  });

  test("the one that is down is named as still trusting, with the reason", async () => {
    expect(removal.code).toBe(1);
    expect(removal.stdout).toMatch(/^cluster1 +clean /m);
    expect(removal.stdout).toMatch(/^cluster2 +still trusts cluster3\.example\.com/m);
    expect(removal.stdout).toMatch(/^cluster2: context "cluster2" .*: cannot run .*no answer within/m);
    expect(await cluster2.heldKeys(cluster3.trustDomain)).toBeDefined();
  });

  test("workloads' objects that name the trust domain are warned about", () => {
    expect(removal.stdout).toMatch(/^cluster1: warning: ClusterSPIFFEID member lists cluster3\.example\.com/m);
  });

  test("the stack files don't name it any more, and are otherwise as they were", async () => {
    const files = await Promise.all(all.map(({ name }) => readFile(join(project.dir, `Pulumi.${name}.yaml`), "utf8")));
    expect(files[2]).toContain(CONFIG.replace("[cluster1, cluster2]", "[]"));
    for (const text of files.slice(0, 2)) expect(text).not.toContain("cluster3");
  });
});

describe("the same once more when it is back, and the stack that left is destroyed", () => {
  beforeAll(async () => {
    const before = await lives(cluster1);
    await eventually(() => mesh("remove", "cluster3", "--destroy", "--yes"));
    expect(await lives(cluster1)).toEqual(before);
  });

  test("no SPIRE server lists its bundle, nor one of a relationship with it", async () => {
    for (const cluster of [cluster1, cluster2]) {
      expect(await cluster.heldKeys(cluster3.trustDomain)).toBeUndefined();
      await expect(cluster.refreshBundle(cluster3.trustDomain)).rejects.toThrow(/no federation relationship/);
    }
    await expect(cluster3.admission()).rejects.toThrow(/not found/);
  });

  test("its workloads are refused everywhere, and those that stay know each other", async () => {
    const [one, two, three] = workloads;
    if (one === undefined || two === undefined || three === undefined) throw new Error("no workloads");
    await Promise.all([refused(two, three), refused(three, two)]);
    for (const [from, to] of pairs([one, two])) expect(await handshake(from, to)).toBe(`${to.id} met ${from.id}`);
  });
});

test("a peer whose object gets another name is trusted all the while", async () => {
  const ended = async (): Promise<string[]> =>
    [...(await cluster2.serverLog()).matchAll(/no longer managed" entry=(\S+)/g)].map(
      ([, trustDomain = ""]) => trustDomain,
    );
  const before = await ended();
  expect(before).toContain(cluster3.trustDomain);
  const objectName = "renamed-federation";
  await project.set("cluster2", "peers[0]", JSON.stringify({ stack: "cluster1", objectName }));
  await project.up("cluster2");
  const trust = await cluster2.list("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "");
  expect(trust.map(({ metadata }) => metadata.name)).toEqual([objectName]);
  await cluster2.refreshBundle(cluster1.trustDomain);
  expect(await ended()).toEqual(before);
});
