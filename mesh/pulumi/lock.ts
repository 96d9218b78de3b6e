/** Who holds a stack's lock, as Pulumi's error names the process. Pure. */

export interface Holder {
  /** URL of the lock in the backend. */
  lock: string;
  pid: number;
  user: string;
  host: string;
  /** When it took the lock, to the second. */
  since: Date;
}

/** The holders that Pulumi's error names, each once; none when the backend does not name them. */
export function holders(error: string): Holder[] {
  const lines = error.matchAll(/^\s*(\S.*?): created by (.+)@(\S+) \(pid (\d+)\) at (\S+)$/gm);
  const named = [...lines].map(([, lock = "", user = "", host = "", pid, since = ""]): [string, Holder] => [
    lock,
    { lock, user, host, pid: Number(pid), since: new Date(since) },
  ]);
  return [...new Map(named).values()];
}

/** The part of a lock's URL that no other lock has. */
export const lockId = ({ lock }: Pick<Holder, "lock">): string => lock.split("?")[0]?.split("/").at(-1) ?? "";

export function describeHolder({ user, host, pid, since }: Holder): string {
  return `process ${String(pid)} of ${user}@${host}, since ${since.toISOString()}`;
}
