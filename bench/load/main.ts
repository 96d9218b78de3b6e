/** What open traffic of two clusters notices: `npm run bench:load` in a lab of its own; writes a section of docs/rotate.md. */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inLab } from "../lab";
import type { Row } from "./inLab";

const PAGE = join(resolve(__dirname, "..", ".."), "docs", "rotate.md");
/** What is measured stands between two of these. */
const MARK = "<!-- measured by npm run bench:load -->";
const INTRO = `## What workloads notice

Two clusters of the lab, each with a workload that opens one mTLS connection after the other to the other cluster's, and presents one JWT-SVID after
the other, which is validated there; and a client at each bundle endpoint. All go on through these events in cluster1, in one run:
`;
const NAMES: Record<string, string> = {
  mTLS: "mTLS connections",
  JWT: "JWT-SVIDs",
  endpoint: "polls of the endpoints",
};

function table(rows: readonly Row[]): string {
  const head = ["event", "seconds", ...Object.values(NAMES).map((name) => `${name}: tried, refused, longest gap`)];
  const cells = rows.map(({ event, seconds, flows }) => [
    ...[event, String(seconds)],
    ...Object.keys(NAMES).map((kind) => {
      const { tried = 0, refused = [], longestGap = 0 } = flows[kind] ?? {};
      return `${String(tried)}, ${String(refused.length)}, ${longestGap.toFixed(1)} s`;
    }),
  ]);
  return [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

async function main(): Promise<void> {
  const rows = JSON.parse(await inLab(2, "bench/load/inLab.ts")) as Row[];
  for (const { event, flows } of rows)
    for (const [kind, { refused }] of Object.entries(flows))
      for (const why of refused) console.log(`${event}: ${kind}: ${why}`);
  const [before = "", , after = ""] = (await readFile(PAGE, "utf8")).split(MARK);
  await writeFile(PAGE, [before, `\n\n${INTRO}\n${table(rows)}\n`, after].join(MARK));
}

void main();
