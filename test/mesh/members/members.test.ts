import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { NOT_SHOWN } from "../../../components/shared/notShown";
import { UsageError } from "../../../mesh/kernel/exit";
import { readMembers, withPeers } from "../../../mesh/members/members";
import { root, rootKey } from "../../components/issue";
import { projectFolder, type ProjectFolder } from "./folder";
import { id } from "./given";

let dir: string;
let workspace: Workspace;
let pulumiSays: ProjectFolder["pulumiSays"];
let asked: ProjectFolder["asked"];
let stackIn: ProjectFolder["stack"];
let project: object;

beforeEach(async () => {
  project = { name: "spire-federation", runtime: "nodejs", backend: { url: "file://~" } };
  ({ dir, workspace, pulumiSays, asked, stack: stackIn } = await projectFolder(() => project));
});

afterEach(() => rm(dir, { recursive: true }));

const stack = (name: string, config: Record<string, unknown>, rest?: object): Promise<void> =>
  stackIn(name, { context: name, trustDomain: `apps.${name}.example.com`, ...config }, rest);

test("members are the stacks with a file, with their peers, by whatever name these are called", async () => {
  await stack("cluster2", { peers: ["organization/spire-federation/cluster1", "organization/other/far"] });
  await stack("cluster1", { peers: '["cluster2"]', endpoint: { refreshHint: 120 } });
  await cp(join(dir, "Pulumi.cluster1.yaml"), join(dir, "Pulumi.yaml"));
  const members = await readMembers(workspace);
  expect(members.map(({ name, peers, outside }) => ({ name, peers, outside }))).toEqual([
    { name: "cluster1", peers: [id("cluster2")], outside: [] },
    { name: "cluster2", peers: [id("cluster1")], outside: ["organization/other/far"] },
  ]);
  expect(members[0]?.config.refreshHint).toBe(120);
});

test("a peer that is no stack is outside, is called by its name, and its file is in the project's folder", async () => {
  const its = root("partner.example.org");
  await writeFile(join(dir, "partner.json"), JSON.stringify({ keys: [rootKey(its)] }));
  const bundleEndpointUrl = "https://spire.partner.example.org";
  const partner = {
    name: "partner",
    trustDomain: "partner.example.org",
    bundleEndpointUrl,
    bundleFile: "partner.json",
  };
  await stack("cluster1", { peers: [partner] });
  const [member] = await readMembers(workspace);
  const described = `${id("cluster1")}#partner`;
  expect(member).toMatchObject({ peers: [], outside: [described], labels: { [described]: "partner" } });
  expect(member?.config.peers[0]?.publication?.bundle).toContain("x509-svid");
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

describe("peers of those that are named", () => {
  test("only their files are read, and a member that was read before is not asked for again", async () => {
    await stack("a", { peers: ["b"] });
    await stack("b", {});
    await stack("c", {});
    const named = await readMembers(workspace, ["a"]);
    const { members } = await withPeers(workspace, named, ["a"]);
    expect(members.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(members[0]).toBe(named[0]);
    const config = (await asked()).split("\n").filter((line) => line.startsWith("config "));
    expect(config.map((line) => line.split("/").at(-1)?.split(" ")[0])).toEqual(["a", "b"]);
  });

  test("a file that somebody broke costs that peer alone", async () => {
    await stack("a", { peers: ["b", "c", "d"] });
    await stack("b", { endpoint: { refreshHint: 1 } });
    await stack("c", {});
    await writeFile(join(dir, "Pulumi.d.yaml"), "config:\n  a: [\n");
    const named = await readMembers(workspace, ["a"]);
    const { members, unread } = await withPeers(workspace, named, ["a"]);
    expect(members.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(unread.get(id("b"))).toMatch(/^Pulumi\.b\.yaml: spire-federation:endpoint\.refreshHint: /);
    expect(unread.get(id("d"))).toMatch(/^Pulumi\.d\.yaml: .*line \d/);
  });
});

test("two files for one cluster are refused with both names", async () => {
  await stack("a", { context: "admin", kubeconfig: "~/one" });
  await stack("b", { context: "admin", kubeconfig: "~/two" });
  await stack("copy", { context: "admin", kubeconfig: "~/one" });
  await expect(readMembers(workspace)).rejects.toThrow(
    "Pulumi.copy.yaml: copy has the kubeconfig and the context of a",
  );
  expect((await readMembers(workspace, ["a", "b"])).map(({ name }) => name)).toEqual(["a", "b"]);
});

test("a stack with files of both endings is one member", async () => {
  await stack("a", {});
  await cp(join(dir, "Pulumi.a.yaml"), join(dir, "Pulumi.a.yml"));
  expect((await readMembers(workspace)).map(({ name }) => name)).toEqual(["a"]);
});

test("with the backend out of reach, files say enough for those who only look at clusters", async () => {
  project = { name: "spire-federation", runtime: "nodejs" };
  await pulumiSays('echo "error: could not reach api.pulumi.com" >&2; exit 1');
  await stack("a", { peers: ["b"] });
  await stack("b", {});
  await expect(readMembers(workspace)).rejects.toThrow("could not reach");
  const said: string[] = [];
  const members = await readMembers(workspace, [], "named", (because) => said.push(because));
  expect(members.map(({ name, peers }) => [name, peers.length])).toEqual([
    ["a", 1],
    ["b", 0],
  ]);
  expect(said).toEqual(["could not reach api.pulumi.com"]);
});

test("everything that is wrong in any of the files is said at once, with the file", async () => {
  await stack("a", { endpoint: { refreshHint: 1 } });
  await stack("b", { profile: "x" });
  const error = await readMembers(workspace).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(/^Pulumi\.a\.yaml: spire-federation:endpoint\.refreshHint: /m);
  expect((error as Error).message).toMatch(/^Pulumi\.b\.yaml: spire-federation:profile: /m);
});

test("a file that is no YAML is named beside what is wrong in others", async () => {
  await stack("a", { endpoint: { refreshHint: 1 } });
  await stack("b", {});
  await writeFile(join(dir, "Pulumi.b.yaml"), "config:\n  a: [\n");
  const error = await readMembers(workspace).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(/^Pulumi\.a\.yaml: [^]*^Pulumi\.b\.yaml: .*at line \d/m);
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
      spec: { datastore: { databaseType: "postgres", connectionString: NOT_SHOWN } },
      takeOver: [],
      secret: false,
    },
    { spec: {}, takeOver: [], hidden: true, secret: true },
    { spec: { labels: { secure: "yes", team: "x" } }, takeOver: [], secret: false },
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

describe("config", () => {
  const said = (values: Record<string, object>): string =>
    `echo '${JSON.stringify(Object.fromEntries(Object.entries(values).map(([key, value]) => [`spire-federation:${key}`, value])))}'`;
  const text = (value: string): object => ({ value, secret: false });

  test("is what Pulumi says it is: the project's defaults are in it, and no environment is opened that is not imported", async () => {
    await stack("a", { peers: ["b"] });
    await pulumiSays(
      said({
        trustDomain: text("a.example.com"),
        endpoint: { value: '{"refreshHint":120}', objectValue: { refreshHint: 120 }, secret: false },
        peers: { value: '["c"]', objectValue: ["c"], secret: false },
      }),
    );
    const [member] = await readMembers(workspace);
    expect(member?.config).toMatchObject({ trustDomain: "a.example.com", refreshHint: 120 });
    expect(member?.outside).toEqual([id("c")]);
    expect(await asked()).toBe(`config --json --stack ${id("a")} --non-interactive\n`);
  });

  test("of an environment is opened by Pulumi; who cannot be asked is an error with Pulumi's words", async () => {
    await stack("a", {}, { environment: ["clusters"] });
    await pulumiSays(said({ trustDomain: text("from.env.example.com") }));
    expect((await readMembers(workspace))[0]?.config.trustDomain).toBe("from.env.example.com");
    expect(await asked()).toContain("config --json --open --stack");
    await pulumiSays('echo "error: PULUMI_ACCESS_TOKEN must be set" >&2; exit 255');
    const error = await readMembers(workspace).catch((e: unknown) => e);
    // No fault of the file, and so exit code 3.
    expect(error).not.toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(/^Pulumi\.a\.yaml: .*environments.*: PULUMI_ACCESS_TOKEN must be set$/);
  });

  test("that is secret is not asked for: an object with a secret in it is the file's, without that", async () => {
    const secure = { secure: "v1:bm9uY2U=:Y2lwaGVydGV4dA==" };
    await stack("a", {
      spireServer: { manage: true, datastore: { databaseType: "postgres", connectionString: secure } },
    });
    await pulumiSays(said({ trustDomain: text("a.example.com"), spireServer: { secret: true } }));
    expect((await readMembers(workspace))[0]?.config.spireServer).toMatchObject({
      spec: { datastore: { databaseType: "postgres", connectionString: NOT_SHOWN } },
    });
    await stack("a", {});
    expect((await readMembers(workspace))[0]?.config.spireServer).toMatchObject({ spec: {}, hidden: true });
    expect(await asked()).not.toContain("--show-secrets");
  });

  test("of a stack that is still to be made is its file, and the project's defaults", async () => {
    project = {
      ...project,
      config: {
        endpoint: { type: "object", default: { refreshHint: 90 } },
        "spire-federation:profile": "https_spiffe",
        federatesWith: { value: "dynamic" },
        "aws:region": { value: "eu-1" },
        trustDomain: { type: "string" },
        peers: { type: "array", default: ["x"] },
      },
    };
    await stack("a", { peers: ["b"] });
    const [member] = await readMembers(workspace);
    expect(member?.config).toMatchObject({ refreshHint: 90, profile: "https_spiffe", federatesWith: "dynamic" });
    expect(member?.outside).toEqual([id("b")]);
  });

  test("is looked for in the project's stackConfigDir", async () => {
    await stack("a", {});
    await mkdir(join(dir, "stacks"));
    await rename(join(dir, "Pulumi.a.yaml"), join(dir, "stacks", "Pulumi.a.yaml"));
    await expect(readMembers(workspace)).rejects.toThrow("Pulumi.<stack>.yaml");
    project = { ...project, stackConfigDir: "stacks" };
    expect((await readMembers(workspace)).map(({ name }) => name)).toEqual(["a"]);
  });
});
