/**
 * Runs Pulumi's command line. The Automation API starts Pulumi in the process group of the program, where Ctrl-C in a
 * terminal reaches it beside the signal that the API sends, and Pulumi takes the second one for "abort". It also has no
 * time limit and keeps its event logs in files. Here Pulumi has a process group of its own, is told once, and writes its
 * events to its stdout.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { delimiter, dirname, isAbsolute } from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { Interrupted, type Interruption } from "../kernel/interruption";
import { redactedText } from "../kernel/redactedText";
import { Witness } from "./witness";

/** Pulumi and the project that it is to run in. */
export interface Cli {
  command: string;
  dir: string;
  env?: Record<string, string>;
}

export interface RunOptions {
  interruption: Interruption;
  /** Pulumi is stopped when it writes nothing for this long. */
  quietMs: number;
  /** Hears the engine's events; the arguments then have to ask for --json. */
  onEvent?: (event: EngineEvent) => void;
  /** Opens what gets all that Pulumi prints; undefined where nothing can. */
  log?: (() => Writable | undefined) | undefined;
  /** Is told the process id as soon as there is one. */
  onStart?: (pid: number) => void;
}

/** Pulumi ended with an error, or was stopped; the message is its last words. */
export class PulumiError extends Error {
  override readonly name = "PulumiError";

  constructor(
    message: string,
    readonly stderr: string,
  ) {
    super(redactedText(message));
  }

  /** Somebody else has locked the stack; the texts are those by which the Automation API knows it. */
  get isLocked(): boolean {
    return /the stack is currently locked by|\[409\] Conflict: Another update is currently in progress/.test(
      this.stderr,
    );
  }

  get isMissing(): boolean {
    return /no stack named.*found/i.test(this.stderr);
  }
}

/** What Pulumi has to end by itself after it was told to stop because it was silent. */
const GRACE_MS = 30_000;
/** The same after the second signal; the program itself ends a little later. */
const FORCE_MS = 1500;
/** A plugin may hold Pulumi's stdout open after Pulumi has ended. */
const DRAIN_MS = 5000;
/** Of what is read from stderr, the end is kept. */
const MOST_STDERR = 64 * 1024;

/**
 * Runs a command to its end and gives what it wrote on stdout; nothing when it has events.
 *
 * @throws Interrupted when there was a signal before it began; PulumiError when it fails, or ends without all its events
 */
export async function runPulumi(cli: Cli, args: readonly string[], options: RunOptions): Promise<string> {
  const { interruption, quietMs, onEvent } = options;
  if (interruption.signal.aborted) throw new Interrupted("interrupted before it started");
  const log = options.log?.();
  const child = start(cli, [...args, "--non-interactive"]);
  const said = { out: "", err: "", silent: false };
  const witness = new Witness();
  const stopping = new Stopping(child);
  const watchdog = setTimeout(() => {
    said.silent = true;
    stopping.stop(GRACE_MS);
  }, quietMs);
  const heard = (): unknown => watchdog.refresh();
  child.stdout.on("data", heard);
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: string) => log?.write(text));
  child.stderr.on("data", (text: string) => {
    heard();
    said.err = (said.err + text).slice(-MOST_STDERR);
  });
  if (onEvent === undefined) child.stdout.on("data", (text: string) => (said.out += text));
  else {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = eventIn(line);
      if (event === undefined) return;
      witness.hear(event);
      onEvent(event);
    });
  }
  const soft = (): void => {
    stopping.tell();
  };
  const hard = (): void => {
    stopping.stop(FORCE_MS);
  };
  interruption.signal.addEventListener("abort", soft);
  interruption.force.addEventListener("abort", hard);
  try {
    if (child.pid !== undefined) options.onStart?.(child.pid);
    const how = await ended(child);
    const complaint = onEvent && how === 0 ? witness.complaint(args[0] ?? "") : undefined;
    if (complaint !== undefined) {
      throw new PulumiError(
        `pulumi ${args[0] ?? ""} ended well, but its stream of events is not whole: it ${complaint}. What it did is not ` +
          "known; look at the stack with npx pulumi stack, and run this again",
        said.err,
      );
    }
    if (how === 0) return said.out;
    const what = `pulumi ${args.slice(0, args[0] === "stack" ? 2 : 1).join(" ")}`;
    const words = wordsIn(said.err);
    if (said.silent) {
      throw new PulumiError(
        `${what} wrote nothing for ${String(quietMs / 1000)} s and was stopped. ${words}`,
        said.err,
      );
    }
    throw new PulumiError(words === "" ? `${what} ended with ${String(how)}` : words, said.err);
  } finally {
    clearTimeout(watchdog);
    stopping.close();
    log?.end();
    interruption.signal.removeEventListener("abort", soft);
    interruption.force.removeEventListener("abort", hard);
  }
}

type Pulumi = ReturnType<typeof start>;

function start({ command, dir, env = {} }: Cli, args: readonly string[]) {
  // Plugins that come with a Pulumi lie beside it.
  const path = isAbsolute(command) ? { PATH: [dirname(command), process.env["PATH"]].join(delimiter) } : {};
  const child = spawn(command, args, {
    cwd: dir,
    env: { ...process.env, ...path, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a process group of its own
  });
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  return child;
}

/** The exit code, or the signal or the error that ended it. */
function ended(child: Pulumi): Promise<number | string> {
  return new Promise((resolve) => {
    child.once("error", ({ message }) => {
      resolve(message);
    });
    child.once("exit", (code, signal) => {
      const how = code ?? signal ?? "no exit code";
      const drained = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve(how);
      }, DRAIN_MS);
      child.once("close", () => {
        clearTimeout(drained);
        resolve(how);
      });
    });
  });
}

/** All that run now; when the program ends before they do, they are told to stop, or killed if they had been told twice. */
const running = new Set<Stopping>();
process.on("exit", () => {
  for (const stopping of running) stopping.leave();
});

/** Ends one Pulumi: first it is told, and at last its process group is killed. */
class Stopping {
  private told = false;
  private forced = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly child: ChildProcess) {
    running.add(this);
  }

  /** Pulumi ends once the operations that are under way have ended. */
  tell(): void {
    if (this.told) return;
    this.told = true;
    this.child.kill("SIGINT");
  }

  /** Pulumi takes the second signal for "abort", writes what it knows and releases its lock. */
  stop(graceMs: number): void {
    this.forced ||= this.told;
    this.told = true;
    this.child.kill("SIGINT");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.kill();
    }, graceMs);
  }

  leave(): void {
    if (this.forced) this.kill();
    else this.tell();
  }

  close(): void {
    clearTimeout(this.timer);
    running.delete(this);
  }

  private kill(): void {
    try {
      if (this.child.pid !== undefined && this.child.exitCode === null) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
}

/** Undefined for a line that is no event, such as one that the program printed. */
function eventIn(line: string): EngineEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return undefined;
  }
}

/** Without the mark by which Pulumi begins an error. */
const wordsIn = (stderr: string): string => stderr.trim().replace(/^error: /gm, "");
