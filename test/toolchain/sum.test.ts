import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), "sum-"));
});
afterEach(() => {
  rmSync(results, { recursive: true });
});

const file = (name: string, content: string): void => {
  writeFileSync(join(results, name), content);
};
const events = (...all: object[]): string => all.map((event) => `${JSON.stringify(event)}\n`).join("");

function sum(): { status: number | null; lines: string[] } {
  const { status, stdout } = spawnSync(process.execPath, ["test/sum.mjs", results], { encoding: "utf8" });
  return { status, lines: stdout.trimEnd().split("\n") };
}

const jestReport = (...statuses: string[]): string =>
  JSON.stringify({
    numPassedTests: statuses.filter((status) => status === "passed").length,
    numFailedTests: statuses.filter((status) => status === "failed").length,
    numPendingTests: statuses.filter((status) => status === "pending").length,
    numRuntimeErrorTestSuites: 0,
    testResults: [
      {
        name: join(process.cwd(), "test/one.test.ts"),
        message: "",
        assertionResults: statuses.map((status) => ({ status, fullName: `a ${status} one`, failureMessages: ["why"] })),
      },
    ],
  });

test("passed, failed and skipped tests of Go and jest are added up, and those that did not pass are named", () => {
  file("steps", "unit\t1\nlab\t1\n");
  file("unit.json", jestReport("passed", "passed", "failed", "pending"));
  file(
    "lab.go.json",
    events(
      { Action: "pass", Package: "p", Test: "TestA" },
      { Action: "skip", Package: "p", Test: "TestB" },
      { Action: "fail", Package: "p", Test: "TestC" },
      { Action: "skip", Package: "without tests" },
    ),
  );
  const { status, lines } = sum();
  expect(status).toBe(1);
  expect(lines).toEqual(
    expect.arrayContaining([
      "SKIPPED p TestB",
      "FAIL p TestC",
      "SKIPPED test/one.test.ts a pending one",
      "FAIL test/one.test.ts a failed one",
    ]),
  );
  expect(lines.slice(-2)).toEqual(["2 skipped", "3 passed, 2 failed"]);
});

test("a step that failed without a failed test counts as one", () => {
  file("steps", "lab of two\t1\nunit\t0\n");
  file("unit.json", jestReport("passed"));
  expect(sum().lines.slice(-3)).toEqual(["lab of two: failed with exit code 1", "0 skipped", "1 passed, 1 failed"]);
});

test("a run of which nothing is left has failed", () => {
  expect(sum()).toMatchObject({ status: 1, lines: expect.arrayContaining(["0 passed, 1 failed"]) as string[] });
});
