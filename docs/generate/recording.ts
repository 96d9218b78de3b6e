/**
 * A terminal recording as one SVG that moves by itself, from what `script --log-out --log-timing` has written. Pure but for
 * its last lines: `tsx docs/generate/recording.ts <output> <timing> > demo.svg`.
 */
import { readFileSync } from "node:fs";

export interface Look {
  columns: number;
  rows: number;
  /** Longer pauses are cut to this, in seconds. */
  longestPause: number;
  /** Title of the window. */
  title: string;
}

export interface Line {
  text: string;
  /** Seconds from the beginning, without what is cut of pauses. */
  at: number;
}

const LETTER = { width: 7.8, height: 17 };
const MARGIN = 14;
const BAR = 28;
/** How long the last frame stays before it begins again. */
const REST = 6;

/** What waits says how long already, line after line; of such a run the last line is enough. */
const PROGRESS = /^lab up: +\d+ s /;

/** Lines as they were when they ended; what redraws a line replaces it. */
export function linesOf(output: string, timing: string, longestPause: number): Line[] {
  const bytes = Buffer.from(output);
  // script's first and last line are its own.
  let offset = output.startsWith("Script started") ? bytes.indexOf("\n") + 1 : 0;
  let at = 0;
  let open = "";
  const lines: Line[] = [];
  for (const [, pause = "", count = ""] of timing.matchAll(/^(?:O )?([\d.]+) (\d+)$/gm)) {
    at += Math.min(Number(pause), longestPause);
    open += bytes.subarray(offset, (offset += Number(count))).toString();
    const ended = open.split("\n");
    open = ended.pop() ?? "";
    lines.push(...ended.map((line) => ({ text: plain(line), at })));
  }
  if (plain(open) !== "") lines.push({ text: plain(open), at });
  const isRepeated = ({ text }: Line, index: number): boolean =>
    PROGRESS.test(text) && PROGRESS.test(lines[index + 1]?.text ?? "");
  return lines.filter((line, index) => !isRepeated(line, index));
}

/** Without colours and cursor movements; of a line that was drawn again the last drawing. */
const plain = (line: string): string =>
  (
    line
      .replaceAll(/\x1b\[[\d;?]*[A-Za-z]|\x1b[()][A-Z\d]/g, "")
      .replace(/\r+$/, "")
      .split("\r")
      .at(-1) ?? ""
  ).trimEnd();

export function recording(lines: readonly Line[], { columns, rows, title }: Look): string {
  const [width, height] = [columns * LETTER.width + 2 * MARGIN, rows * LETTER.height + 2 * MARGIN];
  const end = (lines.at(-1)?.at ?? 0) + REST;
  const percent = (at: number): string => ((100 * at) / end).toFixed(2);
  const shown = lines.map(
    ({ text, at }, index) =>
      `<text y="${String((index + 1) * LETTER.height)}"${mark(text)} style="animation-delay:${at.toFixed(2)}s">${escaped(cut(text, columns))}</text>`,
  );
  const scroll = lines.flatMap(({ at }, index) => {
    const above = index + 1 - rows;
    return above <= 0 ? [] : [`${percent(at)}%{transform:translateY(${String(-above * LETTER.height)}px)}`];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${String(height + BAR)}" role="img" aria-label="${escaped(title)}">
<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d6dbe3;white-space:pre}
.l text{opacity:0;animation:show 0s forwards}
.good{fill:#7fd18b}.bad{fill:#ff8b81}.typed{fill:#fff;font-weight:bold}
@keyframes show{to{opacity:1}}
.l{animation:scroll ${end.toFixed(2)}s steps(1) forwards}
@keyframes scroll{0%{transform:translateY(0)}${scroll.join("")}100%{transform:translateY(${String(-Math.max(0, lines.length - rows) * LETTER.height)}px)}}
@media (prefers-reduced-motion:reduce){.l,.l text{animation-duration:0s;animation-delay:0s!important}}
</style>
<rect width="100%" height="100%" rx="8" fill="#171b22"/>
<text x="${String(MARGIN)}" y="19">${escaped(title)}</text>
<svg x="${String(MARGIN)}" y="${String(BAR)}" width="${String(width - 2 * MARGIN)}" height="${String(height - MARGIN)}">
<g class="l">
${shown.join("\n")}
</g>
</svg>
</svg>
`;
}

function mark(text: string): string {
  if (/^\s*√/.test(text)) return ' class="good"';
  if (/^\s*×/.test(text)) return ' class="bad"';
  return text.startsWith("$ ") ? ' class="typed"' : "";
}

function cut(text: string, columns: number): string {
  const letters = Array.from(text);
  return letters.length <= columns ? text : `${letters.slice(0, columns - 1).join("")}…`;
}

const escaped = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll(/[\x00-\x08\x0b-\x1f]/g, "");

if (require.main === module) {
  const [output = "", timing = ""] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
  const look: Look = { columns: 110, rows: 28, longestPause: 0.7, title: "make demo" };
  process.stdout.write(recording(linesOf(output, timing, look.longestPause), look));
}
