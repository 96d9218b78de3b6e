import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { coloured } from "../../../mesh/cli/colour";

const [RED, YELLOW, GREEN] = [31, 33, 32].map((code) => (word: string) => `\x1b[${code}m${word}\x1b[39m`) as [
  Paint,
  Paint,
  Paint,
];
type Paint = (word: string) => string;

test.each([
  ["cluster1  unhealthy  27/27", `cluster1  ${RED("unhealthy")}  27/27`],
  ["cluster2  healthy    27/27", `cluster2  ${GREEN("healthy")}    27/27`],
  ["cluster3  pending: cluster1  2", `cluster3  ${YELLOW("pending")}: cluster1  2`],
  ["× cluster1 -> cluster2  MESH212 failed", `${RED("×")} cluster1 -> cluster2  MESH212 failed`],
  ["  √ MESH101 the API server answers", `  ${GREEN("√")} MESH101 the API server answers`],
  ["  ? MESH205 is unknown", `  ${YELLOW("?")} MESH205 is unknown`],
  ["m1 -> m2 (apps.m2.example.com): unhealthy", `m1 -> m2 (apps.m2.example.com): ${RED("unhealthy")}`],
  ["  saw   it has failed", "  saw   it has failed"],
])("%j", (text, painted) => {
  expect(coloured(`${text}\nnext\n`)).toBe(`${painted}\nnext\n`);
});

const GOLDEN = join(__dirname, "..", "verify", "golden");
test.each(readdirSync(GOLDEN))("%s says the same without colours", (file) => {
  const text = readFileSync(join(GOLDEN, file), "utf8");
  expect(coloured(text)).not.toBe(text);
  expect(stripVTControlCharacters(coloured(text))).toBe(text);
});
