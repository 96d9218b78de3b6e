/**
 * What passes on a real cluster: API servers that fail now and then, each of whose reads is made again, and logs that rotate. The tests
 * build on each other.
 */
import { readdir, truncate } from "node:fs/promises";
import { join } from "node:path";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState, type Project } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { type Flaky, flaky } from "../helpers/flakyApi";
import { testProject } from "../helpers/identities";
import { report } from "../helpers/report";

const CLUSTERS = [new Cluster("cluster1"), new Cluster("cluster2")];
let apis: Flaky;
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  const steady = await testProject("cluster1", "cluster2");
  apis = await flaky(join(steady.dir, "deployer.kubeconfig"), steady.dir);
  project = steady.as(apis.kubeconfig);
});

afterAll(() => {
  apis.close();
});

/** Runs a command that has to end with 0 though reads fail. */
async function unmoved(...args: string[]): Promise<string> {
  const before = apis.failures.length;
  const { code, stdout, stderr } = await project.mesh(...args);
  const failed = apis.failures.slice(before);
  expect([code, code === 0 ? "" : `${stdout}${stderr}\n${failed.join("\n")}`]).toEqual([0, ""]);
  expect(failed).not.toEqual([]);
  return stdout;
}

test("up federates the two", async () => {
  await unmoved("up", "--yes");
  for (const [from, to] of pairs(CLUSTERS)) await eventually(() => held(from, to));
});

test.each([["preview"], ["verify --wait"], ["drift"]])("%s", async (command) => {
  await unmoved(...command.split(" "));
});

test("all ways of failing have occurred", () => {
  expect(new Set(apis.failures.map((failure) => failure.split(":")[0])).size).toBe(5);
});

test("verify calls nothing failed when the log has just rotated, and all well with the next poll", async () => {
  const pods = join(labState(), "cluster1", "pods");
  const logs = (await readdir(pods, { recursive: true })).filter((file) => /spire-server\/\d+\.log$/.test(file));
  expect(logs).not.toEqual([]);
  for (const file of logs) await truncate(join(pods, file));
  const { stdout } = await project.mesh("verify", "-o", "json");
  const { members, pairs: ofPairs } = report("verify", stdout);
  const failed = [...members, ...ofPairs].flatMap(({ checks }) => checks.filter(({ state }) => state === "failed"));
  expect(failed).toEqual([]);
  await unmoved("verify", "--wait");
});
