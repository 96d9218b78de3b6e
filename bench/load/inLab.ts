/** One run of events of a kind on two clusters, as JSON on stdout: `lab exec -- npx tsx bench/load/inLab.ts changes`. */
import { changes } from "./changes";
import { upgrade } from "./upgrade";
import { upstream } from "./upstream";
import { type Row, World } from "./world";

const EVENTS: Record<string, (world: World) => Promise<void>> = { changes, upstream, upgrade };

async function main(kind = ""): Promise<readonly Row[]> {
  const events = EVENTS[kind];
  if (events === undefined) throw new Error(`one of ${Object.keys(EVENTS).join(", ")}, not ${kind}`);
  const world = await World.create();
  try {
    await events(world);
  } finally {
    await world.end();
  }
  return world.rows;
}

main(process.argv[2]).then(
  (rows) => {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
