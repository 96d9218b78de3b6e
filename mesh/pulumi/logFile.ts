/** Keeps what Pulumi prints, for somebody who looks for a cause. Pulumi masks secrets in it. */
import { createWriteStream, mkdirSync, openSync, type WriteStream } from "node:fs";
import { join } from "node:path";

/** A new file of one run, for its owner alone: `cluster1-2026-11-28T16-30-00.000Z-up.log`. */
export function logFile(
  dir: string,
  stack: string,
  command: string,
  say: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): WriteStream {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const at = new Date().toISOString().replaceAll(":", "-");
  const name = `${stack.split("/").at(-1) ?? stack}-${at}-${command}.log`;
  const path = join(dir, name);
  const file = createWriteStream(path, { fd: openSync(path, "wx", 0o600) });
  // A full disk costs the log, and not the operation.
  file.once("error", ({ message }) => {
    say(`${path} is not complete: ${message}`);
  });
  return file;
}
