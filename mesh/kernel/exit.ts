/** Exit codes of every command, and the errors that lead to them. */
export const EXIT = {
  /** Everything is as it should be. */
  fine: 0,
  /** Findings, changes where none were expected, or a member that failed. */
  findings: 1,
  /** The command line or the config is wrong; nothing was done. */
  usage: 2,
  /** Something could not be checked. */
  unknown: 3,
} as const;

/** After SIGHUP, SIGINT and SIGTERM, as shells expect it: 128 and the signal's number. */
export const SIGNAL_EXIT = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export type SignalExit = (typeof SIGNAL_EXIT)[keyof typeof SIGNAL_EXIT];

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something that the user wrote is wrong; the message says what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
