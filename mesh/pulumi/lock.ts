/** Whose lock a stack has, and what may be done about it. Pure. */

/** A process that has locked a stack, as Pulumi's error names it. */
export interface Holder {
  /** URL of the lock in the backend. */
  lock: string;
  pid: number;
  user: string;
  host: string;
  /** When it took the lock, to the second. */
  since: Date;
}

/** Whoever looks, in the terms of a Holder. */
export type Looker = Pick<Holder, "user" | "host">;

/** What runs under a process id; the time is unknown where the system doesn't tell. */
export interface RunningProcess {
  startedAt?: Date;
}

export type Verdict =
  /** Another host or user: from here nothing can be said. */
  | "elsewhere"
  /** It still runs, perhaps as the orphan of a mesh that was killed. */
  | "running"
  /** It was ours and runs no more. */
  | "dead";

/** The clock may have been set between the two times that are compared. */
const CLOCK_SLACK_MS = 60_000;

/** Everybody whom Pulumi's error names, which may say it twice; none when the backend keeps that to itself. */
export function holders(error: string): Holder[] {
  const lines = error.matchAll(/^\s*(\S.*?): created by (.+)@(\S+) \(pid (\d+)\) at (\S+)$/gm);
  const named = [...lines].map(([, lock = "", user = "", host = "", pid, since = ""]): [string, Holder] => [
    lock,
    { lock, user, host, pid: Number(pid), since: new Date(since) },
  ]);
  return [...new Map(named).values()];
}

/** @param process what runs now under the holder's process id on the looker's host */
export function verdict(holder: Holder, looker: Looker, process: RunningProcess | undefined): Verdict {
  if (holder.host !== looker.host || holder.user !== looker.user) return "elsewhere";
  if (process === undefined) return "dead";
  const { startedAt } = process;
  // Whatever began after the lock was taken is something else, that got the same id.
  const another = startedAt !== undefined && startedAt.getTime() > holder.since.getTime() + CLOCK_SLACK_MS;
  return another ? "dead" : "running";
}

export function describeHolder({ user, host, pid, since }: Holder): string {
  return `process ${String(pid)} of ${user}@${host}, since ${since.toISOString()}`;
}
