/** Looking again and again. */
import { type Outcome, passes } from "./check";
import { OUT_OF_SIGHT } from "./subjects";
import { EXIT } from "../kernel/exit";
import { subjectsOf, type Verification, verifyExit } from "./verification";

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
  const of = (who: string, checks: Verification["members"][number]["checks"]): string[] => {
    const first = checks.find(mayChange);
    return first === undefined ? [] : [`${who}: ${first.code} ${first.title}`];
  };
  return [
    ...members.flatMap(({ member, checks }) => of(member, checks)),
    ...pairs.flatMap(({ member, peer, checks }) => of(`${member} -> ${peer}`, checks)),
    ...peers.flatMap(({ peer, checks }) => of(peer, checks)),
  ].join("; ");
}

/** Whether to look again may show something else; a missing right stays missing, and so does what is out of sight. */
const mayChange = (check: Outcome): boolean =>
  !passes(check.state) &&
  check.state !== "skipped" &&
  !("forbidden" in check) &&
  !(check.state === "unknown" && check.evidence.startsWith(OUT_OF_SIGHT));

/** Whether waiting can help: something doesn't pass, and not only for want of a right. */
export const isWorthWaiting = (verification: Verification): boolean =>
  subjectsOf(verification).some(({ checks }) => checks.some(mayChange));

export const isWell = (verification: Verification): boolean => verifyExit(verification) === EXIT.fine;
