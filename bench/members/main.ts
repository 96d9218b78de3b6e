/**
 * How time and memory of the command grow with the number of members: `make bench`, or
 * `npm run bench:members -- [--peers n] [--command name]… [members…]` for other numbers than 4 peers and 2, 10 and 50 members.
 * Pulumi is real, clusters are simulated. `preview` is the plan that `up` begins with; in it all objects are to be created. The
 * last column says how much longer a member takes than in the first row of its command: up to 1 is linear.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MAX_PEERS } from "../../components/bundle/checkPeer";
import { KubeConfig } from "../../components/cluster/kubernetesClient";
import { Project } from "../../lab/client/project";
import { hostOf, trustDomainOf } from "../../test/mesh/verify/fixture";
import { measureCommand } from "../command";
import { type Clusters, simulate } from "./clusters";

const PROJECT = "spire-federation";

const { values: options, positionals } = parseArgs({
  options: {
    peers: { type: "string", default: "4" },
    command: { type: "string", multiple: true, default: ["status", "verify", "preview"] },
  },
  allowPositionals: true,
});
const PEERS = Number(options.peers);

const namesOf = (members: number): string[] => Array.from({ length: members }, (_, index) => `m${index + 1}`);

/** The nearest on both sides, in a ring: whoever trusts is trusted. */
const peersOf = (names: readonly string[]): Map<string, string[]> =>
  new Map(
    names.map((name, index) => {
      const others = [...names.slice(index + 1), ...names.slice(0, index)];
      return [name, others.length <= PEERS ? others : [...others.slice(0, PEERS / 2), ...others.slice(-PEERS / 2)]];
    }),
  );

/**
 * Stacks that are up. Their states are written as Pulumi's file backend keeps them: making and importing a stack takes
 * Pulumi longer than all that is measured.
 */
async function makeStacks(project: Project, peers: ReadonlyMap<string, readonly string[]>): Promise<void> {
  const backend = join(project.dir, "state", ".pulumi");
  const states = join(backend, "stacks", PROJECT);
  await mkdir(states, { recursive: true });
  await writeFile(join(backend, "meta.yaml"), "version: 1\n");
  for (const [name, of] of peers) {
    const federatesWith = of.length > MAX_PEERS ? "dynamic" : "static";
    const config = {
      context: name,
      trustDomain: trustDomainOf(name),
      peers: of,
      issuer: { type: "acme" },
      federatesWith,
    };
    await project.writeConfig(name, config);
    const bundleEndpointUrl = `https://${hostOf(name)}`;
    const federation = { version: 1, trustDomain: trustDomainOf(name), bundleEndpointUrl, profile: "https_web" };
    const trusted = of.map((peer) => [peer, { trustDomain: trustDomainOf(peer), fingerprints: [] }] as const);
    const outputs = { federation, pendingPeers: [], peers: Object.fromEntries(trusted) };
    const type = "pulumi:pulumi:Stack";
    const urn = `urn:pulumi:${name}::${PROJECT}::${type}::${PROJECT}-${name}`;
    const manifest = { time: new Date().toISOString(), magic: "", version: "" };
    const latest = { manifest, resources: [{ urn, custom: false, type, outputs }], metadata: {} };
    const checkpoint = { stack: `organization/${PROJECT}/${name}`, latest };
    await writeFile(join(states, `${name}.json`), JSON.stringify({ version: 3, checkpoint }));
  }
}

/** A kubeconfig whose every context has an exec credential plugin, which writes a line each time it is asked. */
async function writeKubeconfig(dir: string, names: readonly string[], clusters: Clusters): Promise<string> {
  const credential = JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "bench" },
  });
  const exec = (name: string): object => ({
    apiVersion: "client.authentication.k8s.io/v1",
    command: "/bin/sh",
    args: ["-c", `echo ${name} >> ${dir}/asked; printf '%s' '${credential}'`],
    interactiveMode: "Never",
  });
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromOptions({
    clusters: names.map((name) => ({ name, server: clusters.apiServer(name), skipTLSVerify: true })),
    users: names.map((name) => ({ name, exec: exec(name) })),
    contexts: names.map((name) => ({ name, cluster: name, user: name })),
    currentContext: names[0],
  });
  const file = join(dir, "kubeconfig");
  await writeFile(file, kubeconfig.exportConfig(), { mode: 0o600 });
  await writeFile(join(dir, "asked"), "");
  return file;
}

async function bench(members: number, first: Map<string, number>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "bench-"));
  const peers = peersOf(namesOf(members));
  const clusters = await simulate(peers);
  try {
    const project = await Project.create(dir);
    for (const name of ["cluster1", "cluster2"]) await rm(join(dir, `Pulumi.${name}.yaml`));
    await makeStacks(project, peers);
    const ca = join(dir, "ca.pem");
    await writeFile(ca, clusters.endpointCa);
    const env = {
      KUBECONFIG: await writeKubeconfig(dir, [...peers.keys()], clusters),
      HTTPS_PROXY: clusters.proxy,
      NODE_EXTRA_CA_CERTS: ca,
    };
    for (const name of options.command) {
      await writeFile(join(dir, "asked"), "");
      const before = clusters.requests();
      const { seconds, mostMiB, code } = await measureCommand(
        project,
        ["node", join("dist", "mesh", "cli", "start.js"), name],
        env,
      );
      const asked = (await readFile(join(dir, "asked"), "utf8")).split("\n").filter(Boolean);
      const most = Math.max(0, ...[...peers.keys()].map((name) => asked.filter((one) => one === name).length));
      const each = seconds / members;
      if (!first.has(name)) first.set(name, each);
      const row = [
        members,
        name,
        seconds.toFixed(1),
        mostMiB.toFixed(0),
        clusters.requests() - before,
        most,
        code,
        (each / (first.get(name) ?? each)).toFixed(2),
      ];
      console.log(row.map((cell, column) => String(cell).padEnd(COLUMNS[column]?.length ?? 0)).join("  "));
    }
  } finally {
    clusters.close();
    await rm(dir, { recursive: true });
  }
}

const COLUMNS = [
  "members",
  "command",
  "seconds",
  "most MiB",
  "requests",
  "asks per plugin",
  "exit",
  "a member, to row 1",
];

async function main(): Promise<void> {
  console.log(COLUMNS.join("  "));
  const first = new Map<string, number>();
  for (const members of positionals.length > 0 ? positionals.map(Number) : [2, 10, 50]) await bench(members, first);
}

void main();
