/** Pulumi's commands on one stack. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Deployment } from "@pulumi/pulumi/automation";
import { type Approved, APPROVED_VARIABLE } from "../../stacks/approved";
import type { Interruption } from "../kernel/interruption";
import { cliOf, pulumi } from "./cli";
import { type Cli, PulumiError, type RunOptions, runPulumi } from "./runPulumi";
import { logFile } from "./logFile";
import { locksFolder, locksIn, recordLocks, type Recording } from "./lockRecords";
import type { EngineEvent, Workspace } from "./workspace";

/**
 * The program waits 10 minutes at most for one thing, and says at least then what it waits for next. Pulumi that writes
 * nothing for longer hangs, or a plugin of it does.
 */
const OPERATION_QUIET_MS = 20 * 60_000;

export interface PreviewOptions {
  /** Read the cluster first. */
  refresh?: boolean;
  /** What the stack's file would say, in place of what it says. */
  config?: string;
  onEvent?: (event: EngineEvent) => void;
}

export class StackCommands {
  private readonly cli: Cli;

  constructor(
    readonly name: string,
    private readonly workspace: Workspace,
    private readonly interruption: Interruption,
    private readonly onEvent: (event: EngineEvent) => void,
    /** A folder for what Pulumi prints. */
    private readonly logDir?: string,
    /** Folder of a policy pack that judges what previews and updates would do. */
    private readonly policyPack?: string,
  ) {
    this.cli = cliOf(workspace);
  }

  /** @param approved with what the program may begin trust in new peers */
  up(refresh: boolean, approved?: Approved): Promise<void> {
    const flags = ["--yes", "--skip-preview", ...this.policies, ...(refresh ? ["--refresh"] : [])];
    return this.change("up", flags, this.onEvent, approved && { [APPROVED_VARIABLE]: JSON.stringify(approved) });
  }

  destroy(refresh: boolean): Promise<void> {
    return this.change("destroy", ["--yes", "--skip-preview", ...(refresh ? ["--refresh"] : [])]);
  }

  clearPendingCreates(): Promise<void> {
    return this.change("refresh", ["--yes", "--skip-preview", "--clear-pending-creates"], () => undefined);
  }

  async preview({ refresh = false, config, onEvent }: PreviewOptions): Promise<void> {
    // A refresh is there to find what the cluster has, not to judge what the program asks for.
    const flags = refresh ? ["--refresh"] : this.policies;
    if (config === undefined) return this.previewWith(flags, onEvent);
    const dir = await mkdtemp(join(tmpdir(), "spire-federation-")); // for this user only
    try {
      const file = join(dir, "Pulumi.yaml");
      await writeFile(file, config);
      await this.previewWith([...flags, "--config-file", file], onEvent);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  private async previewWith(flags: readonly string[], onEvent: PreviewOptions["onEvent"]): Promise<void> {
    // Without it a preview writes one document at its end instead of its events.
    const env = { ...this.cli.env, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" };
    await runPulumi({ ...this.cli, env }, this.args("preview", flags), {
      interruption: this.interruption,
      quietMs: OPERATION_QUIET_MS,
      log: this.log("preview"),
      onEvent: (event) => {
        onEvent?.(event);
        this.onEvent(event);
      },
    });
  }

  /** The state with its secrets encrypted. */
  async exportState(): Promise<Deployment> {
    const text = await pulumi(this.workspace, ["stack", "export", "--stack", this.name]);
    return JSON.parse(text) as Deployment;
  }

  /** Whether there is a lock; false where locks are no files. */
  async isLocked(): Promise<boolean> {
    const folder = await this.locksFolder();
    return folder !== undefined && locksIn(folder).length > 0;
  }

  /** A command that takes the stack's lock. */
  private async change(
    command: string,
    flags: readonly string[],
    onEvent = this.onEvent,
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const recording = await this.recording();
    let refused = false;
    try {
      await runPulumi({ ...this.cli, env: { ...this.cli.env, ...env } }, this.args(command, flags), {
        interruption: this.interruption,
        quietMs: OPERATION_QUIET_MS,
        log: this.log(command),
        onEvent,
        onStart: (pid) => recording?.follow(pid),
      });
    } catch (error) {
      refused = error instanceof PulumiError && error.isLocked;
      throw error;
    } finally {
      await recording?.stop(refused);
    }
  }

  private get policies(): string[] {
    return this.policyPack === undefined ? [] : ["--policy-pack", this.policyPack];
  }

  private log(command: string): RunOptions["log"] {
    const { logDir, name } = this;
    return logDir === undefined ? undefined : () => logFile(logDir, name, command);
  }

  private args(command: string, flags: readonly string[]): string[] {
    return [command, ...flags, "--json", "--color", "never", "--stack", this.name];
  }

  /** Undefined where locks are no files. */
  private async recording(): Promise<Recording | undefined> {
    const folder = await this.locksFolder();
    return folder === undefined ? undefined : recordLocks(folder);
  }

  /** Undefined where locks are no files. */
  private async locksFolder(): Promise<string | undefined> {
    const { workspace } = this;
    const [backend, { name: project }] = await Promise.all([backendOf(workspace), workspace.projectSettings()]);
    return locksFolder(backend, workspace.workDir, project, this.name.split("/").at(-1) ?? this.name);
  }
}

const backends = new WeakMap<Workspace, Promise<string>>();

/** URL of the backend; it is the same for all stacks of a project. */
function backendOf(workspace: Workspace): Promise<string> {
  const ask = async (): Promise<string> => {
    const said = await pulumi(workspace, ["whoami", "--verbose", "--json"]);
    return (JSON.parse(said) as { url: string }).url;
  };
  const known = backends.get(workspace);
  if (known !== undefined) return known;
  const asked = ask();
  backends.set(workspace, asked);
  asked.catch(() => backends.delete(workspace)); // the next stack asks again
  return asked;
}
