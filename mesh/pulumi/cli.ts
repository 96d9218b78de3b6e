/** Asks Pulumi's command line what the backend knows. */
import type { Workspace } from "@pulumi/pulumi/automation";
import { type Interruption, uninterrupted } from "../kernel/interruption";
import { type Cli, runPulumi } from "./runPulumi";

/** A backend that is out of reach is waited for no longer; Pulumi itself would try again for minutes. */
const QUIET_MS = 60_000;

export const cliOf = ({ pulumiCommand, workDir, envVars }: Workspace): Cli => ({
  command: pulumiCommand.command,
  dir: workDir,
  env: envVars,
});

/**
 * What the command prints on stdout.
 *
 * @throws PulumiError when it fails, or is silent for too long
 */
export function pulumi(
  workspace: Workspace,
  args: readonly string[],
  { interruption = uninterrupted, quietMs = QUIET_MS }: { interruption?: Interruption; quietMs?: number } = {},
): Promise<string> {
  return runPulumi(cliOf(workspace), args, { interruption, quietMs });
}
