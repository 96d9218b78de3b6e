/**
 * The programs of examples/, as their READMEs say: blocks tagged `sh lab`, after the package has been installed. They federate
 * the two clusters with each other, one from TypeScript and one from YAML.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/demo/proof";
import { blocksOf } from "../../docs/pages";
import { installPackage, ROOT } from "../../package/install";

// Generous bounds against hanging, not measurements.
jest.setTimeout(900_000);

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(labState(), "examples-"));
  await mkdir(join(folder, "state"));
  for (const example of ["typescript", "yaml"]) {
    await cp(join(ROOT, "examples", example), join(folder, example), { recursive: true });
    installPackage(join(folder, example), "typescript", "@types/node");
  }
});

/** What somebody types in the folder of an example. */
async function typed(example: string, commands: string): Promise<string> {
  const env = {
    ...process.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "lab",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  const options = { cwd: join(folder, example), env };
  try {
    return (await promisify(execFile)("bash", ["-eu", "-c", commands], options)).stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout}`, { cause: error });
  }
}

const [alone, withPeer, endTypescript] = blocksOf("examples/typescript/README.md").filter(
  ({ tag }) => tag === "sh lab",
);
const [yaml, endYaml] = blocksOf("examples/yaml/README.md").filter(({ tag }) => tag === "sh lab");

test.each([
  ["typescript", alone],
  ["yaml", yaml],
  ["typescript", withPeer],
])("%s runs as its README says", async (example, block) => {
  if (block === undefined) throw new Error("the README has fewer blocks");
  expect(await typed(example, block.text)).toMatch(/bundleEndpointUrl *: "https:\/\/federation\.apps\.cluster/);
});

test("each SPIRE server holds the other's bundle", async () => {
  for (const [from, to] of pairs([cluster1, cluster2])) await eventually(() => held(from, to));
});

test.each(["typescript", "yaml"])("a second up of %s changes nothing", async (example) => {
  await typed(example, "pulumi up --yes --expect-no-changes");
});

test.each([
  ["yaml", endYaml, cluster2],
  ["typescript", endTypescript, cluster1],
])("%s ends trust as its README says, and the SPIRE server goes on", async (example, block, cluster) => {
  if (block === undefined) throw new Error("the README has fewer blocks");
  await typed(example, block.text);
  const trust = await cluster.list("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "");
  expect(trust.map(({ metadata }) => metadata.name)).toEqual([]);
  expect((await cluster.endpoint()).keys.x509).not.toEqual([]);
});
