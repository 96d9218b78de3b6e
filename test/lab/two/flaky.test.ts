/** API servers that fail now and then, as OpenShift's do while they are rolled: what passes by itself ends no command. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster } from "../../../lab/client/cluster";
import { certify } from "../../../lab/client/webCertificate";
import { Project } from "../../../lab/client/project";
import { inHandsOf, writeKubeconfig } from "../helpers/identities";
import { FlakyServer } from "../helpers/flakyServer";
import { report } from "../helpers/report";

const clusters = [new Cluster("cluster1"), new Cluster("cluster2")];
let servers: FlakyServer[] = [];
let project: Project;

// A generous bound against hanging, not a measurement.
jest.setTimeout(900_000);

beforeAll(async () => {
  const made = await inHandsOf("deployer", await Project.forTest("cluster1", "cluster2"), clusters);
  await certify(made.dir);
  servers = clusters.map(({ kubeconfig }) => new FlakyServer(kubeconfig, 20, made.dir));
  const file = await writeKubeconfig(join(made.dir, "flaky.kubeconfig"), "deployer", clusters);
  const kubeconfig = JSON.parse(await readFile(file, "utf8")) as { clusters: { cluster: object }[] };
  for (const [i, server] of servers.entries())
    Object.assign(kubeconfig.clusters[i] ?? {}, { cluster: { server: await server.start() } });
  await writeFile(file, JSON.stringify(kubeconfig));
  project = made.as(file);
});

afterAll(() => {
  for (const server of servers) server.close();
});

test.each(["up --yes", "verify --wait", "drift", "up --yes"])("%s ends well", async (command) => {
  const before = servers.map(({ failed }) => failed);
  const { code, stdout, stderr } = await project.mesh(...command.split(" "));
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
  // Reads did fail.
  for (const [i, { failed }] of servers.entries()) expect(failed).toBeGreaterThan(before[i] ?? 0);
});

test("a verdict is the same as of servers that never fail", async () => {
  const { stdout, stderr } = await project.mesh("verify", "-o", "json");
  if (stdout === "") throw new Error(stderr);
  const { members } = report("verify", stdout);
  const odd = members.flatMap(({ checks }) => checks.filter(({ state }) => state === "unknown" || state === "failed"));
  expect(odd).toEqual([]);
});
