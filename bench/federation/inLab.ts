/**
 * One way in a running lab, as JSON on stdout: `lab exec -- npx tsx bench/federation/inLab.ts <way> <clusters>`. The lab
 * has one cluster more, which joins at the end.
 */
import { rename } from "node:fs/promises";
import { Cluster } from "../../lab/client/cluster";
import { labState } from "../../lab/client/project";
import { emptyPrograms } from "./empty";
import { type Cost, measure } from "./meter";
import { type Span, timeline } from "./timeline";
import { fullMesh, MeshCommands, NAMES, type WayName, wayOf } from "./ways";

export interface Measured {
  way: WayName;
  clusters: number;
  fromNothing: Cost;
  joining: Cost;
  /** Of the command alone: what finds nothing to do, and empty Pulumi programs of that number. */
  nothingToDo?: Record<string, Cost>;
  timeline?: Span[];
}

/** Commands that find nothing to do once all is there. */
const IDLE = [["up", "--yes"], ["preview"], ["drift"], ["verify", "--wait"], ["verify"]];

async function main(): Promise<Measured> {
  const [name, count] = process.argv.slice(2);
  const clusters = Number(count);
  const chosen = NAMES.find((one) => one === name);
  if (chosen === undefined || !(clusters >= 2)) throw new Error(`usage: inLab.ts ${NAMES.join("|")} <clusters>`);
  const all = Cluster.names().map((one) => new Cluster(one));
  if (all.length !== clusters + 1) throw new Error(`a lab of ${clusters + 1} clusters is needed, not of ${all.length}`);
  const first = all.slice(0, clusters);
  const commands = await MeshCommands.create();
  const way = wayOf(chosen, commands);
  const until = (run: Promise<unknown>, of: Cluster[]): Promise<void> => run.then(() => fullMesh(of));
  const fromNothing = await measure(all, () => until(way.federate(first), first));
  const spans = chosen === "up" ? { timeline: await timeline(commands.logDir) } : {};
  if (chosen === "up") await rename(commands.logDir, `${commands.logDir}-from-nothing`);
  const joining = await measure(all, () => until(way.join(all), all));
  const nothingToDo = chosen === "up" ? { nothingToDo: await idle(commands, all) } : {};
  return { way: chosen, clusters, fromNothing, joining, ...nothingToDo, ...spans };
}

async function idle(commands: MeshCommands, all: readonly Cluster[]): Promise<Record<string, Cost>> {
  const empty = await emptyPrograms(labState(), all.length);
  const costs: Record<string, Cost> = { "empty programs": await measure(all, () => empty.up()) };
  for (const command of IDLE) costs[command.join(" ")] = await measure(all, () => commands.run(all, ...command));
  return costs;
}

main().then(
  (measured) => {
    process.stdout.write(`${JSON.stringify(measured)}\n`);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
