/**
 * `spire-federation verify` on three clusters: silent while all is well, and each fault is said by its code, with a cure, and
 * nothing else is. The faults come in rounds, a few clusters at a time; each round is undone, and after it all is well again.
 * Then its workloads meet.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { Project } from "../../../lab/client/project";
import { uninterrupted } from "../../../mesh/kernel/interruption";
import { openProject, published, type Workspace } from "../../../mesh/pulumi/workspace";
import { type MeshMember, readMembers } from "../../../mesh/members/members";
import { type Outcome, passes } from "../../../mesh/verify/check";
import { lookOrWait } from "../../../mesh/verify/command";
import { type Verification, verifyExit } from "../../../mesh/verify/verification";
import { removeBundles } from "../helpers/leftovers";
import { report } from "../helpers/report";
import { startServerAnew } from "../../../lab/client/server";
import { CLUSTERS, othersOf, ROUNDS } from "../helpers/verifyFaults";
import { probeTests } from "../helpers/verifyProbe";

let project: Project;
let members: MeshMember[];
let workspace: Workspace;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await Project.forTest(); // as somebody who may do anything: who may see what is the matter of rbac.test.ts
  for (const cluster of CLUSTERS) await project.writeStackFile(cluster.name, configOf(cluster));
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  if (code !== 0) throw new Error(`spire-federation up: exit code ${code}\n${stdout}${stderr}`);
  for (const cluster of CLUSTERS) await removeBundles(cluster, othersOf(cluster));
  Object.assign(process.env, project.env); // for Pulumi, which says what the stacks' config is
  workspace = await openProject(project.dir);
  members = await readMembers(workspace);
});

/** What is missed stays so: SPIRE looks at its peers once in a quarter of their refresh hint. */
const configOf = (cluster: Cluster): string => `config:
  spire-federation:context: ${cluster.name}
  spire-federation:trustDomain: ${cluster.trustDomain}
  spire-federation:peers: [${othersOf(cluster)
    .map(({ name }) => name)
    .join(", ")}]
  spire-federation:endpoint: { refreshHint: 3600 }
`;

/** As the command does it, without starting a program each time. */
const verify = (): Promise<Verification> =>
  lookOrWait(
    {
      watch: false,
      wait: false,
      timeout: 0,
      interval: undefined,
      parallel: 8,
      probe: false,
      probeImage: undefined,
      requestTimeout: 10,
    },
    {
      chosen: members,
      all: members,
      unread: new Map(),
      stacks: { published: (id) => published(workspace, id) },
      version: "",
      note: () => undefined,
      made: () => () => undefined,
      signal: uninterrupted.signal,
    },
  );

/** A cluster that does not answer is unknown. */
const withState = (found: string): string => `${found} ${found.endsWith("MESH101") ? "unknown" : "failed"}`;

type Trouble = Outcome & { who: string };

/** All that is not in order, by whom. */
const troubles = ({ members, pairs }: Verification): Trouble[] =>
  [
    ...members.map(({ member, checks }) => ({ who: member, checks })),
    ...pairs.map(({ member, peer, checks }) => ({ who: `${member}->${peer}`, checks })),
  ].flatMap(({ who, checks }) =>
    checks.filter(({ state }) => !passes(state) && state !== "skipped").map((check) => ({ ...check, who })),
  );

const outcomes = ({ members }: Verification, code: string): [string, string][] =>
  members.map(({ member, checks }) => {
    const { state = "", evidence = "" } = checks.find((check) => check.code === code) ?? {};
    return [member, `${state}: ${evidence}`];
  });

const line = ({ who, code, state }: Trouble): string => `${who} ${code} ${state}`;

/** What has missed a poll meanwhile gets what it is told to be cured by. */
async function expectAllWell(): Promise<void> {
  await eventually(async () => {
    const found = troubles(await verify());
    for (const { who, code } of found) if (/^MESH21/.test(code)) await refresh(who);
    // SPIRE logs no poll that is asked for: one that has failed is the last word until the next one is due.
    const failedPolls = found.filter(({ code }) => code === "MESH213").map(({ who }) => clustersOf(who)[0]);
    for (const cluster of new Set(failedPolls)) if (cluster !== undefined) await startServerAnew(cluster);
    expect(found.map((trouble) => `${line(trouble)}: ${trouble.evidence}`)).toEqual([]);
  }, 180);
}

async function refresh(pair: string): Promise<void> {
  const [member, peer] = clustersOf(pair);
  await member?.refreshBundle(peer?.trustDomain ?? "").catch(() => undefined);
}

/** Of `cluster1->cluster2`, which has none where it is a member alone. */
const clustersOf = (who: string): (Cluster | undefined)[] =>
  who.split("->").map((name) => CLUSTERS.find((cluster) => cluster.name === name));

test("a mesh that is well: nothing but passing checks, and exit code 0", async () => {
  await expectAllWell();
  const { code, stdout } = await project.mesh("verify", "-o", "json");
  const { members, pairs } = report("verify", stdout);
  expect([...members, ...pairs].map(({ health }) => health)).toEqual(Array(9).fill("healthy"));
  expect(code).toBe(0);
});

test("each cluster's release of ZTWIM is said, with what is to know of it, and the mesh is well all the same", async () => {
  const seen = await verify();
  for (const [member, release] of outcomes(seen, "MESH107")) {
    expect(release).toMatch(/^ok: 1\.[01]\.\d+/);
    const old = release.startsWith("ok: 1.0.");
    const [loop, grant] = ["MESH108", "MESH124"].map((code) => new Map(outcomes(seen, code)).get(member));
    // The lab's 1.1 is 1.1.1, without the busy loop, and with a Role of its own for the router.
    expect(loop).toMatch(old ? /^warn: gcInterval is 0/ : /^ok: /);
    expect(grant).toMatch(old ? /^ok: / : /^note: the router may list and watch all secrets/);
  }
  expect(verifyExit(seen)).toBe(0);
});

test("before the first up: a cluster is prechecked by its context and trust domain alone", async () => {
  const { code, stdout } = await project.mesh("precheck", "-o", "json");
  const { members } = report("precheck", stdout);
  expect(members.map(({ checks }) => checks.map(({ code, state }) => `${code} ${state}`))).toEqual(
    Array(3).fill(["MESH101 ok", "MESH105 ok", "MESH106 ok", "MESH152 ok"]),
  );
  expect(code).toBe(0);
});

test.each(ROUNDS.map((faults) => [faults.map(({ name }) => name).join(" | "), faults] as const))(
  "%s: each is found, and nothing else",
  async (_, faults) => {
    await Promise.all(faults.map(({ inject }) => inject()));
    try {
      await eventually(async () => {
        const seen = troubles(await verify());
        const expected = faults.flatMap(({ found }) => found.map(withState));
        expect(seen.map(line).sort()).toEqual(expected.sort());
        for (const { found, cure } of faults) {
          const first = seen.find((trouble) => line(trouble) === withState(found[0] ?? ""));
          expect((first as Trouble & { cure: string }).cure).toMatch(cure);
        }
      });
    } finally {
      await Promise.all(faults.map(({ undo }) => undo()));
    }
    await expectAllWell();
  },
);

test("a stack file that somebody broke costs that member's own pair alone", async () => {
  const file = join(project.dir, "Pulumi.cluster3.yaml");
  const saved = await readFile(file, "utf8");
  await writeFile(file, "config:\n  a: [\n");
  try {
    const { code, stdout } = await project.mesh("verify", "cluster1", "-o", "json");
    const { members, pairs } = report("verify", stdout);
    expect(members.map(({ member, health }) => [member, health])).toEqual([["cluster1", "healthy"]]);
    expect(pairs.map(({ peer, health }) => [peer, health])).toEqual([
      ["cluster2", "healthy"],
      ["cluster3", "unknown"],
    ]);
    expect(JSON.stringify(pairs[1])).toContain("Pulumi.cluster3.yaml: ");
    expect(code).toBe(3);
  } finally {
    await writeFile(file, saved);
  }
});

describe("--probe:", () => {
  probeTests(() => project);
});
