/** What open traffic of two clusters notices: `npm run bench:load` in labs of its own; writes a section of docs/rotate.md. */
import { inLab } from "../lab";
import { table, writeMeasured } from "../page";
import { KINDS } from "./traffic";
import type { Row } from "./world";

/** What happens, and in what lab: an upstream CA and a release cannot be taken back. */
const LABS: readonly [string, ...string[]][] = [["changes"], ["upstream"], ["upgrade", "--ztwim", "1.0"]];
const INTRO = `## What workloads notice

Two clusters of the lab, each with a workload that opens one mTLS connection after the other to the other cluster's, and presents one JWT-SVID after
the other, which is validated there; and a client at each bundle endpoint. All go on through these events in cluster1:
`;

function measured(rows: readonly Row[]): string {
  const head = ["event", "seconds", ...Object.values(KINDS).map((name) => `${name}: tried, refused, longest gap`)];
  const cells = rows.map(({ event, seconds, flows }) => [
    ...[event, String(seconds)],
    ...Object.keys(KINDS).map((kind) => {
      const { tried = 0, refused = [], longestGap = 0 } = flows[kind] ?? {};
      return `${String(tried)}, ${String(refused.length)}, ${longestGap.toFixed(1)} s`;
    }),
  ]);
  return table([head, ...cells]);
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
  await writeMeasured("rotate.md", "npm run bench:load", `${INTRO}\n${measured(rows)}`);
}

void main();
