/** Keeps what Pulumi prints, for somebody who looks for a cause. Pulumi masks secrets in it. */
import { createWriteStream, mkdirSync, openSync, type WriteStream } from "node:fs";
import { join } from "node:path";

type Say = (line: string) => void;

/**
 * A new file of one run, for its owner alone: `cluster1-2026-11-28T16-30-00.000Z-up.log`. A full or read-only disk costs the
 * log, and not the operation: it is said, and undefined is given where there can be no file.
 */
export function logFile(
  dir: string,
  stack: string,
  command: string,
  say: Say = (line) => process.stderr.write(`${line}\n`),
): WriteStream | undefined {
  const at = new Date().toISOString().replaceAll(":", "-");
  const path = join(dir, `${stack.split("/").at(-1) ?? stack}-${at}-${command}.log`);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const file = createWriteStream(path, { fd: openSync(path, "wx", 0o600) });
    file.once("error", ({ message }) => {
      say(`${path} is not complete: ${message}`);
    });
    return file;
  } catch (error) {
    say(`${path} cannot be written, so Pulumi's output is not kept: ${(error as Error).message}`);
    return undefined;
  }
}
