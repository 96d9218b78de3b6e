/**
 * How long clusters need to federate by hand and by this project: `make bench`, or
 * `npm run bench:federation -- [clusters…]` for other numbers than 2, 3 and 5. Each way begins in a lab of its own, that has
 * nothing but SPIRE; all programs are the real ones.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inLab } from "../lab";
import type { Measured } from "./inLab";
import { chart, markdown } from "./report";
import { NAMES, type WayName } from "./ways";

const DOCS = resolve(__dirname, "..", "..", "docs");
/** What is measured stands between two of these. */
const MARK = "<!-- measured by make bench -->";

const measureIn = async (way: WayName, clusters: number): Promise<Measured> =>
  JSON.parse(
    await inLab(["--clusters", String(clusters + 1)], "bench/federation/inLab.ts", way, String(clusters)),
  ) as Measured;

async function main(): Promise<void> {
  const given = process.argv.slice(2).map(Number);
  const results: Measured[] = [];
  for (const clusters of given.length > 0 ? given : [2, 3, 5]) {
    for (const way of NAMES) {
      const measured = await measureIn(way, clusters);
      results.push(measured);
      const { fromNothing, joining } = measured;
      console.log(`${way}, ${clusters} clusters: ${fromNothing.seconds} s; one more joins: ${joining.seconds} s`);
    }
  }
  await writeFile(join(__dirname, "results.json"), `${JSON.stringify(results, undefined, 1)}\n`);
  await writeFile(join(DOCS, "images", "speed.svg"), chart(results));
  const page = join(DOCS, "speed.md");
  const [before = "", , after = ""] = (await readFile(page, "utf8")).split(MARK);
  await writeFile(page, [before, `\n\n${markdown(results)}\n`, after].join(MARK));
}

void main();
