/** From a kubeconfig to a federation: `init`, `up`, `verify`, and no file written by hand. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Cluster } from "../../../lab/client/cluster";
import { labState, Project } from "../../../lab/client/project";
import { installPackage } from "../../package/install";
import { inHandsOf, testProject } from "../helpers/identities";

// A generous bound against hanging, not a measurement.
jest.setTimeout(900_000);

const clusters = ["cluster1", "cluster2"].map((name) => new Cluster(name));
const SERVER = { apiVersion: "operator.openshift.io/v1alpha1", kind: "SpireServer", metadata: { name: "cluster" } };
const INIT = ["init", "--yes", "--issuer", "acme"];

const server = (cluster: Cluster) => cluster.read(SERVER.apiVersion, SERVER.kind, SERVER.metadata.name);

let empty: Project;
let checkout: Project;

beforeAll(async () => {
  // What the stacks of other test files have left there would be a federation to adopt.
  for (const cluster of clusters) {
    const { spec } = await server(cluster);
    if (spec !== undefined && "federation" in spec)
      await cluster.merge({ ...SERVER, spec: { federation: { federatesWith: null } } });
  }
  checkout = await testProject();
  for (const sample of Object.keys(await stackFiles(checkout.dir))) await rm(join(checkout.dir, sample));
  const dir = await mkdtemp(join(labState(), "empty-"));
  installPackage(dir);
  empty = await inHandsOf("deployer", await Project.in(dir), clusters);
});

/** What `npx spire-federation …` runs where the package is installed; any exit code but 0 is an error. */
async function run(...args: string[]): Promise<string> {
  const program = join("node_modules", "spire-federation", "dist", "mesh", "cli", "start.js");
  const env = { ...process.env, ...empty.env };
  return (await promisify(execFile)("node", [program, ...args], { cwd: empty.dir, env })).stdout;
}

/** What counts up when an object is changed. */
const generations = (): Promise<unknown[]> =>
  Promise.all(
    clusters.map(async (cluster) => {
      const { metadata, spec } = await server(cluster);
      return { generation: metadata.generation, spec };
    }),
  );

const stackFiles = async (dir: string): Promise<Record<string, string>> => {
  const files = (await readdir(dir)).filter((file) => /^Pulumi\..+\.yaml$/.test(file));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, await readFile(join(dir, file), "utf8")] as const)),
  );
};

test("in a checkout without the samples it writes a file for each cluster", async () => {
  const { code, stderr } = await checkout.mesh(...INIT);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const files = await stackFiles(checkout.dir);
  expect(Object.keys(files).sort()).toEqual(["Pulumi.cluster1.yaml", "Pulumi.cluster2.yaml"]);
  for (const file of Object.keys(files)) await rm(join(checkout.dir, file));
});

test("in an empty folder it writes a project and a file for each cluster, and changes no cluster", async () => {
  const before = await generations();
  const { clusters: found, files } = JSON.parse(await run(...INIT, "-o", "json")) as {
    clusters: { context: string; state: string; trustDomain: string }[];
    files: { file: string; change: string }[];
  };
  expect(found).toEqual(
    clusters.map(({ name, trustDomain }): unknown =>
      expect.objectContaining({ context: name, state: "new", trustDomain }),
    ),
  );
  expect(files.map(({ file, change }) => `${change} ${file}`)).toEqual([
    "created Pulumi.yaml",
    "created index.js",
    "created Pulumi.cluster1.yaml",
    "created Pulumi.cluster2.yaml",
  ]);
  expect(await generations()).toEqual(before);
});

test("up and verify need nothing else", async () => {
  await run("up", "--yes");
  // Exit code 0: every member and each pair is healthy.
  await expect(run("verify", "--wait")).resolves.toContain("cluster2");
});

test("the second time there is nothing to write", async () => {
  const before = await stackFiles(empty.dir);
  expect(JSON.parse(await run(...INIT, "-o", "json"))).toMatchObject({
    clusters: clusters.map(({ name }) => ({ context: name, state: "member", stack: name })),
    files: [],
  });
  expect(await stackFiles(empty.dir)).toEqual(before);
});

test("whoever has other stacks is told to adopt, and gets no file", async () => {
  const { code, stderr, stdout } = await checkout.mesh(...INIT);
  expect([code, stderr + stdout]).toEqual([1, expect.stringMatching(/npx spire-federation adopt <stack> --context /)]);
  expect(await stackFiles(checkout.dir)).toEqual({});
});
