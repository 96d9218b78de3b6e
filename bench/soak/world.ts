/** Three clusters whose keys live for minutes, and the traffic between those that trust each other. */
import { join } from "node:path";
import { Cluster } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { labState, Project, type Run } from "../../lab/client/project";
import { held, pairs } from "../../lab/client/trust";
import { handshake, presentToken, Workload } from "../../lab/client/workload";
import { type Counted, Flow } from "../load/traffic";
import { assertSound } from "./sound";

/** The shortest lifetimes in which SPIRE and a rotation still have their time; the usual ones are 24 h, 1 h and 5 min. */
const LIFETIMES = { caValidity: "30m", defaultX509Validity: "3m", defaultJWTValidity: "1m" };
const REFRESH_HINT = 60;
const BETWEEN_ATTEMPTS_MS = 1000;

const clusters = [new Cluster("cluster1"), new Cluster("cluster2"), new Cluster("cluster3")] as const;

/** What one way of traffic has seen. */
export interface Seen extends Counted {
  kind: string;
  /** From one to the other, or the one whose endpoint is asked. */
  clusters: readonly string[];
}

interface Way {
  clusters: readonly string[];
  flow: Flow;
}

export class World {
  /** The one that leaves and joins is the last. */
  members: readonly Cluster[] = clusters;
  private readonly workloads = new Map<Cluster, Workload>();
  private ways: Way[] = [];

  private constructor(private readonly project: Project) {}

  static async create(): Promise<World> {
    const world = new World(await Project.create(join(labState(), "soak")));
    for (const cluster of clusters)
      await cluster.merge({
        apiVersion: "operator.openshift.io/v1alpha1",
        kind: "SpireServer",
        metadata: { name: "cluster" },
        spec: LIFETIMES,
      });
    await world.join();
    return world;
  }

  private get away(): readonly Cluster[] {
    return clusters.filter((one) => !this.members.includes(one));
  }

  /** Runs a command of `spire-federation`, which has to end well. */
  async mesh(...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await this.tryMesh(...args);
    if (code !== 0) throw new Error(`${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  }

  tryMesh(...args: string[]): Promise<Run> {
    return this.project.mesh(...args, "--yes");
  }

  /** An `up` that is interrupted, as by Ctrl-C, and another one. */
  async interruptedUp(afterMs: number): Promise<void> {
    const { pid = 0, ended } = this.project.startMesh("up", "--yes");
    const timer = setTimeout(() => process.kill(pid, "SIGINT"), afterMs);
    await ended;
    clearTimeout(timer);
    await this.assertSound();
    await this.mesh("up");
  }

  /** All are members. */
  async join(): Promise<void> {
    this.members = clusters;
    for (const cluster of clusters)
      await this.project.writeConfig(cluster.name, {
        context: cluster.name,
        trustDomain: cluster.trustDomain,
        peers: clusters.flatMap(({ name }) => (name === cluster.name ? [] : name)),
        issuer: { type: "acme" },
        endpoint: { refreshHint: REFRESH_HINT },
      });
    await this.mesh("up");
    await this.deploy();
    await this.connect();
  }

  /** The last one is a member no more; nobody connects to it then. */
  async leave(): Promise<void> {
    const leaving = clusters[2];
    this.members = clusters.filter((one) => one !== leaving);
    await this.stopWays(({ clusters: of }) => of.includes(leaving.name));
    await this.deploy();
    await this.mesh("remove", leaving.name);
    await this.assertSound();
  }

  /** @throws Error where somebody trusts whom it is not to */
  assertSound(): Promise<void> {
    return assertSound(this.members, this.away);
  }

  async verify(): Promise<void> {
    const { code, stdout, stderr } = await this.project.mesh("verify", "--wait");
    if (code !== 0) throw new Error(`verify: exit code ${code}\n${stdout}${stderr}`);
  }

  /** What was seen since the last time. */
  async take(): Promise<Seen[]> {
    const taken = this.ways.map(async ({ flow, clusters: of }) => ({
      kind: flow.kind,
      clusters: of,
      ...(await flow.take()),
    }));
    return Promise.all(taken);
  }

  end(): Promise<void> {
    return this.stopWays(() => true);
  }

  /** A workload in each cluster, which asks for the bundles of the members. */
  private async deploy(): Promise<void> {
    for (const cluster of clusters) {
      const others = this.members.filter((one) => one !== cluster);
      const trusts = this.members.includes(cluster) ? others.map(({ trustDomain }) => trustDomain) : [];
      this.workloads.set(cluster, await Workload.deploy(cluster, "soak", trusts));
    }
  }

  private async connect(): Promise<void> {
    for (const [from, to] of pairs(this.members).map((pair) => pair.map((one) => this.workloads.get(one)))) {
      if (from === undefined || to === undefined) throw new Error("a member has no workload");
      await eventually(() => held(from.cluster, to.cluster));
      await eventually(() => handshake(from, to));
      await eventually(() => presentToken(from, to));
      this.begin("mTLS", [from.cluster, to.cluster], () => handshake(from, to));
      this.begin("JWT", [from.cluster, to.cluster], () => presentToken(from, to));
    }
    for (const cluster of this.members) this.begin("endpoint", [cluster], () => cluster.endpoint());
  }

  private begin(kind: string, of: readonly Cluster[], attempt: () => Promise<unknown>): void {
    const names = of.map(({ name }) => name);
    const goes = this.ways.some(({ flow, clusters: its }) => flow.kind === kind && its.join() === names.join());
    if (!goes) this.ways.push({ clusters: names, flow: new Flow(kind, attempt, BETWEEN_ATTEMPTS_MS) });
  }

  private async stopWays(which: (way: Way) => boolean): Promise<void> {
    const stopped = this.ways.filter(which);
    this.ways = this.ways.filter((way) => !stopped.includes(way));
    await Promise.all(stopped.map(({ flow }) => flow.stop()));
  }
}
