// Adds up the result files of test/run. A step that failed without a failed test of its own (it did not compile,
// the lab did not start) counts as one failure, so that the sum can never look better than the run was. What failed or was
// skipped is said once more at the end, where whoever sees only the last lines of a long run still sees it.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const showSkipped = (file, test) => console.log(`SKIPPED ${relative(process.cwd(), file)} ${test}`);
const showFailure = (file, test, message) =>
  console.log(`FAIL ${relative(process.cwd(), file)} ${test}\n${stripVTControlCharacters(message).slice(0, 1500)}`);

const [dir, leftOut] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const name of readdirSync(dir)) {
  if (name.endsWith(".go.json")) {
    for (const line of readFileSync(join(dir, name), "utf8").split("\n").filter(Boolean)) {
      const event = JSON.parse(line);
      if (event.Test === undefined) continue;
      passed += event.Action === "pass" ? 1 : 0;
      failed += event.Action === "fail" ? 1 : 0;
      skipped += event.Action === "skip" ? 1 : 0;
      if (event.Action === "fail") console.log(`FAIL ${event.Package} ${event.Test}`);
      if (event.Action === "skip") console.log(`SKIPPED ${event.Package} ${event.Test}`);
    }
  } else if (name.endsWith(".json")) {
    const report = JSON.parse(readFileSync(join(dir, name), "utf8"));
    passed += report.numPassedTests;
    failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
    skipped += report.numPendingTests;
    for (const { name: file, message, assertionResults } of report.testResults) {
      const tests = assertionResults.filter(({ status }) => status === "failed");
      for (const { fullName, failureMessages } of tests) showFailure(file, fullName, failureMessages.join("\n"));
      for (const { status, fullName } of assertionResults) if (status === "pending") showSkipped(file, fullName);
      if (tests.length === 0 && message !== "") showFailure(file, "", message);
    }
  }
}
const steps = join(dir, "steps");
const broken = existsSync(steps)
  ? readFileSync(steps, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((l) => l.split("\t"))
      .filter(([, code]) => code !== "0")
  : [["test/run", "1"]];
for (const [name, code] of broken) console.log(`${name}: failed with exit code ${code}`);
failed = Math.max(failed, broken.length);
console.log(`${skipped} skipped`);
if (leftOut) console.log(leftOut);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
