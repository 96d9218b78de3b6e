import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { parse } from "yaml";
import { configExit, configs, printConfigs, settings } from "../../../mesh/config/config";
import { parseConfig } from "../../../stacks/config";
import { SELF } from "../../stacks/fixtures";
import { projectFolder, type ProjectFolder } from "../members/folder";

let dir: string;
let workspace: Workspace;
let pulumiSays: ProjectFolder["pulumiSays"];
let stack: ProjectFolder["stack"];
const notes: string[] = [];

/** A project with the defaults that ours has. */
beforeEach(async () => {
  const ours = parse(await readFile(join(__dirname, "../../../Pulumi.yaml"), "utf8")) as object;
  ({ dir, workspace, pulumiSays, stack } = await projectFolder(() => ({ ...ours, backend: { url: "file://~" } })));
});

afterEach(() => rm(dir, { recursive: true }));

const read = (...names: string[]): ReturnType<typeof configs> =>
  configs(workspace, names, (because) => notes.push(because));

/** Value and speaker, by key. */
const byKey = (of: Awaited<ReturnType<typeof configs>>[number] | undefined): Record<string, string> =>
  Object.fromEntries(of?.settings.map(({ key, value = "-", from }) => [key, `${value} <- ${from}`]) ?? []);

test("each key says what holds, and whose word it is", async () => {
  await stack("cluster1", {
    context: "one",
    trustDomain: "apps.cluster1.example.com",
    peers: ["cluster2"],
    issuer: { type: "acme", email: "ops@example.com" },
    endpoint: '{"refreshHint":120}',
  });
  const [cluster1] = await read("cluster1");
  expect(cluster1).toMatchObject({ member: "cluster1", problems: [] });
  expect(byKey(cluster1)).toMatchObject({
    context: "one <- Pulumi.cluster1.yaml",
    trustDomain: "apps.cluster1.example.com <- Pulumi.cluster1.yaml",
    peers: '["cluster2"] <- Pulumi.cluster1.yaml',
    "issuer.type": "acme <- Pulumi.cluster1.yaml",
    "issuer.email": "ops@example.com <- Pulumi.cluster1.yaml",
    "issuer.server": "https://acme-v02.api.letsencrypt.org/directory <- default",
    "issuer.duration": "2160h <- default",
    "endpoint.refreshHint": "120 <- Pulumi.cluster1.yaml",
    "endpoint.host": "- <- not set",
    profile: "https_web <- SpireServer if it has one, else default",
    probe: "machine <- Pulumi.yaml",
    federatesWith: "static <- Pulumi.yaml",
    trustPeerCas: "false <- Pulumi.yaml",
    "names.certificate": "spire-server-federation-tls <- default",
  });
});

test("what an imported environment says is told from file and project", async () => {
  const values = { trustDomain: "from.environment.example", probe: "cluster", federatesWith: "static", context: "one" };
  const said = Object.entries(values).map(([key, value]) => [`spire-federation:${key}`, { value, secret: false }]);
  await pulumiSays(`echo '${JSON.stringify(Object.fromEntries(said))}'`);
  await stack("cluster1", { context: "one" }, { environment: ["shared"] });
  expect(byKey((await read())[0])).toMatchObject({
    context: "one <- Pulumi.cluster1.yaml",
    trustDomain: "from.environment.example <- environment",
    probe: "cluster <- environment",
    federatesWith: "static <- Pulumi.yaml",
  });
});

test("every key of Pulumi.yaml is shown for a member that sets but the trust domain", async () => {
  const { config } = parse(await readFile(join(__dirname, "../../../Pulumi.yaml"), "utf8")) as { config: object };
  await stack("a", { trustDomain: "a.example" });
  const shown = new Set((await read())[0]?.settings.map(({ key }) => key.split(".")[0]));
  const keys = Object.keys(config).filter((key) => !key.includes(":"));
  expect(keys.filter((key) => !shown.has(key))).toEqual(["certManager", "spireServer"]);
});

test("a label with dots is one key", () => {
  const endpoint = { routeLabels: { "example.com/shard": "b" } };
  const all = { trustDomain: "a.example", endpoint };
  const found = settings({ file: all, project: {}, all }, "f", parseConfig(all, SELF));
  expect(found).toContainEqual({ key: "endpoint.routeLabels.example.com/shard", value: "b", from: "f" });
});

test("no form shows a secret, encrypted or in clear", async () => {
  const datastore = { databaseType: "postgres", connectionString: { secure: "v1:abc" } };
  await stack("a", { trustDomain: "a.example", spireServer: { manage: true, datastore } });
  const inClear = { databaseType: "postgres", connectionString: "host=db password=hunter2" };
  await stack("b", { trustDomain: "b.example", spireServer: { manage: true, datastore: inClear } });
  await stack("c", { trustDomain: { secure: "v1:def" } });
  const found = await read();
  expect(byKey(found[0])["spireServer.datastore.connectionString"]).toBe("[secret] <- Pulumi.a.yaml");
  const everything = printConfigs(found) + JSON.stringify(found);
  for (const secret of ["v1:abc", "v1:def", "hunter2"]) expect(everything).not.toContain(secret);
});

test("all that is wrong with all members is said at once, beside what is written", async () => {
  await stack("a", { trustDomain: "A", probe: "nowhere", issuer: { typ: "ca" } });
  await stack("b", { trustDomain: "b.example" });
  await writeFile(join(dir, "Pulumi.c.yaml"), "config: [");
  const found = await read();
  expect(found.map(({ problems }) => problems.length)).toEqual([3, 0, 1]);
  expect(byKey(found[0])).toMatchObject({ probe: "nowhere <- Pulumi.a.yaml" });
  expect(configExit(found)).toBe(2);
  await expect(read("nobody")).rejects.toThrow("nobody: no such stack here; there are a, b, c");
});
