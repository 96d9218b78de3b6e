/**
 * The next step of taking one key of a trust domain out of use, from what its servers and its peers' hold now. Pure.
 *
 * It keeps no state of its own, so a run that was interrupted anywhere is taken up by another one. The order is the one
 * that loses nobody: a key is used after everybody who verifies holds it, and goes after nobody uses it any more.
 */
import { span } from "../kernel/times";
import type { Agent } from "../spire/authorities";
import type { Slot } from "../spire/authority";
import type { KeySight, Memory, PeerSight } from "./sight";
import { leadMs, naturalPreparation, removalMs, rotationMs, settleMs, SYNC_MS } from "./timing";

export type NextStep =
  | { step: "prepare" }
  | { step: "activate" | "taint" | "revoke"; key: string }
  /** These members are to fetch the bundle now. */
  | { step: "refresh"; members: string[]; why: string[] }
  | { step: "wait"; for: string[] }
  /** Nothing that can be done here leads on. */
  | { step: "stop"; because: string }
  | { step: "done" };

/** Somebody has yet to get a key. */
type NotYet = Extract<NextStep, { step: "refresh" | "wait" }>;

const BELOW_UPSTREAM =
  "X.509 authority is below an upstream CA: what peers trust is that CA's root, which no command of SPIRE replaces " +
  "(spiffe/spire#6198). Replace the root at the CA itself";

/** @param from the key that is to go */
export function nextStep(from: string, sight: KeySight, memory: Memory): NextStep {
  const { slots, bundle } = sight;
  // Its ids are of intermediates, which are in no bundle.
  if (sight.kind === "x509" && (slots.active?.upstream ?? "") !== "") {
    return { step: "stop", because: `its ${BELOW_UPSTREAM}` };
  }
  const key = bundle.find(({ id }) => id === from);
  if (key === undefined) return gone(from, sight);
  const old = bundle.find(({ id }) => id === slots.old?.id);
  // The next preparation would put it out of reach of every command.
  if (old !== undefined && old.id !== from && slots.active?.id === from) return nextStep(old.id, sight, memory);
  if (slots.active?.id === from) return replace(slots.active, sight, memory);
  if (slots.prepared?.id === from) return introduce(slots.prepared, sight, memory);
  if (old?.id === from) return takeOut(key, sight, memory);
  // Of keys that are in no slot SPIRE revokes tainted JWT keys alone.
  if (sight.kind === "jwt" && key.tainted) return takeOut(key, sight, memory);
  return {
    step: "stop",
    because:
      `${from} is in the bundle, and in no slot of SPIRE any more: a later preparation has replaced it, and no command ` +
      "can take it out. SPIRE drops it by itself 24 to 30 hours after it expires",
  };
}

/** Why a key cannot be taken out; undefined where something can be done. */
export function hopeless(from: string, sight: KeySight): string | undefined {
  const step = nextStep(from, sight, { held: new Map(), tainted: new Map() });
  return step.step === "stop" ? step.because : undefined;
}

/** The own bundle no longer has it: nobody else should. */
function gone(from: string, sight: KeySight): NextStep {
  const holding = sight.peers.filter((peer) => !("because" in peer) && peer.holds.includes(from));
  return fetched(holding, sight, `still hold ${from}`) ?? { step: "done" };
}

function replace(active: Slot, sight: KeySight, memory: Memory): NextStep {
  const { slots, timing } = sight;
  if (slots.prepared !== undefined) return introduce(slots.prepared, sight, memory);
  const natural = naturalPreparation(active, sight);
  const needed = rotationMs(sight);
  if (needed > timing.lifetime / 2) {
    return {
      step: "stop",
      because: `a rotation takes ${span(needed)}, and SPIRE prepares a key by itself each ${span(timing.lifetime / 2)}, which would put the old one out of reach; set a longer caValidity`,
    };
  }
  if (natural === undefined || natural.getTime() - timing.now.getTime() > needed) return { step: "prepare" };
  const left = natural.getTime() - timing.now.getTime();
  const waited = left > 0 ? `in ${span(left)}` : "now";
  return { step: "wait", for: [`SPIRE prepares the next key by itself ${waited}; this one is used`] };
}

/** A prepared key becomes the active one, once everybody can verify what it signs. */
function introduce(prepared: Slot, sight: KeySight, memory: Memory): NextStep {
  // The CA was configured after the active one was made.
  if (sight.kind === "x509" && prepared.upstream !== "") return { step: "stop", because: `its next ${BELOW_UPSTREAM}` };
  const waits = unlessHeld(prepared.id, sight, memory);
  if (waits !== undefined) return waits;
  return { step: "activate", key: prepared.id };
}

/** Undefined once every peer, and every agent of its own, holds the key. */
function unlessHeld(id: string, sight: KeySight, memory: Memory): NotYet | undefined {
  const { peers, bundle, timing, outside } = sight;
  if (!bundle.some((key) => key.id === id)) return { step: "wait", for: [`its own bundle does not have ${id} yet`] };
  const lagging = peers.filter((peer) => !("because" in peer) && !peer.holds.includes(id));
  const step = fetched(lagging, sight, `do not hold ${id} yet`);
  if (step !== undefined) return step;
  const since = memory.held.get(id);
  const left = since === undefined ? SYNC_MS : since.getTime() + SYNC_MS - timing.now.getTime();
  const reasons = left > 0 ? [`the agents fetch ${id}: ${span(left + 999)}`] : [];
  const lead = leadLeft(id, sight);
  if (lead > 0) {
    reasons.push(
      `${outside.join(", ")} cannot be asked, and ${outside.length === 1 ? "has" : "have"} five refresh hints to fetch ${id}: ${span(lead)}`,
    );
  }
  return reasons.length > 0 ? { step: "wait", for: reasons } : undefined;
}

/** Counted from when the key was made, which its certificate or its end tells. */
function leadLeft(id: string, { bundle, slots, outside, timing }: KeySight): number {
  if (outside.length === 0) return 0;
  const slot = [slots.prepared, slots.active].find((one) => one?.id === id);
  const end = slot?.expires?.getTime();
  const made = bundle.find((key) => key.id === id)?.notBefore?.getTime() ?? (end && end - timing.lifetime);
  return made === undefined ? leadMs(timing) : made + leadMs(timing) - timing.now.getTime();
}

/** The old key: tainted, so that nobody goes on with what it signed, and then revoked. */
function takeOut({ id, tainted }: { id: string; tainted: boolean }, sight: KeySight, memory: Memory): NextStep {
  const { slots, timing, kind } = sight;
  const { active } = slots;
  if (active === undefined) return { step: "wait", for: ["its SPIRE server has no active key"] };
  // After the taint, too: it may have been another command's, which asked nobody.
  const waits = unlessHeld(active.id, sight, memory);
  if (!tainted) {
    if (waits !== undefined) return waits;
    // SPIRE revokes a tainted JWT key at any time.
    const natural = kind === "x509" ? naturalPreparation(active, sight) : undefined;
    const free = natural === undefined ? Infinity : natural.getTime() - timing.now.getTime();
    if (free <= 0) return { step: "wait", for: ["SPIRE prepares its next key by itself now"] };
    if (free < removalMs(sight)) {
      return {
        step: "stop",
        because: `SPIRE prepares its next key in ${span(free)}, which puts ${id} out of reach of every command before it could be revoked. SPIRE drops it by itself 24 to 30 hours after it expires`,
      };
    }
    return { step: "taint", key: id };
  }
  const first = memory.tainted.get(id);
  const left =
    first === undefined ? settleMs(kind, timing) : first.at.getTime() + settleMs(kind, timing) - timing.now.getTime();
  const reasons: string[] = [];
  if (left > 0)
    reasons.push(`${kind === "jwt" ? "JWT-SVIDs" : "workloads' SVIDs"} of ${id} are replaced: ${span(left + 999)}`);
  if (kind === "x509") reasons.push(...(first?.agents ?? sight.agents).flatMap((agent) => onOldSvid(agent, sight)));
  if (waits?.step === "refresh") return { ...waits, why: [...waits.why, ...reasons] };
  const all = [...(waits?.for ?? []), ...reasons];
  return all.length > 0 ? { step: "wait", for: all } : { step: "revoke", key: id };
}

/** An agent that missed the taint would lose its way to the server. One whose SVID has ended has lost it before. */
function onOldSvid(before: Agent, { agents, timing }: KeySight): string[] {
  const now = agents.find(({ path }) => path === before.path);
  if (now === undefined || now.serial !== before.serial || now.expires <= timing.now) return [];
  return [`agent ${before.path} has its old SVID until ${now.expires.toISOString().slice(0, 16)}Z`];
}

/** Has peers fetch the bundle, unless there are none; one that cannot be asked may hold anything. */
function fetched(members: readonly PeerSight[], { peers }: KeySight, what: string): NotYet | undefined {
  const unread = peers.flatMap((peer) =>
    "because" in peer ? [`${peer.member} cannot be asked: ${peer.because}`] : [],
  );
  if (members.length === 0) return unread.length > 0 ? { step: "wait", for: unread } : undefined;
  const names = members.map(({ member }) => member);
  return { step: "refresh", members: names, why: [`${names.join(", ")} ${what}`, ...unread] };
}
