/**
 * `spire-federation up` on three clusters: from nothing to a full mesh, and to the end again after whatever has interrupted it.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState, Project, type Run } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { fingerprintsOf } from "../../../mesh/spire/firstRoots";
import type { UpMember } from "../../../mesh/up/up";
import { killPoints } from "../helpers/killPoints";
import { report } from "../helpers/report";
import { testProject } from "../helpers/identities";

const CLUSTERS = [new Cluster("cluster1"), new Cluster("cluster2"), new Cluster("cluster3", "cluster3.example.com")];
const NAMES = CLUSTERS.map(({ name }) => name);
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject();
  await configure();
});

const others = (name: string): string[] => NAMES.filter((other) => other !== name);

interface Given {
  peers?: (name: string) => string[];
  /** Counter with which all bundles are fetched anew. */
  bootstraps?: number;
  /** A change restarts the SPIRE servers. */
  refreshHint?: number;
  /** A change changes the Certificate, and nothing comes of it. */
  renewBefore?: string;
  profile?: string;
}

/** Writes stack files anew. Without anything given, everybody has both others as peers. */
async function configure(
  { peers: peersOf = others, bootstraps = 0, ...given }: Given = {},
  clusters: readonly Cluster[] = CLUSTERS,
): Promise<void> {
  for (const { name, trustDomain } of clusters) {
    const peers = peersOf(name).map((stack) => ({ stack, rebootstrap: bootstraps }));
    const config = { context: name, trustDomain, peers, ...given };
    await project.writeConfig(name, config);
  }
}

const members = ({ stdout }: Run): UpMember[] => report("up", stdout).members;

/** A `spire-federation up`, of everybody where nobody is named, that has to end with everybody complete. */
async function up(...names: string[]): Promise<{ result: UpMember[]; seconds: number }> {
  const start = Date.now();
  const run = await project.mesh("up", "--yes", ...names, "-o", "json");
  if (run.code !== 0) throw new Error(`spire-federation up: exit code ${String(run.code)}\n${run.stderr}${run.stdout}`);
  return { result: members(run), seconds: (Date.now() - start) / 1000 };
}

/** How often the SPIRE server's StatefulSet has got another template, each of which restarts its one pod. */
async function templates(cluster: Cluster): Promise<number> {
  const revisions = await cluster.list("apps/v1", "ControllerRevision", NAMESPACE);
  const own = revisions.filter(({ metadata }) => metadata.name.startsWith("spire-server-"));
  return Math.max(0, ...own.map((revision) => (revision as unknown as { revision: number }).revision));
}

interface State {
  resources: { urn: string }[];
  pending_operations?: object[];
}

async function state(stack: string): Promise<State> {
  const text = await project.pulumi("stack", "export", "--stack", stack);
  return (JSON.parse(text) as { deployment: State }).deployment;
}

/** Throws unless every state is whole and every cluster has one ClusterFederatedTrustDomain for each peer. */
async function nothingDoubleNothingLost(): Promise<void> {
  for (const cluster of CLUSTERS) {
    const { resources, pending_operations: pending = [] } = await state(cluster.name);
    expect(pending).toEqual([]);
    const urns = resources.map(({ urn }) => urn).sort();
    expect(urns).toEqual([...new Set(urns)]);
    expect(urns).toEqual(whole.get(cluster.name));
    const peers = CLUSTERS.filter((other) => other !== cluster).map(({ trustDomain }) => trustDomain);
    const trusts = await cluster.list("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "");
    expect(trusts.map(({ spec }) => (spec as { trustDomain: string }).trustDomain).sort()).toEqual(peers.sort());
  }
}

async function fullMesh(): Promise<void> {
  for (const [from, to] of pairs(CLUSTERS)) await eventually(() => held(from, to));
}

/** What each state has when all is there. */
const whole = new Map<string, string[]>();

test("from nothing: everybody in two rounds, all six bundles held, and no SPIRE server restarted more than twice", async () => {
  const before = await Promise.all(CLUSTERS.map(templates));
  const { result } = await up();
  for (const name of NAMES) whole.set(name, (await state(name)).resources.map(({ urn }) => urn).sort());
  expect(result.map(({ member, state: stands, runs }) => [member, stands, runs])).toEqual(
    NAMES.map((name) => [name, "complete", 2]),
  );
  await fullMesh();
  // Once to serve, once to list the peers, which can be done only when these serve.
  const after = await Promise.all(CLUSTERS.map(templates));
  result.forEach(({ restarts, ended }, n) => {
    const rolled = (after[n] ?? 0) - (before[n] ?? 0);
    expect([restarts, ended]).toEqual([rolled, []]);
    expect(rolled).toBeLessThanOrEqual(2);
  });
  await nothingDoubleNothingLost();
});

test("what can never be changed is refused by a preview, with what would be right", async () => {
  await configure({ profile: "https_spiffe" });
  const { code, stdout } = await project.mesh("preview", "cluster1");
  expect(stdout).toMatch(/profile: .*"https_web", which it can never change; set "https_web"/);
  expect(code).toBe(1);
  await configure();
});

test("a plan that was approved is what runs: other keys are refused by up, and by the run that fetches them", async () => {
  const [cluster1, cluster2] = CLUSTERS as [Cluster, Cluster, Cluster];
  await configure({ peers: (name) => (name === "cluster1" ? ["cluster3"] : others(name)) });
  expect((await up("cluster1")).result[0]).toMatchObject({ ended: [cluster2.trustDomain] });
  await configure();
  const plan = join(project.dir, "plan.json");
  const shown = async (): Promise<string[]> => {
    expect((await project.mesh("preview", "cluster1", "--save-plan", plan)).code).toBe(0);
    const [member] = report("preview", await readFile(plan, "utf8")).members;
    const gain = member?.trust.gains.find(({ peer }) => peer === "cluster2");
    return gain !== undefined && "roots" in gain ? fingerprintsOf(gain) : [];
  };
  const keys = await shown();
  const { length } = (await cluster2.endpoint()).keys.jwt;
  await cluster2.spireServer("localauthority", "jwt", "prepare");
  await eventually(async () => {
    expect((await cluster2.endpoint()).keys.jwt.length).toBeGreaterThan(length);
  });

  const refused = await project.mesh("up", "cluster1", "--approved", plan);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/the plan is not the one in .*plan\.json/)]);
  // As when the keys change between up's last look and the run.
  const bundleEndpointUrl = `https://${cluster2.host}`;
  process.env["SPIRE_FEDERATION_APPROVED"] = JSON.stringify({ [cluster2.trustDomain]: { bundleEndpointUrl, keys } });
  const run = await project.tryUp("cluster1").finally(() => delete process.env["SPIRE_FEDERATION_APPROVED"]);
  expect([run.code === 0, run.stdout + run.stderr]).toEqual([
    false,
    expect.stringMatching(/keys are not those of the approved plan: JWT key/),
  ]);
  const trusts = await cluster1.list("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "");
  expect(trusts.map(({ metadata }) => metadata.name)).not.toContain("cluster2-federation");

  expect((await shown()).length).toBe(keys.length + 1);
  const done = await project.mesh("up", "cluster1", "--approved", plan, "-o", "json");
  expect([done.code, members(done)[0]?.state]).toEqual([0, "complete"]);
  await nothingDoubleNothingLost();
});

let seconds = 20;

test("a member whose API server is down fails alone, and one more run completes", async () => {
  const [, cluster2] = CLUSTERS as [Cluster, Cluster, Cluster];
  const pid = Number(await readFile(join(labState(), "cluster2", "kube-apiserver.pid"), "utf8"));
  // Everybody has something to do, cluster1 to take cluster2 out.
  const withoutCluster2 = (name: string): string[] => (name === "cluster1" ? ["cluster3"] : others(name));
  await configure({ bootstraps: 1, peers: withoutCluster2 });
  process.kill(pid, "SIGSTOP");
  const run = await project.mesh("up", "--yes", "-o", "json").finally(() => process.kill(pid, "SIGCONT"));
  expect(members(run).map(({ member, state: stands }) => [member, stands])).toEqual([
    ["cluster1", "complete"],
    ["cluster2", "failed"],
    ["cluster3", "complete"],
  ]);
  expect(members(run)[1]?.errors.join()).toMatch(/context "cluster2" .*no answer within 10 s/);
  expect(run.code).toBe(1);

  await configure({ bootstraps: 1 });
  const { stdout } = await project.mesh("preview", "cluster1");
  const trust = `will trust ${cluster2.trustDomain} (cluster2) at https://${cluster2.host}; `;
  const shown = (stdout.split(trust)[1] ?? "").split("\n", 1)[0]?.split(", ") ?? [];
  // As many as tests before this one have left, in the endpoint's order.
  const { keys } = await cluster2.endpoint();
  expect(shown.flatMap((key) => /^root sha256 (.*)/.exec(key)?.[1] ?? []).sort()).toEqual(keys.x509);
  expect(shown.flatMap((key) => /^JWT key "(.*)"/.exec(key)?.[1] ?? []).sort()).toEqual(keys.jwt);

  const again = await up();
  expect(again.result[1]?.changes).not.toEqual({});
  await nothingDoubleNothingLost();
  ({ seconds } = again);
});

test("a backend that goes away while the stacks run costs the result of nobody, and one more run completes", async () => {
  await configure({ bootstraps: 10 });
  const [folder, away] = ["state", "state.away"].map((name) => join(project.dir, name)) as [string, string];
  const locks = join(folder, ".pulumi", "locks", "organization", "spire-federation");
  // Before its lock is recorded on this machine, a stack that is left locked asks for a person.
  const home = process.env["XDG_STATE_HOME"] || join(homedir(), ".local", "state");
  const records = join(home, "spire-federation", "locks");
  const { ended } = project.startMesh("up", "--yes", "-o", "json");
  await eventually(async () => {
    const known = await Promise.all((await readdir(records)).map((name) => readFile(join(records, name), "utf8")));
    expect(known.filter((text) => text.includes(locks))).toHaveLength(NAMES.length);
  });
  await rename(folder, away);
  await writeFile(folder, ""); // nobody makes it anew
  const run = await ended.finally(async () => {
    await rm(folder);
    await rename(away, folder);
  });
  expect(members(run).map(({ member, state: stands }) => [member, stands])).toEqual(
    NAMES.map((name) => [name, "failed"]),
  );
  for (const { errors } of members(run)) expect(errors.join()).not.toBe("");
  expect([run.code, run.stderr]).toEqual([1, expect.not.stringContaining("nothing was changed")]);
  await up();
  await nothingDoubleNothingLost();
});

describe("kill -9", () => {
  // Two are enough to be at different points; what a third one has, these have.
  const pair = CLUSTERS.slice(0, 2);
  const names = pair.map(({ name }) => name);
  const points = killPoints(3);

  test.each([
    ["of mesh alone", "first", 0],
    ["of all its processes", "second", 1],
    ["of mesh alone", "last", 2],
  ])("%s in the %s third of a run: the next one completes", async (whom, _, nth) => {
    // Once a whole member is made anew; every other time the SPIRE servers restart.
    if (nth === 1) await project.destroy("cluster1");
    const issuer = { renewBefore: `${String(300 + nth)}h` };
    const given = { bootstraps: 2 + nth, issuer, endpoint: { refreshHint: 300 + Math.floor(nth / 2) } };
    await configure(given, pair);
    const { pid = 0, ended } = project.startMesh("up", "--yes", ...names);
    await sleep((points[nth] ?? 0) * seconds * 1000);
    const all = whom === "of mesh alone" ? [] : descendants(pid);
    for (const each of [pid, ...all]) kill(each);
    await ended;

    const next = await project.mesh("up", "--yes", ...names, "-o", "json");
    if (next.code !== 0 && (await releaseUnrecorded(next)) + (await deleteTorn(next)) === 0)
      throw new Error(next.stderr + next.stdout);
    if (next.code !== 0) await up(...names);
    await nothingDoubleNothingLost();
  });

  /**
   * Pulumi outlives a killed command, and when it takes the lock only then, nobody records whose it is: the user decides
   * about it. Does what the error says; in most runs there is nothing to do.
   */
  async function releaseUnrecorded({ stdout }: Run): Promise<number> {
    const told = [...stdout.matchAll(/There is no process \d+ .*?npx pulumi cancel --stack ([\w./-]+)/g)];
    const stacks = new Set(told.map(([, stack = ""]) => stack));
    for (const stack of stacks) await project.pulumi("cancel", "--yes", "--stack", stack);
    return stacks.size;
  }

  /** Pulumi writes a state's sidecar by emptying it first. Where the kill came just then, this does what the error says. */
  async function deleteTorn({ stdout }: Run): Promise<number> {
    if (!stdout.includes("delete any empty file .pulumi/stacks/*/*.attrs")) return 0;
    const stacks = join(project.dir, "state", ".pulumi", "stacks");
    const sidecars = (await readdir(stacks, { recursive: true })).filter((name) => name.endsWith(".attrs"));
    const torn = sidecars.filter((name) => statSync(join(stacks, name)).size === 0);
    for (const name of torn) await rm(join(stacks, name));
    return torn.length;
  }

  test("and in the end everybody trusts everybody, an up has nothing to do, and no stack has been selected", async () => {
    await fullMesh();
    const { result } = await up();
    expect(result.map(({ runs, changes, restarts, recovered }) => ({ runs, changes, restarts, recovered }))).toEqual(
      NAMES.map(() => ({ runs: 0, changes: {}, restarts: 0, recovered: [] })),
    );
    expect((await project.run("stack", "--show-name")).stderr).toMatch(/no stack selected/);
  });
});

/** Of a process that has ended meanwhile there is nothing to kill. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Process ids of all that a process has started, whatever groups they are in. */
function descendants(pid: number): number[] {
  const all = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const of = (parent: number): number[] =>
    all.flatMap(([child = 0, its]) => (its === parent ? [child, ...of(child)] : []));
  return of(pid);
}
