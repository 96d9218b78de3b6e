/** Which key of each kind goes, and what that means for whoever uses it. Pure. */
import { dated, span } from "../kernel/times";
import { KINDS, type Kind } from "../spire/authorities";
import { hopeless } from "./nextStep";
import { type Leaving, NAMES } from "./rotation";
import type { KeySight, Sights } from "./sight";
import { naturalPreparation, rotationMs, settleMs, usualMs } from "./timing";

/**
 * The key that a rotation takes out. One that was begun is finished first, whoever began it: SPIRE's own preparations look
 * like ours, and what is old or prepared is used rather than thrown away.
 */
export function keyToGo({ slots, bundle, peers }: KeySight): { from: string; because: string } | undefined {
  const { active, prepared, old } = slots;
  const isOwn = (id: string): boolean => bundle.some((key) => key.id === id);
  if (old !== undefined && isOwn(old.id)) {
    return { from: old.id, because: "a rotation was begun, by a command or by SPIRE itself: the old key is taken out" };
  }
  const strange = peers.flatMap((peer) => ("because" in peer ? [] : peer.holds)).find((id) => !isOwn(id));
  if (strange !== undefined)
    return { from: strange, because: "the last rotation is not complete: peers still hold its old key" };
  if (active === undefined) return undefined;
  if (prepared === undefined) return { from: active.id, because: "a new key is prepared" };
  return { from: active.id, because: `the key that is prepared already, ${prepared.id}, is used` };
}

/** The kind of a key, by who has it. */
export const kindOf = (id: string, sights: Sights): Kind | undefined =>
  KINDS.find((kind) => {
    const { bundle, peers } = sights[kind];
    return bundle.some((key) => key.id === id) || peers.some((peer) => "holds" in peer && peer.holds.includes(id));
  });

/** `x509 3f9a12… (active)`, for whoever has to name one. */
export const keysOf = (sights: Sights): string[] =>
  KINDS.flatMap((kind) => {
    const { slots, bundle } = sights[kind];
    const slotOf = (id: string): string[] =>
      (["active", "prepared", "old"] as const).filter((name) => slots[name]?.id === id);
    return bundle.map(({ id, tainted }) => {
      const marks = [...slotOf(id), ...(tainted ? ["tainted"] : [])];
      return `${NAMES[kind]} ${id}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`;
    });
  });

/** What is going to happen, for people, before they are asked. */
export function planOf(member: string, leaving: Leaving, sights: Sights): string {
  const lines = KINDS.flatMap((kind) => {
    const from = leaving[kind];
    if (from === undefined) return [];
    const sight = sights[kind];
    const because = hopeless(from, sight);
    if (because !== undefined) return [`  ${NAMES[kind]} authority ${from} stays: ${because}`];
    const chosen = keyToGo(sight);
    return [
      `  ${NAMES[kind]} authority ${from} goes${chosen?.from === from ? `; ${chosen.because}` : ""}`,
      ...clock(sight),
    ];
  });
  const { peers, outside } = sights.x509;
  const names = peers.map((peer) => peer.member).join(", ") || "no member";
  return [
    member,
    ...lines,
    `  Trusted by ${names}${outside.length > 0 ? `; ${outside.join(", ")} cannot be asked: five refresh hints are left to them` : ""}`,
    "  Each new key is used once they and the agents hold it; each old key is tainted, so that agents renew what it",
    `  signed, and is revoked after that. ${losses(leaving, sights)}`,
    "",
  ].join("\n");
}

function clock(sight: KeySight): string[] {
  const { active } = sight.slots;
  const natural = active && naturalPreparation(active, sight);
  const [usual, most] = [span(usualMs(sight)), span(rotationMs(sight))];
  const away = sight.kind === "x509" && usual !== most ? `, and up to ${most} when an agent is away` : "";
  return [
    `    takes about ${usual}${away}${natural === undefined ? "" : `; SPIRE prepares its next key by itself at ${dated(natural)}`}`,
  ];
}

function losses(leaving: Leaving, { jwt }: Sights): string {
  const loaded = "Workloads that read their SVID only when they start have to be restarted after the taint.";
  if (leaving.jwt === undefined) return loaded;
  return `${loaded} JWT-SVIDs of the old key are refused after its revocation, ${span(settleMs("jwt", jwt.timing))} after the taint.`;
}
