/** What `verify` prints, with 1, 3 and 10 members; UPDATE_GOLDEN=1 writes the files anew. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failed, type Judgement } from "../../../mesh/verify/check";
import { selected } from "../../../mesh/verify/selection";
import { printSummary } from "../../../mesh/verify/summaryText";
import { printVerify, type Verification, verifyExit } from "../../../mesh/verify/verification";
import { faultyMesh, GRANT, mesh, refresh, type Said } from "../report/given";

const FOLDER = join(__dirname, "golden");

function expectGolden(name: string, text: string): void {
  const file = join(FOLDER, name);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    if (!existsSync(FOLDER)) mkdirSync(FOLDER);
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, "utf8"));
}

const MESHES: [string, Verification][] = [
  ["1-well", mesh(1)],
  ["3-well", mesh(3)],
  ["3-faulty", faultyMesh(3)],
  ["10-well", mesh(10)],
  ["10-faulty", faultyMesh(10)],
];

test.each(MESHES)("the summary of %s", (name, verification) => {
  expectGolden(`${name}.txt`, printSummary(verification));
});

test.each(MESHES.slice(0, 3))("every check of %s, one a line", (name, verification) => {
  expectGolden(`${name}-wide.txt`, printVerify(verification));
});

test("of what is the same in many, one more than are shown is counted, too", () => {
  const said = Object.fromEntries(
    Array.from({ length: 6 }, (_, index) => [
      `cluster${String(index + 1)}`,
      { MESH134: failed(`seen ${String(index)}`, "fix it") },
    ]),
  );
  const shown = (count: number): string =>
    printSummary(mesh(count, { said: Object.fromEntries(Object.entries(said).slice(0, count)) }));
  const first = [2, 3, 4, 5, 6].map(shown).find((text) => text.includes("more; -o wide shows all"));
  expect(first).toContain("and 1 more; -o wide shows all");
});

const blocks = (text: string): string[] => text.match(/^[×?…!i] .*$/gm) ?? [];
/** Without commands, which are to be pasted as they are. */
const tooWide = (text: string): string[] =>
  text.split("\n").filter((line) => line.length > 100 && !line.startsWith("  fix  "));

test("one expired certificate among 50 is one block, and each line fits a terminal of 100 columns", () => {
  const names = Array.from({ length: 50 }, (_, index) => `cluster${index + 1}`);
  const polls = names.map((name, index): [string, Said] => [
    `${name} cluster7`,
    { MESH213: failed(`failed ${index} s ago: connection refused`, refresh(name, "cluster7")) },
  ]);
  const expired = failed("it has expired", "cmctl --context cluster7 renew x");
  const text = printSummary(mesh(50, { said: { ...Object.fromEntries(polls), cluster7: { MESH144: expired } } }));
  expect(blocks(text)).toEqual(["× cluster7, and 49 pairs because of it"]);
  expect(text).toMatch(/^cluster1 +healthy +all but × cluster7 /m);
  expect(text).toMatch(/^cluster7 +unhealthy +all 49 /m);
  expect(text.split("\n").length).toBeLessThan(75);
  expect(tooWide(text)).toEqual([]);
});

test("50 clusters that cannot be reached are one block, and nothing is counted of what was not asked", () => {
  const names = Array.from({ length: 50 }, (_, index) => `cluster${index + 1}`);
  const said = Object.fromEntries(
    names.map((name): [string, Said] => [name, { MESH101: { state: "unknown", evidence: `no way to ${name}` } }]),
  );
  const text = printSummary(mesh(50, { said }));
  expect(blocks(text)).toHaveLength(1);
  expect(text).toMatch(/^cluster1 +unknown +not asked +not asked /m);
  expect(text).not.toMatch(/skipped|\b0\/\d/);
});

test("what nobody can mend is shown with --notes alone, and counted without", () => {
  const said = { cluster1: { MESH124: GRANT("cluster1") }, cluster2: { MESH124: GRANT("cluster2") } };
  const seen = mesh(2, { said });
  expect(blocks(printSummary(seen))).toEqual([]);
  expect(printSummary(seen)).toMatch(/^2 members, 2 pairs: healthy \(\d+ checks, 2 notes\)\nShow the notes: --notes$/m);
  expect(blocks(printSummary(seen, true))).toEqual(["i cluster1, cluster2"]);
});

test("a warning is shown each time", () => {
  const warning: Judgement = { state: "warn", evidence: "it polls without a pause", cure: "upgrade" };
  expect(blocks(printSummary(mesh(1, { said: { cluster1: { MESH108: warning } } })))).toEqual(["! cluster1"]);
});

test("every code of something that failed is in the summary", () => {
  const seen = faultyMesh(3);
  const notWell = [...seen.members, ...seen.pairs].flatMap(({ checks }) =>
    checks.filter(({ state }) => state === "failed"),
  );
  const text = printSummary(seen).replaceAll(/\n +/g, " ");
  expect(notWell.filter(({ code, evidence }) => !text.includes(code) || !text.includes(evidence))).toEqual([]);
});

test("a selection leaves out the other pairs and checks, and judges by what is left", () => {
  const seen = faultyMesh(3);
  const left = selected(seen, { peers: ["cluster2"], codes: ["MESH213"] });
  expect(left.pairs.map(({ member, peer }) => `${member} ${peer}`)).toEqual(["cluster1 cluster2", "cluster3 cluster2"]);
  expect(left.pairs.map(({ checks }) => checks.map(({ code }) => code))).toEqual([["MESH213"], ["MESH213"]]);
  expect(verifyExit(left)).toBe(1);
  expect(verifyExit(selected(seen, { peers: ["cluster1"], codes: ["MESH213"] }))).toBe(3);
  expect(selected(seen, { peers: [], codes: [] })).toEqual(seen);
});
