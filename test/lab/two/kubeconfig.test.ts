/** One kubeconfig per cluster, as OpenShift's installer leaves them: every context is called admin. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeConfig } from "../../../components/cluster/kubernetesClient";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { Project } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";

const clusters = [new Cluster("cluster1"), new Cluster("cluster2")];
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

const exports = (stack: string): Promise<string> => project.pulumi("stack", "export", "--stack", stack);

async function writeInstallersFile(cluster: Cluster, path: string): Promise<void> {
  const [server, user] = [cluster.kubeconfig.getCurrentCluster(), cluster.kubeconfig.getCurrentUser()];
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromOptions({
    clusters: [{ ...server, name: cluster.name }],
    users: [{ ...user, name: "admin" }],
    contexts: [{ name: "admin", cluster: cluster.name, user: "admin" }],
    currentContext: "admin",
  });
  await writeFile(path, kubeconfig.exportConfig(), { mode: 0o600 });
}

beforeAll(async () => {
  const own = await Project.forTest("cluster1", "cluster2");
  // Nothing that is in the lab's kubeconfig may be used.
  await writeFile(join(own.dir, "empty"), "{}");
  project = own.as(join(own.dir, "empty"));
  await mkdir(join(project.dir, "clusters", "two"), { recursive: true });
  for (const [index, cluster] of clusters.entries()) {
    const path = ["clusters/one", "clusters/two/kubeconfig"][index] ?? "";
    await writeInstallersFile(cluster, join(project.dir, path));
    await project.set(cluster.name, "kubeconfig", path);
  }
  await project.set("cluster1", "context", "admin");
  await project.unset("cluster2", "context"); // the file has just one
});

test("each stack goes to the cluster of its own file", async () => {
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  for (const [from, to] of pairs(clusters)) await eventually(() => held(from, to));
});

test("everything that mesh asks of the clusters goes the same way, and its commands name the file", async () => {
  const { code, stdout, stderr } = await project.mesh("verify", "-o", "wide");
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  expect(stdout).toContain("context admin of clusters/two/kubeconfig");
  expect((await project.mesh("drift")).code).toBe(0);
  const held = join(project.dir, "clusters/two/kubeconfig");
  await writeFile(
    `${held}~`,
    (await readFile(held, "utf8")).replace(/"server": ?"[^"]*"/, '"server":"https://localhost:1"'),
  );
  await rename(held, `${held}.right`);
  await rename(`${held}~`, held);
  const unreachable = await project.mesh("verify", "cluster2", "-o", "wide");
  await rename(`${held}.right`, held);
  expect(unreachable.stdout).toContain("oc --kubeconfig clusters/two/kubeconfig --context admin version");
});

test("of the file the state has the path as the config writes it, and no credentials", async () => {
  for (const [index, cluster] of clusters.entries()) {
    const state = await exports(cluster.name);
    expect(state).toContain(`"kubeconfig": "${["clusters/one", "clusters/two/kubeconfig"][index] ?? ""}"`);
    expect(state).not.toContain(project.dir);
    expect(state).not.toMatch(/client-key-data|PRIVATE KEY/);
  }
});

test("another path replaces nothing, also when the old file is gone", async () => {
  await rename(join(project.dir, "clusters/one"), join(project.dir, "moved"));
  await project.set("cluster1", "kubeconfig", join(project.dir, "moved"));
  const preview = await project.pulumi("preview", "--stack", "cluster1", "--diff");
  expect(preview).not.toMatch(/replace|delete|create/i);
  await project.up("cluster1");
});

test("a destroy, which runs no program, goes the same way", async () => {
  await project.set("cluster1", "peers", "[]");
  await project.destroy("cluster2");
  expect(await exports("cluster2")).not.toContain("SpireServerPatch");
});
