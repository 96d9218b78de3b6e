/** Whose probe a cluster has. Pure. */
import type { Fate, ProcessIdentity } from "../../pulumi/liveness";
import { definedOnly } from "../../../stacks/fields";
import { madeOr } from "../../kernel/looked";
import { POD_SECONDS } from "./probeObjects";

/** The process that has made a probe. User, host and pid are for people: containers and CI runners share them. */
export interface Claim {
  user: string;
  host: string;
  pid: number;
  /** ISO 8601. */
  since: string;
  /** By what the process is known to be running or gone, where it can be known. */
  process?: ProcessIdentity;
}

/** Undefined when it says nothing that can be read. */
export const readClaim = (text: string | undefined): Claim | undefined =>
  madeOr(undefined, () => {
    const { user, host, pid, since, process } = JSON.parse(text ?? "") as Partial<Claim>;
    if (user === undefined || host === undefined || pid === undefined || since === undefined) return undefined;
    return Number.isNaN(Date.parse(since)) ? undefined : { user, host, pid, since, ...definedOnly({ process }) };
  });

/**
 * Whether the probe's process may still be running; then the probe is left alone.
 *
 * @param fate of its process; of one on another machine nothing can be said, but no probe lives longer than its pod
 */
export function isAtWork(claim: Claim | undefined, fate: (claim: Claim) => Fate, now: number): boolean {
  if (claim === undefined) return false;
  const known = fate(claim);
  return known === "elsewhere" ? now < Date.parse(claim.since) + POD_SECONDS * 1000 : known === "running";
}

export const describeClaim = ({ user, host, pid, since }: Claim): string =>
  `process ${pid} of ${user}@${host}, since ${since}`;
