/**
 * For how long a SPIRE server has its keys live, when it takes the next one by itself, and whether peers learn of it in time.
 * Pure, all times in seconds.
 *
 * Source: SPIRE 1.14, pkg/server/ca/manager/slot.go `preparationThreshold` and `keyActivationThreshold`, for X.509 and for JWT keys;
 * pkg/server/bundle/client/manager.go `attemptsPerRefreshHint`.
 */
import { parseDuration } from "../shared/duration";

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
