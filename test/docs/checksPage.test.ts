import { readFileSync } from "node:fs";
import { join } from "node:path";
import { memberChecks, pairChecks } from "../../mesh/verify/checks/all";
import { checksPage } from "../../docs/generate/checksPage";
import { probeMemberChecks, probePairChecks } from "../../mesh/verify/checks/probeChecks";

const ofMember = [...memberChecks, ...probeMemberChecks];
const all = [...ofMember, ...pairChecks, ...probePairChecks];

test("docs/checks.md is that of the checks", () => {
  const page = readFileSync(join(__dirname, "..", "..", "docs", "checks.md"), "utf8");
  expect(page).toBe(checksPage());
});

test("no code is there twice, and every check needs only what is asked before it", () => {
  const codes = all.map(({ code }) => code);
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  const before = new Set<string>();
  for (const { code, needs = [] } of all) {
    expect([code, needs.filter((need) => !before.has(need))]).toEqual([code, []]);
    before.add(code);
  }
  const ofMembers: string[] = ofMember.map(({ code }) => code);
  for (const { code, needsOfPeer = [] } of all) {
    expect([code, needsOfPeer.flat().filter((need) => !ofMembers.includes(need))]).toEqual([code, []]);
  }
});
