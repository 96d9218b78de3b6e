/** Runs one of these programs in a lab of its own, which ends with it. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(__dirname, "..");

/**
 * What the program writes to stdout.
 *
 * @param flags of `lab up`
 */
export async function inLab(flags: readonly string[], ...program: string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "bench-"));
  const options = { cwd: ROOT, env: { ...process.env, LAB_STATE: join(dir, "lab") }, maxBuffer: 2 ** 26 };
  const lab = (...args: string[]): Promise<{ stdout: string }> => {
    const running = promisify(execFile)("lab/lab", args, options);
    running.child.stderr?.pipe(process.stderr);
    return running;
  };
  try {
    await lab("up", ...flags, "--until-exit-of", String(process.pid));
    return (await lab("exec", "--", "npx", "tsx", ...program)).stdout;
  } finally {
    await lab("down");
    await rm(dir, { recursive: true });
  }
}
