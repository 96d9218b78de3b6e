import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

test("a reader that has gone ends the program silently", async () => {
  const start = join(__dirname, "..", "..", "..", "dist", "mesh", "cli", "start.js");
  // The reader is gone before anything is written.
  const script = `(sleep 0.5; exec node ${start} --help) | true`;
  const { stderr } = await promisify(execFile)("bash", ["-c", script]);
  expect(stderr).toBe("");
});
