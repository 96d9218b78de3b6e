// Shows `go test -json` as a person reads it: what failed or was skipped with its output, and one line per package.
import { createInterface } from "node:readline";

const output = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { Action, Package, Test, Output, Elapsed } = JSON.parse(line);
  const key = `${Package} ${Test ?? ""}`;
  if (Action === "build-output") process.stdout.write(Output);
  else if (Action === "output") output.set(key, (output.get(key) ?? "") + Output);
  else if (Action === "fail") console.log(output.get(key) ?? "", `FAIL ${key}`);
  else if (Action === "skip" && Test !== undefined) console.log(output.get(key) ?? "");
  else if (Action === "pass" && Test === undefined) console.log(`ok ${Package} ${Elapsed}s`);
}
