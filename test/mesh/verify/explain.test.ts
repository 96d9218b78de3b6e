import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../../mesh/kernel/exit";
import { codes, explained, printExplained } from "../../../mesh/verify/explain";

const page = readFileSync(join(__dirname, "..", "..", "..", "docs", "checks.md"), "utf8");

test("every check that docs/checks.md has is explained, and no other", () => {
  const written = [...page.matchAll(/^### (MESH\d+)$/gm)].map(([, code]) => code);
  expect([...codes()].sort()).toEqual(written.sort());
});

test.each(codes())("%s is explained as docs/checks.md has it", (code) => {
  const [check] = explained([code.toLowerCase()]);
  const text = printExplained(explained([code]), true).replace(/\s+/g, " ");
  expect(page).toContain(check?.about);
  expect(text).toContain(`${code} ${check?.title ?? ""} ${check?.about.replace(/\s+/g, " ") ?? ""}`);
});

test("without a code all are listed", () => {
  expect(printExplained(explained([]), false).trimEnd().split("\n")).toHaveLength(codes().length + 1);
});

test("a code of no check is refused, with the way to all", () => {
  expect(() => explained(["MESH212", "MESH999"])).toThrow(UsageError);
  expect(() => explained(["MESH999"])).toThrow('MESH999: no such check; "npx spire-federation explain" lists all');
});
