/** Asks Pulumi's command line what the backend knows. */
import type { Workspace } from "@pulumi/pulumi/automation";
import { Interrupted, type Interruption, uninterrupted } from "../kernel/interruption";
import { type Cli, runPulumi } from "./runPulumi";

/** A backend that is out of reach is waited for no longer; Pulumi itself would try again for minutes. */
const QUIET_MS = 60_000;

/** A project, and what ends the commands that are run in it. */
export interface Interruptible extends Workspace {
  readonly interruption?: Interruption;
}

export const cliOf = ({ pulumiCommand, workDir, envVars }: Workspace): Cli => ({
  command: pulumiCommand.command,
  dir: workDir,
  env: envVars,
});

/**
 * What the command prints on stdout.
 *
 * @throws PulumiError when it fails, or is silent for too long; Interrupted
 */
export async function pulumi(
  workspace: Interruptible,
  args: readonly string[],
  { interruption = workspace.interruption ?? uninterrupted, quietMs = QUIET_MS } = {},
): Promise<string> {
  try {
    return await runPulumi(cliOf(workspace), args, { interruption, quietMs });
  } catch (error) {
    // Pulumi that was told to stop is not a backend that cannot be asked.
    throw interruption.signal.aborted ? new Interrupted() : error;
  }
}
