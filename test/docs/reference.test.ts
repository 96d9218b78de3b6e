/** The API reference: `npm run reference`, which makes it of the doc comments. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./pages";

test("everything public has a doc comment, and the reference can be made", () => {
  const typedoc = join(ROOT, "node_modules", ".bin", "typedoc");
  const { status, stdout, stderr } = spawnSync(typedoc, ["--emit", "none"], { cwd: ROOT, encoding: "utf8" });
  expect([status, stdout + stderr]).toEqual([0, expect.not.stringContaining("warning")]);
}, 300_000);
