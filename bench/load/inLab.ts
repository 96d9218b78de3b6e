/** One run of all events on two clusters, as JSON on stdout: `lab exec -- npx tsx bench/load/inLab.ts`. */
import { join } from "node:path";
import { Cluster, NAMESPACE } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { PlainSpireServer } from "../../lab/client/plainSpire";
import { labState, Project } from "../../lab/client/project";
import { handshake, presentToken, running, Workload } from "../../lab/client/workload";
import { held, pairs } from "../../lab/client/trust";
import { type Counted, Flow, sum } from "./traffic";

export interface Row {
  event: string;
  seconds: number;
  flows: Record<string, Counted>;
}

const clusters = [new Cluster("cluster1"), new Cluster("cluster2")] as const;
const [cluster1, cluster2] = clusters;
const CERTIFICATE = "spire-server-federation-tls";

const served = async (
  changed: () => Promise<unknown>,
  differs: (before: string, now: string) => void,
): Promise<void> => {
  const certificate = async (): Promise<string> => (await cluster1.endpoint()).certificate.fingerprint256;
  const before = await certificate();
  await changed();
  await eventually(async () => {
    differs(before, await certificate());
  });
};
const isNew = (before: string, now: string): void => {
  if (before === now) throw new Error("the endpoint presents its old certificate");
};

async function main(): Promise<Row[]> {
  const project = await Project.create(join(labState(), "bench"));
  const mesh = async (...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await project.mesh(...args, "--yes");
    if (code !== 0) throw new Error(`${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  };
  const configure = async (issuer: object, ...more: object[]): Promise<void> => {
    for (const [one, other] of pairs(clusters)) {
      const peers = [other.name, ...(one === cluster1 ? more : [])];
      const own = one === cluster1 ? issuer : { type: "acme" };
      await project.writeConfig(one.name, { context: one.name, trustDomain: one.trustDomain, peers, issuer: own });
    }
  };
  // A rotation of JWT keys waits for the tokens that there are.
  await cluster1.merge({
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    spec: { defaultJWTValidity: "1m" },
  });
  await configure({ type: "acme" });
  await mesh("up");
  const partner = await PlainSpireServer.start(project.dir, {
    trustDomain: "partner.example.org",
    port: 8443,
    profile: "https_web",
  });
  const flows = await traffic();
  try {
    const rows: Row[] = [];
    const measure = async (event: string, run: () => Promise<unknown>): Promise<void> => {
      await Promise.all(flows.map((flow) => flow.take()));
      const begun = performance.now();
      await run();
      const seconds = Math.round((performance.now() - begun) / 1000);
      const counted = await Promise.all(flows.map(async (flow) => [flow.kind, await flow.take()] as const));
      const kinds = [...new Set(counted.map(([kind]) => kind))];
      const of = (kind: string): Counted => sum(counted.flatMap(([one, each]) => (one === kind ? [each] : [])));
      rows.push({ event, seconds, flows: Object.fromEntries(kinds.map((kind) => [kind, of(kind)])) });
      process.stderr.write(`${event}: ${seconds} s\n`);
    };
    await measure("nothing, for comparison", () => new Promise((done) => setTimeout(done, 30_000)));
    await measure("renewal of the endpoint's certificate", () => served(() => cluster1.renew(CERTIFICATE), isNew));
    await measure("`rotate --keys x509`", () => mesh("rotate", "cluster1", "--keys", "x509"));
    await measure("`rotate --keys jwt`, tokens of one minute", () => mesh("rotate", "cluster1", "--keys", "jwt"));
    await measure("restart of the SPIRE server", () => restart(cluster1));
    await configure(
      { type: "acme" },
      { name: "partner", trustDomain: partner.trustDomain, bundleEndpointUrl: partner.url },
    );
    await measure("another peer joins", () => mesh("up"));
    await measure("that peer leaves (`remove`)", () => mesh("remove", "partner"));
    await configure({ type: "ca" });
    await measure("change of the issuer, from `acme` to `ca`", () => served(() => mesh("up"), isNew));
    return rows;
  } finally {
    for (const flow of flows) await flow.stop();
    await partner.stop();
  }
}

/** Both ways between two workloads, and to both endpoints; returns once all works. */
async function traffic(): Promise<Flow[]> {
  const [one, other] = await Promise.all([
    Workload.deploy(cluster1, "load", [cluster2.trustDomain]),
    Workload.deploy(cluster2, "load", [cluster1.trustDomain]),
  ]);
  const ways = pairs([one, other]);
  for (const [from, to] of ways) {
    await eventually(() => held(from.cluster, to.cluster));
    await eventually(() => handshake(from, to));
    await eventually(() => presentToken(from, to));
  }
  return [
    ...ways.map(([from, to]) => new Flow("mTLS", () => handshake(from, to))),
    ...ways.map(([from, to]) => new Flow("JWT", () => presentToken(from, to))),
    ...clusters.map((cluster) => new Flow("endpoint", () => cluster.endpoint())),
  ];
}

async function restart(cluster: Cluster): Promise<void> {
  const pod = { name: "spire-server-0", namespace: NAMESPACE };
  const before = (await cluster.core.readNamespacedPod(pod)).metadata?.uid;
  await cluster.core.deleteNamespacedPod(pod);
  await eventually(async () => {
    const now = await cluster.core.readNamespacedPod(pod);
    if (now.metadata?.uid === before) throw new Error("the old pod is still there");
    running(now);
  });
}

main().then(
  (rows) => {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
