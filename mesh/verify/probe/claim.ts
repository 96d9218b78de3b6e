/** Whose probe a cluster has. Pure. */
import type { Verdict } from "../../pulumi/lock";
import { POD_SECONDS } from "./probeObjects";

/** Whoever has made it. */
export interface Claim {
  user: string;
  host: string;
  pid: number;
  /** ISO 8601. */
  since: string;
}

/** Undefined when it says nothing that can be read. */
export function readClaim(text: string | undefined): Claim | undefined {
  try {
    const claim = JSON.parse(text ?? "") as Partial<Claim> | null;
    const { user, host, pid, since } = claim ?? {};
    if (user === undefined || host === undefined || pid === undefined || since === undefined) return undefined;
    return Number.isNaN(Date.parse(since)) ? undefined : { user, host, pid, since };
  } catch {
    return undefined;
  }
}

/**
 * Whether somebody is still at it: then his probe is left alone.
 *
 * @param verdict of his process; of one on another machine nothing can be said, but no probe lives longer than its pod
 */
export function isAtWork(claim: Claim | undefined, verdict: (claim: Claim) => Verdict, now: number): boolean {
  if (claim === undefined) return false;
  const known = verdict(claim);
  return known === "elsewhere" ? now < Date.parse(claim.since) + POD_SECONDS * 1000 : known === "running";
}

export const describeClaim = ({ user, host, pid, since }: Claim): string =>
  `process ${pid} of ${user}@${host}, since ${since}`;
