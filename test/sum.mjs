// Adds up the result files of test/run. A step that failed without a failed test of its own (it did not compile,
// the lab did not start) counts as one failure, so that the sum can never look better than the run was.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const dir = process.argv[2];
let passed = 0;
let failed = 0;
for (const name of readdirSync(dir)) {
  if (name.endsWith(".go.json")) {
    for (const line of readFileSync(join(dir, name), "utf8").split("\n").filter(Boolean)) {
      const event = JSON.parse(line);
      if (event.Test === undefined) continue;
      passed += event.Action === "pass" ? 1 : 0;
      failed += event.Action === "fail" ? 1 : 0;
    }
  } else if (name.endsWith(".json")) {
    const report = JSON.parse(readFileSync(join(dir, name), "utf8"));
    passed += report.numPassedTests;
    failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
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
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
