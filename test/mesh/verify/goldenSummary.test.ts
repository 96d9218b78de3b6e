/** What `verify` prints, with 1, 3 and 10 members; UPDATE_GOLDEN=1 writes the files anew. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selected } from "../../../mesh/verify/selection";
import { printSummary } from "../../../mesh/verify/summaryText";
import { printVerify, type Verification, verifyExit } from "../../../mesh/verify/verification";
import { faultyMesh, mesh } from "../report/given";

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

test("every code of something that failed is in the summary", () => {
  const seen = faultyMesh(3);
  const failed = [...seen.members, ...seen.pairs].flatMap(({ checks }) =>
    checks.filter(({ state }) => state === "failed"),
  );
  const text = printSummary(seen);
  expect(failed.filter(({ code, evidence }) => !text.includes(code) || !text.includes(evidence))).toEqual([]);
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
