/** Whoever ends the program before its time: what runs may end in peace, and nothing new begins. */

export interface Interruption {
  readonly requested: boolean;
  /** Aborted when the programs that this one has started have to be told. */
  readonly forward: AbortSignal;
}

/** Ctrl-C reaches everything in the terminal by itself, and Pulumi takes a second one for "at once": so only SIGTERM is passed on. */
export function listenForInterruption(say: (line: string) => void): Interruption & { close(): void } {
  const forward = new AbortController();
  let requested = false;
  const interrupt = (signal: NodeJS.Signals): void => {
    // Whatever still runs is ended with this program.
    if (requested) process.exit(130);
    requested = true;
    say(`${signal}: begins nothing more and ends what is under way; once more ends it at once`);
    if (signal === "SIGTERM") forward.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  return {
    get requested() {
      return requested;
    },
    forward: forward.signal,
    close() {
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    },
  };
}
