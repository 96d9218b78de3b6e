/** Two clusters that trust each other, traffic between them, and what it notices of each event. */
import { join } from "node:path";
import { Cluster } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { labState, Project } from "../../lab/client/project";
import { held, pairs } from "../../lab/client/trust";
import { handshake, presentToken, Workload } from "../../lab/client/workload";
import { type Counted, Flow, sum } from "./traffic";

export interface Row {
  event: string;
  seconds: number;
  flows: Record<string, Counted>;
}

const clusters = [new Cluster("cluster1"), new Cluster("cluster2")] as const;

export class World {
  readonly cluster1 = clusters[0];
  readonly cluster2 = clusters[1];
  readonly rows: Row[] = [];

  private constructor(
    readonly project: Project,
    private flows: Flow[] = [],
  ) {}

  /** As its administrator; nothing is federated yet. */
  static async create(): Promise<World> {
    const world = new World(await Project.create(join(labState(), "bench")));
    await world.configure({ type: "acme" });
    return world;
  }

  /** @param more peers of cluster1 */
  async configure(issuer: object, ...more: object[]): Promise<void> {
    for (const [one, other] of pairs(clusters)) {
      const peers = [other.name, ...(one === this.cluster1 ? more : [])];
      const own = one === this.cluster1 ? issuer : { type: "acme" };
      const config = { context: one.name, trustDomain: one.trustDomain, peers, issuer: own };
      await this.project.writeConfig(one.name, config);
    }
  }

  async mesh(...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await this.project.mesh(...args, "--yes");
    if (code !== 0) throw new Error(`${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  }

  /** Federates the two; from then on workloads of both connect. */
  async begin(): Promise<void> {
    await this.mesh("up");
    const [one, other] = await Promise.all([
      Workload.deploy(this.cluster1, "load", [this.cluster2.trustDomain]),
      Workload.deploy(this.cluster2, "load", [this.cluster1.trustDomain]),
    ]);
    const ways = pairs([one, other]);
    for (const [from, to] of ways) {
      await eventually(() => held(from.cluster, to.cluster));
      await eventually(() => handshake(from, to));
      await eventually(() => presentToken(from, to));
    }
    this.flows = [
      ...ways.map(([from, to]) => new Flow("mTLS", () => handshake(from, to))),
      ...ways.map(([from, to]) => new Flow("JWT", () => presentToken(from, to))),
      ...clusters.map((cluster) => new Flow("endpoint", () => cluster.endpoint())),
    ];
  }

  async measure(event: string, run: () => Promise<unknown>): Promise<void> {
    await Promise.all(this.flows.map((flow) => flow.take()));
    const begun = performance.now();
    await run();
    const seconds = Math.round((performance.now() - begun) / 1000);
    const counted = await Promise.all(this.flows.map(async (flow) => [flow.kind, await flow.take()] as const));
    const kinds = [...new Set(counted.map(([kind]) => kind))];
    const of = (kind: string): Counted => sum(counted.flatMap(([one, each]) => (one === kind ? [each] : [])));
    this.rows.push({ event, seconds, flows: Object.fromEntries(kinds.map((kind) => [kind, of(kind)])) });
    process.stderr.write(`${event}: ${seconds} s\n`);
  }

  async end(): Promise<void> {
    for (const flow of this.flows) await flow.stop();
  }
}
