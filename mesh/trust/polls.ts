/** When a SPIRE server polls a peer next, and what that poll puts right. Pure. */
import { REFRESH_HINT } from "../../components/shared/arguments";
import { POLLS_PER_HINT } from "../../components/spireServer/keyTimes";
import { span } from "../kernel/times";
import type { Polls } from "../spire/serverLog";

/** What is known of a SPIRE server's polls of one peer. */
export interface Polling extends Polls {
  /** Refresh hint of the peer's bundle, as it is held. */
  hint: number | undefined;
  now: Date;
}

/** Where the bundle has no hint (defaultRefreshInterval). */
const WITHOUT_HINT_MS = 300_000;
/** For a slow fetch and for clocks that differ. */
const SLACK_MS = 30_000;

/** Who asks to be polled more seldom than that is judged as if he did not. */
export function intervalOf(hint: number | undefined): number {
  const seconds = hint === undefined ? undefined : Math.min(Math.max(hint, REFRESH_HINT.min), REFRESH_HINT.max);
  return seconds === undefined ? WITHOUT_HINT_MS : (seconds * 1000) / POLLS_PER_HINT;
}

/** Milliseconds until the poll that follows one; undefined when it is overdue. */
function leftAfter(last: Date, { hint, now }: Polling): number | undefined {
  const left = last.getTime() + intervalOf(hint) - now.getTime();
  return left < -SLACK_MS ? undefined : left;
}

const ago = (at: Date, { now }: Polling): string => `${span(now.getTime() - at.getTime())} ago`;

/**
 * A SPIRE server below an upstream CA starts with a new intermediate and a new JWT key when the issuer computes key ids in another way
 * than SPIRE: SPIRE looks its CA journal up by the SHA-1 of its keys, and stores it by the key id in the intermediate
 * (findCAJournal in pkg/server/ca/manager of SPIRE 1.14). cert-manager 1.19 takes SHA-256, as all programs of Go 1.25 do.
 *
 * @param started when the peer's SPIRE server did, below an upstream CA
 * @returns why a missing key comes by itself; undefined where the peer hasn't started since the last poll, or the next one is overdue
 */
export function comesWithNextPoll(polling: Polling, started: Date | undefined): string | undefined {
  const { refreshed, failed } = polling;
  if (refreshed === undefined || started === undefined || started < refreshed) return undefined;
  if (failed !== undefined && failed.at > refreshed) return undefined;
  const left = leftAfter(refreshed, polling);
  if (left === undefined) return undefined;
  return `since its SPIRE server started ${ago(started, polling)}; the next poll, within ${span(left)}, fetches it`;
}

/** @returns why a failed poll passes by itself: the peer's SPIRE server had only started, and the next poll is not overdue */
export function passesWithStart(polling: Polling, failedAt: Date, started: Date | undefined): string | undefined {
  const left = leftAfter(failedAt, polling);
  if (started === undefined || left === undefined) return undefined;
  if (started.getTime() < failedAt.getTime() - intervalOf(polling.hint)) return undefined;
  return `the peer's SPIRE server started ${ago(started, polling)}; the next poll is within ${span(left)}`;
}

/**
 * Whether a JWT key that the peer doesn't have may be one that it has given up since the last poll. JWT keys don't say when
 * they end, and SPIRE takes the peer's whole bundle with each poll: so none of them outlives the next one.
 *
 * @param revoked when the peer revoked a key last, as far as it is known
 * @returns why it may; undefined when it is not so, or the last poll is not known
 */
export function goesWithNextPoll(polling: Polling, revoked: Date | undefined): string | undefined {
  const { refreshed, hint, now } = polling;
  if (refreshed === undefined || (revoked !== undefined && refreshed > revoked)) return undefined;
  const late = now.getTime() - refreshed.getTime();
  if (late > 2 * intervalOf(hint)) return undefined;
  const left = Math.max(0, intervalOf(hint) - late);
  return `its bundle was refreshed ${ago(refreshed, polling)}; a key that the peer has given up since goes with the next poll, within ${span(left)}`;
}

/** @returns since when polls are missing; undefined as long as three have not been missed */
export function overdue(polling: Polling): string | undefined {
  const { refreshed, hint, now } = polling;
  if (refreshed === undefined) return undefined;
  const late = now.getTime() - refreshed.getTime();
  if (late <= 3 * intervalOf(hint) + SLACK_MS) return undefined;
  return `refreshed ${ago(refreshed, polling)}, though SPIRE polls each ${span(intervalOf(hint))}`;
}
