/**
 * The programs of examples/, as their READMEs say: blocks tagged `sh lab`, after the package has been installed. They federate
 * the two clusters with each other, one from TypeScript and one from YAML. What depends on the member is made once it is ready.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { blocksOf } from "../../docs/pages";
import { type Example, EXAMPLES, follower, makeConsumers } from "../../package/consumer";

// Generous bounds against hanging, not measurements.
jest.setTimeout(900_000);

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const CLUSTERS = { typescript: cluster1, yaml: cluster2 };
let folder: string;
let began: Date;

beforeAll(async () => {
  folder = await mkdtemp(join(labState(), "examples-"));
  await mkdir(join(folder, "state"));
  await makeConsumers(folder);
  began = new Date(Math.floor(Date.now() / 1000) * 1000); // as precise as Kubernetes
});

/** What somebody types in the folder of an example. */
async function typed(example: Example, commands: string): Promise<string> {
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

const runs = async (example: Example, block = { text: "" }): Promise<void> => {
  expect(await typed(example, block.text)).toMatch(/bundleEndpointUrl *: "https:\/\/federation\.apps\.cluster/);
};

test.each([
  ["typescript", alone],
  ["yaml", yaml],
] as const)("%s runs as its README says", runs);

/** `dependsOn` waits for the component, not only for its resources: without, the ConfigMap is there before the SPIRE server. */
test.each(EXAMPLES)(
  "in %s what depends on the member was made after its SPIRE server was rolled out",
  async (example) => {
    const { core } = CLUSTERS[example];
    const made = await core.readNamespacedConfigMap({ name: follower(example), namespace: "default" });
    const { metadata, status } = await core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    const times = [began, metadata?.creationTimestamp, ready?.lastTransitionTime, made.metadata?.creationTimestamp];
    const [start = NaN, ...later] = times.map((time) => time?.getTime() ?? NaN);
    expect(later).not.toContain(NaN);
    // The up has changed the refresh hint, and with it the pod.
    expect([start, ...later]).toEqual([start, ...later].sort((a, b) => a - b));
  },
);

test("typescript runs with a peer as its README says", () => runs("typescript", withPeer));

test("each SPIRE server holds the other's bundle", async () => {
  for (const [from, to] of pairs([cluster1, cluster2])) await eventually(() => held(from, to));
});

test.each(EXAMPLES)("a second up of %s changes nothing", async (example) => {
  await typed(example, "pulumi up --yes --expect-no-changes");
});

test.each([
  ["yaml", endYaml],
  ["typescript", endTypescript],
] as const)("%s ends trust as its README says, and the SPIRE server goes on", async (example, block) => {
  const cluster = CLUSTERS[example];
  if (block === undefined) throw new Error("the README has fewer blocks");
  await typed(example, block.text);
  const trust = await cluster.list("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "");
  expect(trust.map(({ metadata }) => metadata.name)).toEqual([]);
  // Without federatesWith the SPIRE server starts anew, and the router has nobody to ask until then.
  expect((await eventually(() => cluster.endpoint())).keys.x509).not.toEqual([]);
});
