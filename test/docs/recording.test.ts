import { linesOf, recording } from "../../docs/generate/recording";

const OUTPUT =
  'Script started on 2026-11-28 [COMMAND="make demo"]\n$ make demo\r\nwaits 1\rwaits 2\r\n\x1b[32m  √ a <b>\x1b[0m\r\n';
const bytes = (text: string): number => Buffer.byteLength(text);
const TIMING = [
  `0.5 ${String(bytes("$ make demo\r\n"))}`,
  `40.0 ${String(bytes("waits 1\r"))}`,
  `0.25 ${String(bytes("waits 2\r\n\x1b[32m  √ a <b>\x1b[0m\r\n"))}`,
].join("\n");

test("lines are those that were left on the terminal, and long pauses are cut", () => {
  expect(linesOf(OUTPUT, TIMING, 1)).toEqual([
    { text: "$ make demo", at: 0.5 },
    { text: "waits 2", at: 1.75 },
    { text: "  √ a <b>", at: 1.75 },
  ]);
});

test("the picture shows each line once, at its time, as text", () => {
  const look = { columns: 20, rows: 2, longestPause: 1, title: "demo" };
  const svg = recording(linesOf(OUTPUT, TIMING, 1), look);
  expect(svg).toContain('class="typed" style="animation-delay:0.50s">$ make demo</text>');
  expect(svg).toContain('class="good" style="animation-delay:1.75s">  √ a &lt;b&gt;</text>');
  // Two rows and three lines: the third one scrolls the others up.
  expect(svg).toMatch(/scroll\{0%\{transform:translateY\(0\)\}22\.58%\{transform:translateY\(-17px\)\}/);
});

test("of lines that only say how long it takes, the last one stays", () => {
  const output = ["lab up:  2 s  cluster1", "lab up: 10 s  cluster1", "lab up: cluster1 ready", ""].join("\n");
  const lines = linesOf(output, `1.0 ${String(bytes(output))}`, 1);
  expect(lines.map(({ text }) => text)).toEqual(["lab up: 10 s  cluster1", "lab up: cluster1 ready"]);
});

test("a line that is too long ends with an ellipsis", () => {
  expect(recording([{ text: "abcdef", at: 0 }], { columns: 4, rows: 1, longestPause: 1, title: "" })).toContain(
    ">abc…<",
  );
});
