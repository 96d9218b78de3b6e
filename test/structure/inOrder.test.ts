import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "..", "..");
const LAB = join(ROOT, "test", "lab");

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "in-order-"));
});
afterEach(() => rm(dir, { recursive: true }));

const STEPS = `
  const { appendFileSync } = require("node:fs");
  const ran = (name) => appendFileSync(__dirname + "/ran", name + " ");
  test("one", () => ran("one"));
  test("two", () => { ran("two"); expect(1).toBe(2); });
  test("three", () => ran("three"));
  describe("and then", () => {
    beforeEach(() => ran("before"));
    test("four", () => ran("four"));
  });
`;

/** Runs a test file that begins with a comment. Gives what ran, and for each test its status and its error's first line. */
async function run(comment: string): Promise<{ ran: string; results: string[][] }> {
  const config = {
    rootDir: dir,
    testMatch: ["**/steps.test.js"],
    setupFilesAfterEnv: [join(LAB, "afterFailure.ts")],
    transform: { "\\.ts$": join(ROOT, "node_modules", "@swc", "jest") },
  };
  await writeFile(join(dir, "jest.config.json"), JSON.stringify(config));
  await writeFile(join(dir, "steps.test.js"), comment + STEPS);
  const jest = join(ROOT, "node_modules", "jest", "bin", "jest.js");
  const output = join(dir, "output.json");
  spawnSync("node", [jest, "--config", join(dir, "jest.config.json"), "--json", "--outputFile", output], { cwd: ROOT });
  const { testResults } = JSON.parse(await readFile(output, "utf8")) as {
    testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[];
  };
  const results = testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ title, status, failureMessages: [error = ""] }) => [
      title,
      status,
      error.split("\n", 1)[0] ?? "",
    ]),
  );
  return { ran: await readFile(join(dir, "ran"), "utf8"), results };
}

test("in a file whose tests build on each other, what follows a failed one does not run, and counts as failed", async () => {
  const { ran, results } = await run(`/** @jest-environment ${join(LAB, "inOrder.js")} */`);
  expect(ran).toBe("one two ");
  const notRun = expect.stringContaining("an earlier step failed: two") as string;
  expect(results).toEqual([
    ["one", "passed", ""],
    ["two", "failed", expect.stringContaining("expect(")],
    ["three", "failed", notRun],
    ["four", "failed", notRun],
  ]);
});

test("in any other file all tests run", async () => {
  const { ran, results } = await run("");
  expect(ran).toBe("one two three before four ");
  expect(results.map(([, status]) => status)).toEqual(["passed", "failed", "passed", "passed"]);
});
