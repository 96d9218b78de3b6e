/** What something costs the machine and the clusters of the lab. */
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { Cluster } from "../../lab/client/cluster";
import { NAMESPACE } from "../../lab/client/cluster";

export interface Cost {
  seconds: number;
  /** Of all processors of the machine, the clusters' own programs included. */
  cpuSeconds: number;
  /** That the clusters' API servers answered, whoever asked. */
  apiRequests: number;
  /** Of SPIRE servers that came with another configuration. */
  restarts: number;
}

export async function measure(clusters: readonly Cluster[], run: () => Promise<unknown>): Promise<Cost> {
  const before = await readings(clusters);
  await run();
  const after = await readings(clusters);
  return {
    seconds: round(after.seconds - before.seconds),
    cpuSeconds: round(after.cpuSeconds - before.cpuSeconds),
    apiRequests: after.apiRequests - before.apiRequests,
    restarts: after.restarts - before.restarts,
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function readings(clusters: readonly Cluster[]): Promise<Cost> {
  const requests = await Promise.all(clusters.map(apiRequests));
  const templates = await Promise.all(clusters.map(serverTemplates));
  return {
    seconds: performance.now() / 1000,
    cpuSeconds: await busySeconds(),
    apiRequests: sum(requests),
    restarts: sum(templates),
  };
}

/** Hundredths of a second in user, nice and system mode, and for interrupts (proc(5)). */
async function busySeconds(): Promise<number> {
  const [first = ""] = (await readFile("/proc/stat", "utf8")).split("\n", 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / 100;
}

async function apiRequests(cluster: Cluster): Promise<number> {
  const lines = (await metrics(cluster)).split("\n").filter((line) => line.startsWith("apiserver_request_total{"));
  return sum(lines.map((line) => Number(line.split(" ").at(-1))));
}

async function metrics({ kubeconfig }: Cluster): Promise<string> {
  const url = new URL("/metrics", kubeconfig.getCurrentCluster()?.server);
  const options = { hostname: url.hostname, port: url.port, path: url.pathname };
  await kubeconfig.applyToHTTPSOptions(options);
  return new Promise((done, fail) => {
    request(options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => {
        done(text);
      });
    })
      .on("error", fail)
      .end();
  });
}

/** How many pod templates the SPIRE server's StatefulSet has had; each new one restarts its pod. */
async function serverTemplates(cluster: Cluster): Promise<number> {
  const revisions = await cluster.list("apps/v1", "ControllerRevision", NAMESPACE);
  const own = revisions.filter(({ metadata }) => metadata.name.startsWith("spire-server-"));
  return Math.max(0, ...own.map((revision) => (revision as unknown as { revision: number }).revision));
}
