/** How long the steps of a rotation take, and when SPIRE takes its own. Pure. Figures: SPIRE 1.14, measured. */
import { HINTS_OF_LEAD, preparationLead } from "../../components/spireServer/keyTimes";
import type { Kind } from "../spire/authorities";
import type { Slot } from "../spire/authority";
import type { KeySight, Timing } from "./sight";

/** An agent asks its server twice in this time (each 5 s): after it, own agents know a key that their server has published. */
export const SYNC_MS = 10_000;
/** A SPIRE server renews its own SVID, and with it the endpoint's certificate, this soon after a taint. */
const OWN_SVID_MS = 5000;
/** An agent has at most this many SVIDs signed anew with each sync. */
const SVIDS_PER_SYNC = 100;
/** For commands, and for clocks that differ. */
const SLACK_MS = 60_000;

/** How long peers that nobody can ask need to fetch a new key. */
export const leadMs = ({ hint }: Timing): number => HINTS_OF_LEAD * hint * 1000;

/** How long to wait between taint and revocation, besides for the agents themselves. */
export const settleMs = (kind: Kind, { entries, jwtLife }: Timing): number =>
  kind === "jwt" ? SYNC_MS + jwtLife : OWN_SVID_MS + SYNC_MS * (1 + Math.ceil(entries / SVIDS_PER_SYNC));

/** What has to be free of SPIRE's own preparation after a taint. An agent that is away keeps its SVID to the end. */
export function removalMs({ kind, timing, agents }: KeySight): number {
  const ends = kind === "jwt" ? [] : agents.map(({ expires }) => expires.getTime() - timing.now.getTime());
  return Math.max(settleMs(kind, timing), ...ends) + SLACK_MS;
}

/** How long a rotation takes where nobody lags. */
export const usualMs = ({ kind, timing, outside }: KeySight): number =>
  SYNC_MS + (outside.length > 0 ? leadMs(timing) : 0) + settleMs(kind, timing);

/** How long it may take at most, from the beginning: what has to be free of SPIRE's own preparation. */
export const rotationMs = (sight: KeySight): number =>
  usualMs(sight) - settleMs(sight.kind, sight.timing) + SLACK_MS + removalMs(sight);

/**
 * When SPIRE prepares the authority after this one by itself; undefined when that isn't known.
 *
 * A key keeps the life that it was made with when caValidity changes. Nothing tells that of a JWT key: where SPIRE has let
 * the time pass that caValidity gives, the key has another life.
 */
export function naturalPreparation({ id, expires }: Slot, { bundle, timing }: KeySight): Date | undefined {
  if (expires === undefined) return undefined;
  const made = bundle.find((key) => key.id === id)?.notBefore;
  const life = made === undefined ? timing.lifetime : expires.getTime() - made.getTime();
  const at = expires.getTime() - preparationLead(life / 1000) * 1000;
  return at < timing.now.getTime() - SLACK_MS ? undefined : new Date(at);
}
