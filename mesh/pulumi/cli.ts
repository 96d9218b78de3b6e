/** Runs Pulumi's command line where the Automation API has no call, or does more than is asked of it. */
import { execFile } from "node:child_process";
import type { Workspace } from "@pulumi/pulumi/automation";

/** Pulumi ended with an error; the message is what it said. */
export class PulumiFailed extends Error {
  override readonly name = "PulumiFailed";
}

/** Stacks have outputs and configs of up to this many bytes. */
const MOST_OUTPUT = 256 * 1024 * 1024;

/** A backend that is out of reach is waited for no longer; Pulumi itself would try again for minutes. */
const PATIENCE_MS = 60_000;

/**
 * What the command prints on stdout.
 *
 * @throws PulumiFailed
 */
export function pulumi(
  { pulumiCommand, workDir, envVars }: Workspace,
  args: readonly string[],
  timeout = PATIENCE_MS,
): Promise<string> {
  const options = { cwd: workDir, env: { ...process.env, ...envVars }, maxBuffer: MOST_OUTPUT, timeout };
  return new Promise((resolve, reject) => {
    execFile(pulumiCommand.command, [...args, "--non-interactive"], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else {
        const late = error.killed === true ? `no answer within ${String(timeout / 1000)} s` : "";
        const words = [late, wordsOf(stderr)].filter((text) => text !== "").join("; ") || error.message;
        reject(new PulumiFailed(`pulumi ${args.slice(0, 2).join(" ")}: ${words}`));
      }
    });
  });
}

/** Without the mark by which Pulumi begins an error. */
const wordsOf = (stderr: string): string => stderr.trim().replace(/^error: /gm, "");
