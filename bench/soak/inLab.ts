/** One soak of three clusters, as JSON on stdout: `lab exec -- npx tsx bench/soak/inLab.ts MINUTES SEED`. */
import { setTimeout as sleep } from "node:timers/promises";
import { sum } from "../load/traffic";
import { Cluster } from "../../lab/client/cluster";
import { agentLog } from "../../lab/client/workload";
import { EVENTS, isAllowed } from "./events";
import { memory } from "./memory";
import { randomBy } from "./random";
import type { Happened, Soaked } from "./result";
import { World } from "./world";

const LONGEST_PAUSE_MS = 20_000;

async function soak(minutes: number, seed: number): Promise<Soaked> {
  const random = randomBy(seed);
  const one = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const world = await World.create();
  const happened: Happened[] = [];
  const begun = Date.now();
  const spent = (): number => (Date.now() - begun) / 60_000;
  // Caches fill at first.
  let before: Map<string, number> | undefined;
  try {
    while (spent() < minutes) {
      if (spent() > minutes / 4) before ??= await memory();
      const [event, cluster] = [one(EVENTS), one(world.members)];
      const at = Date.now();
      const ended = await event.run(world, cluster, random);
      await world.assertSound();
      const seconds = Math.round((Date.now() - at) / 1000);
      await sleep(random(LONGEST_PAUSE_MS));
      const seen = await world.take();
      const flows = Object.fromEntries(
        [...new Set(seen.map(({ kind }) => kind))].map((kind) => [kind, sum(seen.filter((of) => of.kind === kind))]),
      );
      const wrong = seen
        .filter((of) => !isAllowed(event, cluster, of))
        .flatMap(({ kind, clusters, refused }) => refused.map((why) => `${kind}, ${clusters.join(" to ")}: ${why}`));
      const name = typeof ended === "string" ? `${event.name}, ${ended}` : event.name;
      happened.push({ name, seconds, flows, wrong });
      const refused = Object.entries(flows).map(([kind, of]) => `${kind} ${of.tried}/${of.refused.length}`);
      process.stderr.write(
        `${spent().toFixed(1)} min: ${name} (${cluster.name}): ${seconds} s; ${refused.join(", ")}\n`,
      );
      for (const line of wrong) process.stderr.write(`  not allowed: ${line}\n`);
      // What SPIRE says of it is gone soon.
      if (wrong.length > 0)
        for (const name of Cluster.names()) process.stderr.write(`${name}: ${await agentLog(new Cluster(name), 60)}\n`);
    }
    const after = await memory();
    await world.verify();
    const programs = [...(before ?? after)].map(([program, mib]) => ({
      program,
      before: mib,
      after: after.get(program),
    }));
    return { minutes, seed, happened, memory: programs };
  } finally {
    await world.end();
  }
}

const [minutes = 60, seed = 1] = process.argv.slice(2).map(Number);
soak(minutes, seed).then(
  (result) => {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
