/**
 * For how long a SPIRE server has its keys live, when it takes the next one by itself, and whether peers learn of it in time.
 * Pure, all times in seconds.
 *
 * Source: SPIRE 1.14, pkg/server/ca/manager/slot.go `preparationThreshold` and `keyActivationThreshold`, for X.509 and for JWT keys;
 * pkg/server/bundle/client/manager.go `attemptsPerRefreshHint`; pkg/agent/manager/config.go `SyncInterval`.
 */
import { REFRESH_HINT } from "../shared/arguments";
import { formatDuration, parseDuration } from "../shared/duration";

export interface KeyLives {
  caValidity: number;
  defaultJWTValidity: number;
}

/** What the operator takes where the SpireServer says nothing. */
const USUAL: KeyLives = { caValidity: 86_400, defaultJWTValidity: 300 };

/** @param spec of a SpireServer */
export function keyLivesOf(spec: Partial<Record<keyof KeyLives, unknown>> = {}): KeyLives {
  const secondsOf = (field: keyof KeyLives): number => {
    const value = spec[field];
    return (typeof value === "string" ? parseDuration(value) : undefined) || USUAL[field];
  };
  return { caValidity: secondsOf("caValidity"), defaultJWTValidity: secondsOf("defaultJWTValidity") };
}

const DAY = 86_400;

/** A SPIRE server prepares the next key, and publishes it, when this much of the present one's life is left. */
export const preparationLead = (life: number): number => Math.min(life / 2, 30 * DAY);

/** It signs with the next key when this much is left. */
export const activationLead = (life: number): number => Math.min(life / 6, 7 * DAY);

/** A SPIRE server polls a peer this often within the refresh hint of the peer's bundle. */
export const POLLS_PER_HINT = 4;

/** The SPIFFE specification has a key published three to five refresh hints before it is used. */
export const HINTS_OF_LEAD = 5;

/** An agent asks its server this often. */
const AGENT_SYNC = 5;

export interface KeyTimes {
  caValidity: number;
  refreshHint: number;
}

export interface KeyTiming {
  /** Impossible where a peer that is never away still learns of a key too late. */
  state: "enough" | "tight" | "impossible";
  about: string;
  /** What would be right; empty where it is enough. */
  cure: string;
}

/** Whether peers, and their workloads, know each new key before a SPIRE server signs with it, and how long they may be away. */
export function judgeKeyTimes({ caValidity, refreshHint }: KeyTimes): KeyTiming {
  const window = preparationLead(caValidity) - activationLead(caValidity);
  const reach = Math.max(refreshHint, REFRESH_HINT.min) / POLLS_PER_HINT + AGENT_SYNC;
  const used = `SPIRE signs with a new key ${duration(window)} after it is published (caValidity ${duration(caValidity)})`;
  if (window < reach) {
    const about = `${used}, and peers know it only after ${formatDuration(Math.ceil(reach))} (refreshHint ${refreshHint})`;
    return { state: "impossible", about, cure: curesFor(reach, POLLS_PER_HINT * (window - AGENT_SYNC)) };
  }
  const about = `${used}, so a peer may be unreachable for ${duration(window - reach)}`;
  const lead = HINTS_OF_LEAD * refreshHint;
  if (window >= lead) return { state: "enough", about, cure: "" };
  const less = `less than ${HINTS_OF_LEAD} refresh hints (${duration(lead)}), which SPIFFE has as the lead of a new key`;
  return { state: "tight", about: `${about}; that is ${less}`, cure: curesFor(lead, window / HINTS_OF_LEAD) };
}

/** @param window that a CA's life should give: a third of it, where it is not longer than six weeks, as all are that lack time */
function curesFor(window: number, hint: number): string {
  const longer = `set caValidity to ${formatDuration(Math.ceil(3 * window))} or more`;
  return hint < REFRESH_HINT.min ? longer : `${longer}, or endpoint.refreshHint to ${Math.floor(hint)} or less`;
}

/** Of what there is at least. */
const duration = (seconds: number): string => formatDuration(Math.floor(seconds));
