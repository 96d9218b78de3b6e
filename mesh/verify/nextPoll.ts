/** Whether SPIRE's next poll of a peer puts right what is missing since the peer's SPIRE server started. Pure. */
import { see } from "./check";
import { span } from "./times";
import { fact, type PairView } from "./subjects";

/** SPIRE polls a peer this often within the refresh hint that the peer's bundle had (attemptsPerRefreshHint). */
const POLLS_PER_HINT = 4;
const MIN_HINT_MS = 60_000;
/** For a slow fetch and for clocks that differ. */
const SLACK_MS = 30_000;

/**
 * A SPIRE server below an upstream CA starts with a new intermediate and a new JWT key when the issuer computes key ids in another way
 * than SPIRE: SPIRE looks its CA journal up by the SHA-1 of its keys, and stores it by the key id in the intermediate
 * (findCAJournal in pkg/server/ca/manager of SPIRE 1.14). cert-manager 1.19 takes SHA-256, as all programs of Go 1.25 do.
 *
 * @param refreshHint of the peer's bundle, as it is held
 * @returns why this will pass; undefined where the peer hasn't started since the last poll, or the next poll is overdue or not known
 */
export function untilNextPoll(view: PairView, refreshHint?: number): string | undefined {
  if ("because" in view.facts || "because" in view.facts.seen.polls || "because" in view.peer.started) return undefined;
  const { refreshed, failed } = fact(view, "polls").get(see(view.peer.trustDomain)) ?? {};
  const started = view.peer.started.seen;
  if (refreshed === undefined || refreshHint === undefined || started === undefined) return undefined;
  if (started < refreshed || (failed !== undefined && failed.at > refreshed)) return undefined;
  const every = intervalOf(refreshHint);
  const left = refreshed.getTime() + every - view.now.getTime();
  if (left < -SLACK_MS) return undefined;
  const ago = span(view.now.getTime() - started.getTime());
  return `since its SPIRE server started ${ago} ago; the next poll, within ${span(left)}, fetches it`;
}

const intervalOf = (refreshHint: number): number => Math.max(refreshHint * 1000, MIN_HINT_MS) / POLLS_PER_HINT;

/** @returns why a failed poll passes by itself: the peer's SPIRE server had only started, and the next poll is not overdue */
export function passesWithStart(view: PairView, failedAt: Date, refreshHint: number | undefined): string | undefined {
  const { serverStart } = view.peer;
  if (refreshHint === undefined || "because" in serverStart || serverStart.seen === undefined) return undefined;
  const every = intervalOf(refreshHint);
  const left = failedAt.getTime() + every - view.now.getTime();
  if (left < -SLACK_MS || serverStart.seen.getTime() < failedAt.getTime() - every) return undefined;
  const ago = span(view.now.getTime() - serverStart.seen.getTime());
  return `the peer's SPIRE server started ${ago} ago; the next poll is within ${span(left)}`;
}
