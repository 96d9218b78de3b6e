import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { UsageError } from "../../../mesh/kernel/exit";
import { readMembers } from "../../../mesh/members/members";
import { id } from "./given";

/** The folder of a project, read as the Automation API does, without Pulumi's program. */
let dir: string;
let files: Record<string, Record<string, unknown>>;
let workspace: Workspace;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "members-"));
  files = {};
  workspace = {
    workDir: dir,
    projectSettings: () =>
      Promise.resolve({ name: "spire-federation", runtime: "nodejs", backend: { url: "file://~" } }),
    stackSettings: (name: string) => Promise.resolve({ config: files[name] }),
  } as Partial<Workspace> as Workspace;
});

afterEach(() => rm(dir, { recursive: true }));

async function stack(name: string, config: Record<string, unknown>): Promise<void> {
  await writeFile(join(dir, `Pulumi.${name}.yaml`), "");
  files[name] = Object.fromEntries(
    Object.entries({ context: name, trustDomain: `apps.${name}.example.com`, ...config }).map(([key, value]) => [
      `spire-federation:${key}`,
      value,
    ]),
  );
}

test("members are the stacks with a file, with their peers, by whatever name these are called", async () => {
  await stack("cluster2", { peers: ["organization/spire-federation/cluster1", "organization/other/far"] });
  await stack("cluster1", { peers: '["cluster2"]', refreshHint: 120 });
  await cp(join(dir, "Pulumi.cluster1.yaml"), join(dir, "Pulumi.yaml"));
  const members = await readMembers(workspace);
  expect(members.map(({ name, peers, outside }) => ({ name, peers, outside }))).toEqual([
    { name: "cluster1", peers: [id("cluster2")], outside: [] },
    { name: "cluster2", peers: [id("cluster1")], outside: ["organization/other/far"] },
  ]);
  expect(members[0]?.config.refreshHint).toBe(120);
});

test("a kubeconfig is meant from the project's folder, wherever mesh is run, and says the context", async () => {
  const admin = { name: "admin", context: { cluster: "c", user: "u" } };
  await writeFile(join(dir, "one"), JSON.stringify({ clusters: [], users: [], contexts: [admin] }));
  await stack("a", { context: "", kubeconfig: "one" });
  await stack("b", { kubeconfig: "~/two", context: "b" });
  const configs = (await readMembers(workspace)).map(({ config }) => config);
  expect(configs).toMatchObject([
    { kubeconfig: relative("", join(dir, "one")), context: "admin" },
    { kubeconfig: "~/two", context: "b" },
  ]);
});

test("only those that are named, and their peers all the same", async () => {
  await stack("a", { peers: ["b"] });
  await stack("b", {});
  expect((await readMembers(workspace, ["a"])).map(({ name, peers }) => [name, peers])).toEqual([["a", [id("b")]]]);
});

test("everything that is wrong in any of the files is said at once, with the file", async () => {
  await stack("a", { refreshHint: 1 });
  await stack("b", { profile: "x" });
  const error = await readMembers(workspace).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(/^Pulumi\.a\.yaml: spire-federation:refreshHint: /m);
  expect((error as Error).message).toMatch(/^Pulumi\.b\.yaml: spire-federation:profile: /m);
});

test("a file that is no YAML is named beside what is wrong in others", async () => {
  await stack("a", { refreshHint: 1 });
  await stack("b", {});
  const read = workspace.stackSettings.bind(workspace);
  workspace.stackSettings = (name) => (name === "b" ? Promise.reject(new Error("bad indentation (5:5)")) : read(name));
  const error = await readMembers(workspace).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(/^Pulumi\.a\.yaml: [^]*^Pulumi\.b\.yaml: bad indentation \(5:5\)$/m);
});

test("secrets are taken for right without being decrypted, where there can be one", async () => {
  const secure = { secure: "v1:bm9uY2U=:Y2lwaGVydGV4dA==" };
  const datastore = { databaseType: "postgres", connectionString: secure };
  await stack("a", { spireServer: { manage: true, datastore } });
  await stack("b", { spireServer: secure });
  await stack("c", { spireServer: { manage: true, labels: { secure: "yes", team: "x" } } });
  const members = await readMembers(workspace);
  expect(members.map(({ config }) => config.spireServer)).toEqual([
    {
      spec: { datastore: { databaseType: "postgres" } },
      takeOver: [],
      notShown: ["datastore.connectionString"],
      secret: false,
    },
    { spec: {}, takeOver: [], notShown: [""], secret: true },
    { spec: { labels: { secure: "yes", team: "x" } }, takeOver: [], notShown: [], secret: false },
  ]);
  await stack("d", { trustDomain: secure });
  const error = await readMembers(workspace).catch((e: unknown) => e);
  expect((error as Error).message).toMatch(
    /^Pulumi\.d\.yaml: spire-federation:trustDomain: is a secret, [^\n]*--plaintext/,
  );
  expect((error as Error).message).not.toContain("Y2lw");
});

test("a name without a file is refused with those that there are", async () => {
  await stack("cluster1", {});
  await expect(readMembers(workspace, ["clutser1"])).rejects.toThrow(
    "clutser1: no such stack here; there are cluster1",
  );
});

test("a project without stacks says what makes one", async () => {
  await expect(readMembers(workspace)).rejects.toThrow("Pulumi.<stack>.yaml");
});
