/** Signals that end the program early: the first lets running operations end, the second aborts them. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { SIGNAL_EXIT, type SignalExit } from "./exit";

export interface Interruption {
  /** Aborted by the first signal: nothing more begins, and no wait goes on. */
  readonly signal: AbortSignal;
  /** Aborted by the second signal: running operations are aborted, too. */
  readonly force: AbortSignal;
}

const never = new AbortController().signal;
export const uninterrupted: Interruption = { signal: never, force: never };

/** Thrown in place of what was not begun, or was waited for. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(message = "interrupted") {
    super(message);
  }
}

/**
 * What is said of a command that has ended without its result. Pure.
 *
 * @param done what it had changed
 */
export function withoutResult({ name, message }: Error, done: readonly string[]): string {
  if (done.length > 0) return `${message}; what was done stays: ${done.join(", ")}`;
  return name === "Interrupted" ? "interrupted; nothing was changed" : message;
}

/** Waits, and throws Interrupted as soon as the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw new Interrupted();
  });
}

type Signal = keyof typeof SIGNAL_EXIT;
const SIGNALS = Object.keys(SIGNAL_EXIT) as Signal[];

/** What running operations have after the second signal to write what they know and release their locks. */
const FORCE_MS = 2000;

export interface Listening extends Interruption {
  /** Of the first signal; undefined without one. */
  exitCode(): SignalExit | undefined;
  close(): void;
}

/** @param done what was changed and stays when the program is ended before it has a result */
export function listenForInterruption(
  say: (line: string) => void,
  done: () => readonly string[] = () => [],
): Listening {
  const [first, second] = [new AbortController(), new AbortController()];
  setMaxListeners(0, first.signal, second.signal); // every request to a cluster is one
  let exitCode: SignalExit | undefined;
  const end = (): never => {
    if (done().length > 0) say(withoutResult(new Interrupted(), done()));
    process.exit(exitCode);
  };
  const hear = (signal: NodeJS.Signals): void => {
    exitCode ??= SIGNAL_EXIT[signal as Signal];
    if (second.signal.aborted) end();
    // After a hangup nobody reads what is written, which must not end the program before the cleaning up.
    if (signal === "SIGHUP") for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
    if (!first.signal.aborted) {
      first.abort(new Interrupted());
      say(`${signal}: stopping after the running operations; press Ctrl-C again to abort them`);
      return;
    }
    second.abort(new Interrupted());
    say(`${signal}: aborting the running operations`);
    setTimeout(end, FORCE_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, hear);
  return {
    signal: first.signal,
    force: second.signal,
    exitCode: () => exitCode,
    close() {
      for (const signal of SIGNALS) process.off(signal, hear);
    },
  };
}
