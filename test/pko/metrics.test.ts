/** Deployment `metrics`: what it serves, and with which rights. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DeployedMember } from "../../deploy/pko/deployed";
import type { KubernetesObject } from "../../deploy/pko/objects";
import { render } from "../../deploy/pko/render";

const SCRIPT = join(__dirname, "..", "..", "deploy", "pko", "metrics.js");

describe("the script", () => {
  let dir: string;
  let child: ChildProcess;
  let url: string;

  /** Starts it beside a command that counts its runs and does what `says` does with that count `n`. */
  async function start(says: string, command = "dist/mesh/cli/start.js"): Promise<void> {
    dir = await mkdtemp(join(tmpdir(), "metrics-"));
    const counted = `const fs = require("node:fs"); fs.appendFileSync("runs", "x"); const n = fs.readFileSync("runs").length;`;
    await mkdir(dirname(join(dir, command)), { recursive: true });
    await writeFile(join(dir, command), `${counted}\n${says}`);
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    url = `http://127.0.0.1:${String(port)}`;
    const env = { ...process.env, PROJECT: dir, PORT: String(port), PAUSE_SECONDS: "0.1" };
    child = spawn(process.execPath, [SCRIPT], { cwd: dir, env, stdio: "ignore" });
  }

  afterEach(async () => {
    if (child.exitCode === null) {
      child.kill();
      await once(child, "exit");
    }
    await rm(dir, { recursive: true });
  });

  async function get(path = "/metrics"): Promise<{ status: number; text: string }> {
    const answer = await fetch(url + path);
    return { status: answer.status, text: await answer.text() };
  }

  async function until(wanted: (answer: { status: number; text: string }) => boolean): Promise<void> {
    while (!(await get().then(wanted, () => false))) await sleep(50);
  }

  test("serves what verify printed last, whether all is well or not", async () => {
    await start(`console.log(process.argv.slice(2).join(" "), n); process.exit([0, 1, 3][n % 3]);`);
    await until(({ text }) => text === "verify -o prometheus 1\n");
    await until(({ text }) => text === "verify -o prometheus 4\n");
    expect(await get("/other")).toMatchObject({ status: 404 });
  });

  test("keeps the last page when a run has seen nothing", async () => {
    await start(`if (n > 1) { console.log("half"); process.exit(2); } console.log("whole");`);
    await until(({ text }) => text === "whole\n");
    await sleep(1000);
    expect(await get()).toEqual({ status: 200, text: "whole\n" });
  });

  test("has no page before the first run is done, rather than an empty one", async () => {
    await start("setTimeout(() => {}, 60_000);", "node_modules/spire-federation/dist/mesh/cli/start.js");
    await until(({ status }) => status === 503);
  });

  test("ends when its pod does", async () => {
    await start("");
    await until(({ status }) => status === 200);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("its objects", () => {
  const member = (name: string): DeployedMember => ({
    name,
    project: "spire-federation",
    stacks: [{ id: `organization/spire-federation/${name}` }],
    files: [
      { path: `Pulumi.${name}.yaml`, text: "config: {}\n" },
      { path: "partner.json", text: "{}" },
    ],
    context: name,
    namesKubeconfig: false,
  });
  const members = [member("cluster1"), member("cluster2")];
  const deployment = {
    image: "registry.example.com/spire-federation:1",
    backend: "s3://states?region=eu-central-1",
    namespace: "spire-federation",
    resync: 300,
    inCluster: false,
  };
  const objects = render(members, { ...deployment, metrics: true }).filter(
    ({ metadata }) => metadata.name === "metrics",
  );
  interface Pod {
    serviceAccountName: string;
    automountServiceAccountToken: boolean;
    containers: [{ env: { name: string; value: string }[]; volumeMounts: { name: string }[]; ports: object[] }];
    volumes: { name: string; projected?: { sources: object[] } }[];
  }
  const podOf = (all: readonly KubernetesObject[]): Pod =>
    (all.find(({ kind }) => kind === "Deployment")?.["spec"] as { template: { spec: Pod } }).template.spec;

  test("are there when asked for alone", () => {
    expect(render(members, deployment).filter(({ metadata }) => metadata.name === "metrics")).toEqual([]);
    expect(objects.map(({ kind }) => kind)).toEqual(["ServiceAccount", "ConfigMap", "Deployment", "PodMonitor"]);
  });

  test("give no right on the hub, and the auditor's on each member", () => {
    const pod = podOf(objects);
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.volumes.find(({ name }) => name === "kube")?.projected?.sources).toEqual([
      { secret: { name: "auditor-cluster1", items: [{ key: "config", path: "cluster1" }] } },
      { secret: { name: "auditor-cluster2", items: [{ key: "config", path: "cluster2" }] } },
    ]);
    expect(pod.containers[0].env).toContainEqual({ name: "KUBECONFIG", value: "/kube/cluster1:/kube/cluster2" });
    expect(JSON.stringify(pod)).not.toContain("kubeconfig-");
  });

  test("have a file that two stack files name once, since the API server refuses it twice", () => {
    const volume = podOf(objects).volumes.find(({ name }) => name === "stack-files");
    const sources = volume?.projected?.sources as { configMap: { items: { path: string }[] } }[];
    expect(sources.flatMap(({ configMap }) => configMap.items.map(({ path }) => path)).sort()).toEqual([
      "Pulumi.cluster1.yaml",
      "Pulumi.cluster2.yaml",
      "partner.json",
    ]);
  });

  test("mount volumes that are there, and scrape a port that is", () => {
    const { volumes, containers } = podOf(objects);
    expect(containers[0].volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
    const monitor = objects.find(({ kind }) => kind === "PodMonitor");
    expect(monitor?.["spec"]).toMatchObject({ podMetricsEndpoints: [{ port: "metrics" }] });
    expect(containers[0].ports).toMatchObject([{ name: "metrics" }]);
  });
});
