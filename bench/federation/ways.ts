/**
 * Three ways to the same mesh. Each begins where SPIRE runs and nothing federates, or where the first clusters federate and
 * the last one joins them, and ends when every SPIRE server holds what every other one serves.
 */
import { join } from "node:path";
import type { Cluster } from "../../lab/client/cluster";
import { eventually } from "../../lab/client/eventually";
import { labState, Project } from "../../lab/client/project";
import { held, pairs } from "../../lab/client/trust";
import { endpointSteps, followProcedure, type Step, trustSteps } from "../../lab/procedure/steps";

export interface Way {
  /** Federates these clusters with each other. */
  federate(clusters: readonly Cluster[]): Promise<unknown>;
  /** The last of them joins the others, which federate with each other. */
  join(clusters: readonly Cluster[]): Promise<unknown>;
}

const ISSUER = "letsencrypt-http01";

const others = (clusters: readonly Cluster[], cluster: Cluster): Cluster[] => clusters.filter((one) => one !== cluster);

async function follow(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await step.run();
}

/** The documented procedure as a careful script: each step waits for what it makes, one cluster after the other. */
const script: Way = {
  federate: (clusters) => followProcedure(clusters, ISSUER),
  async join(clusters) {
    await follow(endpointSteps(last(clusters), ISSUER));
    for (const cluster of clusters) await follow(trustSteps(cluster, others(clusters, cluster)));
  },
};

/** The same steps on all clusters at once. */
const parallel: Way = {
  async federate(clusters) {
    await Promise.all(clusters.map((cluster) => follow(endpointSteps(cluster, ISSUER))));
    await trustAll(clusters);
  },
  async join(clusters) {
    await follow(endpointSteps(last(clusters), ISSUER));
    await trustAll(clusters);
  },
};

const trustAll = (clusters: readonly Cluster[]): Promise<unknown> =>
  Promise.all(clusters.map((cluster) => follow(trustSteps(cluster, others(clusters, cluster)))));

const last = (clusters: readonly Cluster[]): Cluster => {
  const cluster = clusters.at(-1);
  if (cluster === undefined) throw new Error("no clusters");
  return cluster;
};

/** This project: one `spire-federation up` of all its stacks, which have each other as peers. */
export function byUp(commands: MeshCommands): Way {
  const up = (clusters: readonly Cluster[]): Promise<unknown> => commands.run(clusters, "up", "--yes");
  return { federate: up, join: up };
}

export class MeshCommands {
  private constructor(
    readonly project: Project,
    /** Where what Pulumi prints is kept. */
    readonly logDir: string,
  ) {}

  static async create(): Promise<MeshCommands> {
    const dir = join(labState(), "bench");
    return new MeshCommands(await Project.create(dir), join(dir, "log"));
  }

  /** Runs a command of these members. */
  async run(clusters: readonly Cluster[], ...command: string[]): Promise<void> {
    for (const cluster of clusters) {
      const { name, trustDomain } = cluster;
      const peers = others(clusters, cluster).map((peer) => peer.name);
      await this.project.writeConfig(name, { context: name, trustDomain, peers, issuer: { type: "acme" } });
    }
    const names = clusters.map(({ name }) => name);
    const { code, stdout, stderr } = await this.project.mesh("--log-dir", this.logDir, ...command, ...names);
    if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  }
}

export const NAMES = ["script", "parallel", "up"] as const;
export type WayName = (typeof NAMES)[number];

export const wayOf = (name: WayName, commands: MeshCommands): Way => ({ script, parallel, up: byUp(commands) })[name];

/** Until all trust all: the end of each way. */
export async function fullMesh(clusters: readonly Cluster[]): Promise<void> {
  for (const [from, to] of pairs(clusters)) await eventually(() => held(from, to));
}
