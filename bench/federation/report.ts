/** The measurements as a page has them. Pure. */
import type { Measured } from "./inLab";
import type { Cost } from "./meter";
import type { Span } from "./timeline";
import type { WayName } from "./ways";

const TITLES: Record<WayName, string> = {
  script: "procedure, one cluster after the other",
  parallel: "procedure, all clusters at once",
  up: "spire-federation up",
};

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");

const costs = ({ seconds, cpuSeconds, apiRequests, restarts }: Cost): number[] => [
  ...[seconds, cpuSeconds, apiRequests, restarts],
];

const ratio = (a: Cost, b: Cost | undefined): string => (b === undefined ? "" : (a.seconds / b.seconds).toFixed(2));

function federating(results: readonly Measured[], what: "fromNothing" | "joining"): string {
  const head = ["clusters", "way", "seconds", "to the second way", "CPU seconds", "API requests", "restarts of SPIRE"];
  return table(
    head,
    results.map((one) => {
      const second = results.find(({ way, clusters }) => way === "parallel" && clusters === one.clusters);
      const [seconds = 0, ...others] = costs(one[what]);
      const clusters = what === "fromNothing" ? `${one.clusters}` : `${one.clusters} and 1`;
      return [clusters, TITLES[one.way], seconds, ratio(one[what], second?.[what]), ...others];
    }),
  );
}

function nothingToDo(results: readonly Measured[]): string {
  const rows = results.flatMap(({ clusters, nothingToDo: found }) =>
    Object.entries(found ?? {}).map(([what, cost]) => {
      const [seconds = 0, ...others] = costs(cost);
      return [clusters + 1, what, seconds, ratio(cost, found?.["empty programs"]), ...others.slice(0, 2)];
    }),
  );
  return table(["members", "command", "seconds", "to empty programs", "CPU seconds", "API requests"], rows);
}

function spans(runs: readonly Span[]): string {
  const length = ({ from, to }: Span): string => `${from}–${to} s`;
  // The whole is a part of itself, and what is short says nothing.
  const rows = runs.map((run) => [
    run.what,
    length(run),
    run.parts
      .filter(({ what, from, to }) => to - from > 1 && !what.startsWith("spire-federation-"))
      .map((part) => `${part.what} ${length(part)}`)
      .join(", "),
  ]);
  return table(["run", "from the first event on", "of it, what took longer than a second"], rows);
}

/** The sections that are measured. */
export function markdown(results: readonly Measured[]): string {
  const traced = results.find(({ clusters, timeline }) => clusters === 3 && timeline !== undefined);
  return [
    `## From nothing\n\n![Seconds from nothing to a full mesh](images/speed.svg)\n\n${federating(results, "fromNothing")}`,
    `## One more cluster joins\n\n${federating(results, "joining")}`,
    `## Nothing to do\n\n${nothingToDo(results)}`,
    ...(traced === undefined ? [] : [`## Where \`up\` spends its time\n\n${spans(traced.timeline ?? [])}`]),
  ].join("\n");
}

const COLOURS: Record<WayName, string> = { script: "#8c959f", parallel: "#0969da", up: "#1a7f37" };
const [BAR, GAP, LEFT, WIDTH] = [18, 14, 90, 640];

/** Bars of the seconds from nothing, by number of clusters. */
export function chart(results: readonly Measured[]): string {
  const longest = Math.max(...results.map(({ fromNothing }) => fromNothing.seconds));
  const groups = [...new Set(results.map(({ clusters }) => clusters))];
  const scale = (seconds: number): number => Math.round((seconds / longest) * (WIDTH - LEFT - 60));
  let y = 40;
  const drawn = groups.map((clusters) => {
    const own = results.filter((one) => one.clusters === clusters);
    const bars = own.map(({ way, fromNothing: { seconds } }) => {
      const bar = `<rect x="${LEFT}" y="${y}" width="${scale(seconds)}" height="${BAR}" fill="${COLOURS[way]}"/>`;
      const label = `<text x="${LEFT + scale(seconds) + 6}" y="${y + 13}">${seconds} s</text>`;
      y += BAR + 3;
      return bar + label;
    });
    const title = `<text x="0" y="${y - (own.length * (BAR + 3)) / 2 + 4}">${clusters} clusters</text>`;
    y += GAP;
    return [title, ...bars].join("\n");
  });
  const legend = (Object.entries(TITLES) as [WayName, string][]).map(
    ([way, title], index) =>
      `<rect x="${index * 230}" y="8" width="12" height="12" fill="${COLOURS[way]}"/><text x="${index * 230 + 18}" y="18">${title}</text>`,
  );
  const style = "font: 12px sans-serif; fill: #24292f";
  const size = `viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} style="${style}; background: #fff">\n${[...legend, ...drawn].join("\n")}\n</svg>\n`;
}
