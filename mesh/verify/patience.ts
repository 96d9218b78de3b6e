/** Looking again and again. */
import { type Outcome, passes } from "./check";
import { OUT_OF_SIGHT } from "./subjects";
import { EXIT } from "../kernel/exit";
import { type Verification, verifyExit } from "./verification";

/** How it is looked again. */
export interface Patience {
  look: () => Promise<Verification>;
  /** Whether to look again after this. */
  more: (seen: Verification) => boolean;
  /** Whether the user has interrupted the wait. */
  interrupted: () => boolean;
  /** Between two looks; ends early when the user interrupts. */
  pause: () => Promise<void>;
  /** Is shown each time. */
  show: (seen: Verification) => void;
}

/** @returns what was seen last */
export async function again({ look, more, interrupted, show, pause }: Patience): Promise<Verification> {
  for (;;) {
    const seen = await look();
    show(seen);
    if (!more(seen) || interrupted()) return seen;
    await pause();
    if (interrupted()) return seen;
  }
}

/** What is waited for: of everybody who is not well the first check that doesn't pass. */
export function waitsFor({ members, pairs, peers }: Verification): string {
  // What else is seen of a stack that leads to another cluster is not its own, and waiting does not make it so.
  const lost = new Set(members.flatMap(({ member, checks }) => (checks.some(stays) ? [member] : [])));
  return [
    ...members.map(({ member, checks }) => ({ who: member, of: [member], checks })),
    ...pairs.map(({ member, peer, checks }) => ({ who: `${member} -> ${peer}`, of: [member, peer], checks })),
    ...peers.map(({ peer, checks }) => ({ who: peer, of: [peer], checks })),
  ]
    .filter(({ of, checks }) => !checks.some(stays) && !of.some((name) => lost.has(name)))
    .flatMap(({ who, checks }) => {
      const first = checks.find(mayChange);
      return first === undefined ? [] : [`${who}: ${first.code} ${first.title}`];
    })
    .join("; ");
}

const stays = (check: Outcome): boolean => "stays" in check;

/** Whether to look again may show something else; a missing right stays missing, and so does what is out of sight. */
const mayChange = (check: Outcome): boolean =>
  !passes(check.state) &&
  check.state !== "skipped" &&
  !("forbidden" in check) &&
  !(check.state === "unknown" && check.evidence.startsWith(OUT_OF_SIGHT));

/** Whether waiting can help: something doesn't pass, and not only for want of a right. */
export const isWorthWaiting = (verification: Verification): boolean => waitsFor(verification) !== "";

export const isWell = (verification: Verification): boolean => verifyExit(verification) === EXIT.fine;
