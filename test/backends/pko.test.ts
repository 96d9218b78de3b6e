/** What the operator's workspaces run, with a real Pulumi: the rendered scripts, on a state in a folder. */
import { spawn } from "node:child_process";
import { mkdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { root, rootKey } from "../components/issue";
import { type Done, done, TinyProject } from "./tinyProject";

const PKO = join(__dirname, "..", "..", "dist", "deploy", "pko", "main.js");
// Nobody listens there: stacks that Pulumi cannot be asked about are read from their files.
const BACKEND = "s3://states?endpoint=127.0.0.1:1&disableSSL=true&s3ForcePathStyle=true&region=eu-central-1";

jest.setTimeout(600_000);

let project: TinyProject;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  project = await TinyProject.inFolder();
  await project.write("cluster1", "one.example.com", "cluster2");
  await project.write("cluster2", "two.example.com", "cluster1");
  const { PULUMI_HOME = "", PULUMI_VERSION = "", PATH = "" } = { ...process.env, ...project.env };
  env = {
    ...project.env,
    PATH: `${join(PULUMI_HOME, "versions", PULUMI_VERSION, "bin")}:${PATH}`,
    AWS_ACCESS_KEY_ID: "nobody",
    AWS_SECRET_ACCESS_KEY: "nothing",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "1",
  };
});

afterAll(() => project.close());

const start = (command: string, args: readonly string[], cwd: string, environment = env): Promise<Done> =>
  done(spawn(command, args, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"] }));

const render = (...args: string[]): Promise<Done> =>
  start(process.execPath, [PKO, "--image", "registry.example.com/mesh:1", ...args], project.project);

interface Rendered {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec: {
    workspaceTemplate: {
      spec: {
        podTemplate: { spec: { initContainers: [{ command: [string, ...string[]]; env: { name: string }[] }] } };
      };
    };
  };
}

const objectsIn = ({ out }: Done): Rendered[] => parseAllDocuments(out).map((one) => one.toJS() as Rendered);

/** A workspace as the pod of a Stack has it, with folders of this machine in the place of the pod's. */
async function workspace(
  objects: readonly Rendered[],
  name: string,
): Promise<{ dir: string; prepared: Promise<Done> }> {
  const stack = objects.find(({ kind, metadata }) => kind === "Stack" && metadata.name === name);
  const files = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === `stack-${name}`);
  const [container] = stack?.spec.workspaceTemplate.spec.podTemplate.spec.initContainers ?? [];
  if (container === undefined || files?.data === undefined) throw new Error(`no Stack ${name}`);
  const share = join(project.dir, `share-${name}`);
  const places: Record<string, string> = {
    IMAGE_PROJECT: join(project.dir, "image"),
    IMAGE_PLUGINS: join(env["PULUMI_HOME"] ?? "", "plugins"),
    STACK_FILES: join(project.dir, `files-${name}`),
    WORKSPACE: join(share, "source"),
    PULUMI_HOME: join(share, "pulumi"),
    PULUMI_BACKEND_URL: env["PULUMI_BACKEND_URL"] ?? "",
    HOME: share,
    MEMBER_KUBECONFIG: join(project.dir, "member"),
  };
  const given = container.env.map((one) => one.name);
  expect(given).toEqual(expect.arrayContaining(Object.keys(places)));
  places["PULUMI_ENV"] = join(share, ".env"); // the operator's own
  await mkdir(places["STACK_FILES"] ?? "");
  for (const [file, text] of Object.entries(files.data)) await writeFile(join(places["STACK_FILES"] ?? "", file), text);
  const [command, ...args] = container.command;
  return { dir: places["WORKSPACE"] ?? "", prepared: start(command, args, project.dir, { ...env, ...places }) };
}

test("stack files become workspaces, in which members run until each trusts its peer", async () => {
  const rendered = await render("--backend", BACKEND);
  expect(rendered).toMatchObject({ code: 0, err: "" });
  // The image has the project, and no stack's file.
  await start("cp", ["-R", project.project, join(project.dir, "image")], project.dir);
  for (const name of ["cluster1", "cluster2"]) await rm(join(project.dir, "image", `Pulumi.${name}.yaml`));

  // Both at the same time: each makes both stacks.
  const objects = objectsIn(rendered);
  const workspaces = await Promise.all([workspace(objects, "cluster1"), workspace(objects, "cluster2")]);
  for (const { prepared } of workspaces) expect(await prepared).toMatchObject({ code: 0 });
  const [one, two] = workspaces.map(({ dir }) => dir) as [string, string];
  expect(await readFile(join(one, "Pulumi.cluster1.yaml"), "utf8")).toContain("one.example.com");
  expect(await readFile(join(one, "..", ".env"), "utf8")).toBe(`KUBECONFIG=${join(project.dir, "member")}\n`);
  expect(await readlink(join(one, "node_modules"))).toBe(join(project.dir, "image", "node_modules"));

  const up = (name: string, dir: string): Promise<Done> =>
    start(
      "pulumi",
      ["up", "--yes", "--refresh", "--non-interactive", "--stack", `organization/spire-federation/${name}`],
      dir,
    );
  const pending = async (name: string, dir: string): Promise<unknown> => {
    const stack = `organization/spire-federation/${name}`;
    const { out } = await start("pulumi", ["stack", "output", "pendingPeers", "--json", "--stack", stack], dir);
    return JSON.parse(out) as unknown;
  };
  expect(await up("cluster1", one)).toMatchObject({ code: 0 });
  expect(await pending("cluster1", one)).toEqual(["cluster2"]);
  expect(await up("cluster2", two)).toMatchObject({ code: 0 });
  expect(await up("cluster1", one)).toMatchObject({ code: 0 });
  expect(await Promise.all([pending("cluster1", one), pending("cluster2", two)])).toEqual([[], []]);
});

test.each([
  [["--backend", "file:///states"], "would be another folder in each pod; use an object store"],
  [["--backend", BACKEND, "--in-cluster"], "name the one member whose cluster it is"],
  [["--backend", BACKEND, "--resync", "5s"], "1m or more"],
  [["--backend", BACKEND, "--metrics", "cluster1"], "it is of all members, on a hub"],
])("%j is refused, and nothing is printed", async (args, message) => {
  const { code, out, err } = await render(...args);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});

test("with --metrics each stack file has to name a context: one pod looks at all", async () => {
  const kinds = objectsIn(await render("--backend", BACKEND, "--metrics")).map(({ kind }) => kind);
  expect(kinds).toContain("PodMonitor");
  const file = join(project.project, "Pulumi.cluster3.yaml");
  await writeFile(file, stringify({ config: { "spire-federation:trustDomain": "three.example.com" } }));
  const { code, out, err } = await render("--backend", BACKEND, "--metrics");
  await rm(file);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain("cluster3: its stack file has to name a context");
});

test("of one named member bundles come along, unless they are outside of the project", async () => {
  await writeFile(join(project.project, "partner.json"), JSON.stringify({ keys: [rootKey(root("p.example.com"))] }));
  const peer = { name: "partner", trustDomain: "p.example.com", bundleEndpointUrl: "https://p.example.com" };
  const file = join(project.project, "Pulumi.cluster3.yaml");
  const rendered = async (bundleFile: string): Promise<Done> => {
    const config = {
      "spire-federation:trustDomain": "three.example.com",
      "spire-federation:peers": [{ ...peer, bundleFile }],
    };
    await writeFile(file, stringify({ config }));
    return render("--backend", BACKEND, "cluster3");
  };
  const found = await rendered("./partner.json");
  const outside = await rendered("../project/partner.json");
  await rm(file);
  const objects = objectsIn(found);
  expect(objects.filter(({ kind }) => kind === "Stack").map(({ metadata }) => metadata.name)).toEqual(["cluster3"]);
  const files = objects.find(({ metadata }) => metadata.name === "stack-cluster3");
  expect(Object.keys(files?.data ?? {})).toEqual(["Pulumi.cluster3.yaml", "partner.json"]);
  expect([outside.code, outside.err]).toEqual([
    2,
    expect.stringContaining('Pulumi.cluster3.yaml: bundleFile "../project/partner.json" is outside the project'),
  ]);
});
