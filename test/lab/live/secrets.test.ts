/**
 * A database password that somebody has written into the SpireServer, and one of the stack's own config: no state, no
 * output of Pulumi or mesh and no report ever shows it. The server goes on running: its database is SQLite all the same,
 * which doesn't look at a password.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { Project, type Run } from "../../../lab/client/project";
import { changeProgram } from "../helpers/earlierRelease";
import { allow, testProject } from "../helpers/identities";

const API = "operator.openshift.io/v1alpha1";
const THEIRS = "file:/run/spire/data/datastore.sqlite3?user=theiruser&password=their-hunter2";
const OURS = "file:/run/spire/data/datastore.sqlite3?user=ouruser&password=our-hunter2";
const APPLIED = "host=their-db.internal user=theiruser password=their-hunter2";
const PARTS = /their-hunter2|theiruser|their-db|our-hunter2|ouruser/;

const cluster = new Cluster("cluster1");
let project: Project;

jest.setTimeout(600_000);

const datastore = (connectionString: string): object => ({ datastore: { connectionString } });

/** Writes into the SpireServer as somebody does who has all of it in a file, and waits for SPIRE to run with it. */
async function write(spec: object, applied: string | null): Promise<void> {
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": applied } as Record<string, string>;
  const patch = { apiVersion: API, kind: "SpireServer", metadata: { name: "cluster", annotations }, spec };
  await cluster.merge(patch, "kubectl-edit");
  const { connectionString } = (await live()).datastore;
  await eventually(async () => {
    const { data } = await cluster.core.readNamespacedConfigMap({ name: "spire-server", namespace: NAMESPACE });
    const conf = JSON.parse(data?.["server.conf"] ?? "") as { plugins: { DataStore: object } };
    expect(JSON.stringify(conf.plugins.DataStore)).toContain(connectionString);
    await cluster.spireServer("healthcheck");
  });
}

interface Resource {
  type: string;
  additionalSecretOutputs?: string[];
  outputs: Record<string, { plaintext?: string }>;
}

interface SpireServer {
  spec: { datastore: { connectionString: string }; logLevel: string; caValidity: string };
}
const live = async (): Promise<SpireServer["spec"]> =>
  ((await cluster.read(API, "SpireServer", "cluster")) as unknown as SpireServer).spec;

const state = (): Promise<string> => project.pulumi("stack", "export", "--stack", "cluster1");

/** All that an operator of the mesh gets to see, by command. */
async function seen(): Promise<Record<string, string>> {
  const said = ({ stdout, stderr }: Run): string => stdout + stderr;
  const run = async (...args: string[]): Promise<string> => said(await project.run(...args, "--stack", "cluster1"));
  const all: Record<string, string> = { "stack export": await state() };
  all["preview --diff"] = await run("preview", "--diff", "--refresh");
  all["preview --json"] = await run("preview", "--json");
  all["refresh"] = await run("refresh", "--yes", "--diff");
  all["stack export after refresh"] = await state();
  all["stack output"] = await run("stack", "output", "--json");
  all["spire-federation drift"] = said(await project.mesh("drift", "-o", "json"));
  all["spire-federation verify"] = said(await project.mesh("verify", "-o", "json"));
  all["spire-federation preview"] = said(await project.mesh("preview", "-o", "json"));
  all["spire-federation verify -o html"] = said(await project.mesh("verify", "-o", "html"));
  return all;
}

const shown = (all: Record<string, string>): string[] =>
  Object.entries(all).flatMap(([what, text]) => (PARTS.test(text) ? [what] : []));

beforeAll(async () => {
  project = await testProject("cluster1");
  await project.unset("cluster1", "peers");
  const applied = JSON.stringify({ spec: datastore(APPLIED) });
  await write({ ...datastore(THEIRS), logLevel: "debug", caValidity: "48h" }, applied);
});

afterAll(() => write({ ...datastore("/run/spire/data/datastore.sqlite3"), logLevel: "info", caValidity: "24h" }, null));

test("a password that somebody else has written into the SpireServer is in no state and no output", async () => {
  const up = await project.tryUp("cluster1");
  expect(up.code).toBe(0);
  const all = { up: up.stdout + up.stderr, ...(await seen()) };
  expect(shown(all)).toEqual([]);
  expect((await project.outputs("cluster1"))["federation"]).toMatchObject({ trustDomain: cluster.trustDomain });
});

test("a state that has it in clear, as older releases wrote it, has it no more after the next up", async () => {
  const file = join(project.dir, "export.json");
  await project.pulumi("stack", "export", "--show-secrets", "--stack", "cluster1", "--file", file);
  const exported = JSON.parse(await readFile(file, "utf8")) as { deployment: { resources: Resource[] } };
  for (const resource of exported.deployment.resources) {
    if (!/:SpireServer(Patch)?$/.test(resource.type)) continue;
    delete resource.additionalSecretOutputs;
    for (const [key, { plaintext }] of Object.entries(resource.outputs))
      if (plaintext !== undefined) resource.outputs[key] = JSON.parse(plaintext) as { plaintext?: string };
  }
  await writeFile(file, JSON.stringify(exported));
  await project.pulumi("stack", "import", "--stack", "cluster1", "--file", file);
  expect(await state()).toMatch(PARTS);

  await project.up("cluster1");
  expect(await state()).not.toMatch(PARTS);
});

describe("a SpireServer that the stack is to own whole", () => {
  const stringPath = "spireServer.datastore.connectionString";

  // As the policy's comment says.
  beforeAll(() => allow(cluster, "deployer", ["federation"], ["caValidity", "datastore"]));

  test("is refused a password in clear, with the command that makes it a secret, by Pulumi and by mesh", async () => {
    await project.set("cluster1", "spireServer.manage", "true");
    await project.set("cluster1", "spireServer.caValidity", "24h");
    await project.set("cluster1", stringPath, JSON.stringify(OURS));
    for (const { code, stdout, stderr } of [await project.tryUp("cluster1"), await project.mesh("verify")]) {
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain(`pulumi config set --secret --path ${stringPath}`);
      expect(stdout + stderr).not.toMatch(PARTS);
    }
  });

  test("is refused a field that its CRD does not know, before anything changes, with the one that was meant", async () => {
    await project.unset("cluster1", stringPath);
    await project.set("cluster1", "spireServer.lgoLevel", "debug");
    const { code, stdout, stderr } = await project.tryUp("cluster1");
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/Nothing was changed.*spireServer\.lgoLevel: .*"logLevel"/s);
    await project.unset("cluster1", "spireServer.lgoLevel");
  });

  test("keeps what others have set, which is named, until the stack takes it over", async () => {
    await project.pulumi("config", "set", "--secret", "--path", stringPath, OURS, "--stack", "cluster1");
    const { code, stdout, stderr } = await project.tryUp("cluster1");
    expect(code).not.toBe(0);
    const refused = [
      ...(stdout + stderr).matchAll(/spire-federation:spireServer\.([\w.]+): is .* take the field over/g),
    ];
    expect([...new Set(refused.map(([, field]) => field))].sort()).toEqual([
      "caValidity",
      "datastore.connectionString",
    ]);
    expect(stdout + stderr).not.toMatch(PARTS);
    expect(await live()).toMatchObject({ caValidity: "48h", ...datastore(THEIRS) });

    await project.set("cluster1", "spireServer.takeOver", "[caValidity, datastore]");
    await project.up("cluster1");
    expect(await live()).toMatchObject({ caValidity: "24h0m0s", logLevel: "debug", ...datastore(OURS) });
    await project.up("cluster1", "--expect-no-changes");
    expect(shown(await seen())).toEqual([]);

    // Of a whole object, Pulumi's provider would take over all that kubectl has set in its second apply, and remove it.
    await project.set("cluster1", "spireServer.caValidity", "12h");
    await project.up("cluster1");
    expect(await live()).toMatchObject({ caValidity: "12h0m0s", logLevel: "debug", ...datastore(OURS) });
  });

  test("as a stack of an older release did becomes a patch: the SpireServer and what others have set stay", async () => {
    await project.destroy("cluster1");
    const uid = async (): Promise<unknown> =>
      ((await cluster.read(API, "SpireServer", "cluster")).metadata as { uid?: string }).uid;
    const before = await uid();
    const restore = await changeProgram(
      project,
      "spireServer/spireServerPatch.js",
      "extends k8s.apiextensions.CustomResourcePatch",
      "extends k8s.apiextensions.CustomResource",
    );
    await project.up("cluster1");
    expect(await state()).toContain(':SpireServer"');

    await restore();
    await project.up("cluster1");
    expect(await state()).not.toContain(':SpireServer"');
    expect(await uid()).toBe(before);
    expect(await live()).toMatchObject({ caValidity: "12h0m0s", logLevel: "debug", ...datastore(OURS) });
    await project.up("cluster1", "--expect-no-changes");
    expect(await state()).not.toMatch(PARTS);
  });
});
