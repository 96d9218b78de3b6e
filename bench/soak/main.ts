/**
 * An hour of everything, in a lab of its own; writes a section of docs/limits.md.
 *
 *   npm run soak -- [minutes; 60] [seed]
 *
 * The exit code is 1 if something was refused that may not be, or the mesh is not healthy at the end.
 */
import { inLab } from "../lab";
import { KINDS, sum } from "../load/traffic";
import { table, writeMeasured } from "../page";
import type { Soaked } from "./result";

/** Programs that have less are not worth a row. */
const SMALLEST_MIB = 20;

function section({ minutes, seed, happened, memory }: Soaked): string {
  const names = [...new Set(happened.map(({ name }) => name))].sort();
  const rows = names.map((name) => {
    const each = happened.filter((one) => one.name === name);
    const counted = Object.keys(KINDS).map((kind) => {
      const { tried, refused } = sum(each.flatMap(({ flows }) => flows[kind] ?? []));
      return `${tried}, ${refused.length}`;
    });
    return [name, String(each.length), ...counted];
  });
  const programs = memory
    .filter(({ before }) => before >= SMALLEST_MIB)
    .sort((one, other) => other.before - one.before)
    .map(({ program, before, after }) => [program, ...[before, after].map((mib) => mib?.toFixed(0) ?? "ended")]);
  const wrong = happened.flatMap((one) => one.wrong).length;
  return [
    `## ${minutes} minutes of everything`,
    "",
    `\`make soak\`: three clusters of the lab that all trust each other; CAs live for 30 minutes, X.509-SVIDs for three, JWT-SVIDs for one, and`,
    `the refresh hint is a minute. Workloads connect and present tokens all the while, each way once a second.`,
    `${happened.length} events by seed ${seed}; refused that may not be: ${wrong}; \`verify\` at the end: healthy.`,
    "",
    table([["event", "times", ...Object.values(KINDS).map((name) => `${name}: tried, refused`)], ...rows]),
    table([["program, all of a name", `MiB after ${(minutes / 4).toFixed(0)} minutes`, "MiB at the end"], ...programs]),
  ].join("\n");
}

async function main(): Promise<void> {
  const [minutes = 60, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);
  console.error(`seed ${seed}`);
  const lab = ["--clusters", "3"];
  const result = JSON.parse(await inLab(lab, "bench/soak/inLab.ts", String(minutes), String(seed))) as Soaked;
  await writeMeasured("limits.md", "make soak", section(result));
  if (result.happened.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
}

void main();
