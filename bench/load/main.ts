/** What open traffic of two clusters notices: `npm run bench:load` in labs of its own; writes a section of docs/rotate.md. */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inLab } from "../lab";
import type { Row } from "./world";

const PAGE = join(resolve(__dirname, "..", ".."), "docs", "rotate.md");
/** What is measured stands between two of these. */
const MARK = "<!-- measured by npm run bench:load -->";
/** What happens, and in what lab: an upstream CA and a release cannot be taken back. */
const LABS: readonly [string, ...string[]][] = [["changes"], ["upstream"], ["upgrade", "--ztwim", "1.0"]];
const INTRO = `## What workloads notice

Two clusters of the lab, each with a workload that opens one mTLS connection after the other to the other cluster's, and presents one JWT-SVID after
the other, which is validated there; and a client at each bundle endpoint. All go on through these events in cluster1:
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

/** Each reason once, without the token that was refused. */
function counted(reasons: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const reason of reasons.map((one) => one.replace(/\beyJ[\w.-]+/g, "TOKEN")))
    times.set(reason, 1 + (times.get(reason) ?? 0));
  return times;
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const [kind, ...flags] of LABS)
    rows.push(...(JSON.parse(await inLab(["--clusters", "2", ...flags], "bench/load/inLab.ts", kind)) as Row[]));
  for (const { event, flows } of rows)
    for (const [kind, { refused }] of Object.entries(flows))
      for (const [why, times] of counted(refused)) console.log(`${event}: ${kind}: ${times} × ${why}`);
  const [before = "", , after = ""] = (await readFile(PAGE, "utf8")).split(MARK);
  await writeFile(PAGE, [before, `\n\n${INTRO}\n${table(rows)}\n`, after].join(MARK));
}

void main();
