import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logFile } from "../../../mesh/pulumi/logFile";

test("a log that cannot be written is said, and ends nothing", async () => {
  const said: string[] = [];
  const file = logFile(mkdtempSync(join(tmpdir(), "log-")), "a/b/cluster1", "up", (line) => said.push(line));
  const closed = once(file, "close").catch(() => undefined);
  file.destroy(new Error("ENOSPC: no space left on device"));
  await closed;
  expect(said.join()).toMatch(/cluster1.*ENOSPC/);
});
