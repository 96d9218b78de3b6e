/**
 * A real Prometheus reads a real SPIRE server by what `alerts` prints, and what `verify -o prometheus` says as deploy/pko/metrics.js
 * serves it: in health nothing fires, a peer that cannot be reached is alerted on while workloads still meet, who are refused
 * once that peer has other keys, and the dashboard has something to show. Windows are a fifteenth of what `alerts` prints, and
 * so is the peer's refresh hint.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import type { Rule } from "../../../mesh/alerts/rules";
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { handshake, Workload } from "../../../lab/client/workload";
import { ofAllMembers, QUERIES } from "../../mesh/alerts/dashboard";
import { testProject } from "../helpers/identities";
import { merge, spec } from "../helpers/injections";
import { removeBundles } from "../helpers/leftovers";
import { rotateAuthorities } from "../helpers/rotation";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const ROOT = join(__dirname, "..", "..", "..");
const [PROMETHEUS, METRICS] = ["127.0.0.1:9090", "127.0.0.1:9464"];
const [WINDOW, SHORT] = ["900s", "60s"];

interface ServiceMonitor {
  spec: { selector: { matchLabels: Record<string, string> }; endpoints: { port: string }[] };
}
interface PrometheusRule {
  spec: { groups: { name: string; rules: Rule[] }[] };
}

let project: Project;
let here: Workload;
let there: Workload;
const started: ChildProcess[] = [];

// A generous bound against hanging, not a measurement.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  await project.set("cluster2", "endpoint.refreshHint", "60");
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  if (code !== 0) throw new Error(stdout + stderr);
  await removeBundles(cluster1, [cluster2]);
  await removeBundles(cluster2, [cluster1]);
  await eventually(() => held(cluster1, cluster2));
  await eventually(() => held(cluster2, cluster1));
  here = await Workload.deploy(cluster1, "alerted", [cluster2.trustDomain]);
  there = await Workload.deploy(cluster2, "alerted", [cluster1.trustDomain]);
  await watch();
});

afterAll(async () => {
  for (const child of started.filter(({ exitCode }) => exitCode === null)) {
    child.kill();
    await once(child, "exit");
  }
  await routers(1);
  // What federates with a trust domain would stand in the way of those who remove its bundle.
  for (const cluster of [cluster1, cluster2]) await Workload.remove(cluster, "alerted");
});

const routers = (replicas: number): Promise<void> =>
  merge(cluster2, "Deployment", "router-default", spec({ replicas }), "openshift-ingress");

/** Starts both; Prometheus reads what the objects of `alerts` say, as OpenShift's would. */
async function watch(): Promise<void> {
  const { code, stdout, stderr } = await project.mesh("alerts", "cluster1");
  expect([code, stderr]).toEqual([0, expect.stringContaining("the Prometheus for user workloads reads these objects")]);
  const [monitor, rules] = parseAllDocuments(stdout).map((document) => document.toJS() as unknown) as [
    ServiceMonitor,
    PrometheusRule,
  ];
  const dir = join(project.dir, "prometheus");
  await mkdir(dir);
  const groups = JSON.stringify(rules.spec.groups.map((group) => ({ ...group, interval: "5s" })));
  await writeFile(
    join(dir, "rules.yaml"),
    stringify({ groups: JSON.parse(groups.replaceAll(WINDOW, SHORT)) as unknown }),
  );
  await writeFile(
    join(dir, "prometheus.yaml"),
    stringify({
      global: { scrape_interval: "5s" },
      rule_files: ["rules.yaml"],
      scrape_configs: [
        {
          job_name: "spire-server",
          static_configs: [{ targets: [await targetOf(monitor)], labels: { namespace: NAMESPACE } }],
        },
        { job_name: "metrics", static_configs: [{ targets: [METRICS] }] },
      ],
    }),
  );
  const env = { PROJECT: project.dir, PORT: METRICS.split(":")[1], PAUSE_SECONDS: "1", ...project.env };
  start(process.execPath, [join(ROOT, "deploy/pko/metrics.js")], env);
  const program = execFileSync(join(ROOT, "test/promtool/prometheus"), { encoding: "utf8" }).trim();
  const flags = ["--config.file=prometheus.yaml", "--storage.tsdb.path=data", `--web.listen-address=${PROMETHEUS}`];
  start(program, flags, {}, dir);
}

function start(program: string, args: string[], env: Record<string, string | undefined>, cwd = project.dir): void {
  started.push(spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: "ignore" }));
}

/** Where the one Service is that the ServiceMonitor selects, and that port of it. */
async function targetOf({ spec: { selector, endpoints } }: ServiceMonitor): Promise<string> {
  const labelSelector = Object.entries(selector.matchLabels)
    .map((label) => label.join("="))
    .join(",");
  const { items } = await cluster1.core.listNamespacedService({ namespace: NAMESPACE, labelSelector });
  expect(items.map(({ metadata }) => metadata?.name)).toEqual(["spire-server"]);
  const port = items[0]?.spec?.ports?.find(({ name }) => name === endpoints[0]?.port)?.port;
  return `${items[0]?.spec?.clusterIP ?? ""}:${port ?? "none"}`;
}

async function ask<T>(path: string): Promise<T> {
  const answer = (await (await fetch(`http://${PROMETHEUS}/api/v1/${path}`)).json()) as { data: T; error?: string };
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer.data;
}

const query = async (expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> =>
  (await ask<{ result: never[] }>(`query?query=${encodeURIComponent(expr)}`)).result;

/** Alerts that fire now, as `name peer`. */
const firing = async (): Promise<string[]> =>
  (await ask<{ alerts: { state: string; labels: Record<string, string> }[] }>("alerts")).alerts
    .filter(({ state }) => state === "firing")
    .map(({ labels }) => `${labels["alertname"] ?? ""} ${labels["peer"] ?? ""}`)
    .sort();

/** The number of polls of cluster2 that ended so. */
const polls = (status: string): string =>
  `spire_server_bundle_manager_fetch_federated_bundle{trust_domain_id="apps_cluster2_example_com",status${status}}`;

test("each metric that the alerts of a healthy server need is there, and none fires", async () => {
  await eventually(async () => {
    expect(await query(`increase(${polls('="OK"')}[${SHORT}]) > 1`)).toHaveLength(1);
    expect(await query("spire_server_manager_x509_ca_rotate_expiration - time() > 10800")).toHaveLength(1);
    expect(await query('spire_server_datastore_bundle_set{status="OK"}')).toHaveLength(1);
    expect(await query('spire_federation_pair_health{health="healthy"} == 1')).toHaveLength(2);
  });
  // Longer than both windows of the alert that waits for two.
  const over = Date.now() + 135_000;
  while (Date.now() < over) {
    expect(await firing()).toEqual([]);
    await new Promise((done) => setTimeout(done, 5000));
  }
});

describe("a peer's endpoint cannot be reached", () => {
  beforeAll(() => routers(0));

  test("alerts fire, one after the other, while workloads still meet", async () => {
    await eventually(async () => {
      expect(await firing()).toEqual(["SpireFederationPeerFailing cluster2"]);
    }, 240);
    await eventually(async () => {
      expect(await firing()).toEqual(["SpireFederationPeerFailing cluster2", "SpireFederationPeerSilent cluster2"]);
    }, 240);
    // verify sees the endpoint down, and asks both SPIRE servers for their keys all the same.
    expect(await query('spire_federation_findings{member="cluster2",code="MESH143"}')).toHaveLength(1);
    expect(await query('spire_federation_findings{member="cluster1",code=~"MESH21[12]"}')).toEqual([]);
    const [left] = await query('spire_federation_trust_end_timestamp_seconds{member="cluster1"} - time()');
    expect(Number(left?.value[1])).toBeGreaterThan(3600);
    expect(await handshake(there, here)).toBe(`${here.id} met ${there.id}`);
  });

  test("each query of the dashboard has something to show", async () => {
    await eventually(async () => {
      const empty = await Promise.all(
        QUERIES.map(async (expr) => ((await query(ofAllMembers(expr))).length === 0 ? [expr] : [])),
      );
      expect(empty.flat()).toEqual([]);
    });
  });

  test("once the peer has other keys, its workloads are refused, and verify says which keys are missing", async () => {
    await rotateAuthorities(cluster2);
    await eventually(() =>
      expect(handshake(there, here)).rejects.toThrow(/^the server refuses: .*x509svid: could not verify/),
    );
    expect(await firing()).toEqual(["SpireFederationPeerFailing cluster2", "SpireFederationPeerSilent cluster2"]);
    await eventually(async () => {
      expect(await query('spire_federation_findings{member="cluster1",code="MESH211"}')).toHaveLength(1);
    });
  });

  test("once it can be reached, workloads meet again, and no alert is left", async () => {
    await routers(1);
    await eventually(() => handshake(there, here));
    await eventually(async () => {
      expect(await firing()).toEqual([]);
    }, 240);
  });
});
