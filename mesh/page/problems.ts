/** What is wrong, put together by what cures it, and in the order in which to go about it. Pure. */
import type { Outcome } from "../verify/check";
import type { Verification } from "../verify/verification";
import { pairName } from "./words";

export type ProblemState = "failed" | "pending" | "unknown";

/** One thing that a check has found, and in whom it is the same. */
export interface Case {
  whose: string[];
  outcome: Outcome;
}

/** One thing to do; or, where nobody has said what to do, one cause. */
export interface Problem {
  state: ProblemState;
  cases: Case[];
  cure?: string;
  /** Checks that were not asked because of this. */
  holdsUp: number;
}

const ORDER: readonly ProblemState[] = ["failed", "pending", "unknown"];

/** A member's or a pair's checks, and those of others that they may have needed. */
interface Subject {
  name: string;
  checks: readonly Outcome[];
  needed: readonly Subject[];
}

export function problemsOf(verification: Verification): Problem[] {
  const subjects = subjectsOf(verification);
  const heldUp = countHeldUp(subjects);
  const problems = new Map<string, Problem>();
  for (const { name, checks } of subjects) {
    for (const outcome of checks) {
      const { state } = outcome;
      if (state === "ok" || state === "skipped") continue;
      const cure = "cure" in outcome ? outcome.cure : undefined;
      const key = JSON.stringify([state, cure ?? "", cure === undefined ? outcome.evidence : ""]);
      const problem = problems.get(key) ?? { state, cases: [], holdsUp: 0, ...(cure === undefined ? {} : { cure }) };
      addCase(problem.cases, name, outcome);
      problem.holdsUp += heldUp.get(outcome) ?? 0;
      problems.set(key, problem);
    }
  }
  return [...problems.values()].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.holdsUp - a.holdsUp,
  );
}

function subjectsOf({ members, pairs }: Verification): Subject[] {
  const ofMember = new Map(
    members.map(({ member, checks }) => [member, { name: member, checks, needed: [] } satisfies Subject]),
  );
  return [
    ...ofMember.values(),
    ...pairs.map((pair) => ({
      name: pairName(pair),
      checks: pair.checks,
      needed: [pair.member, pair.peer].flatMap((name) => ofMember.get(name) ?? []),
    })),
  ];
}

function addCase(cases: Case[], name: string, outcome: Outcome): void {
  const same = cases.find((one) => one.outcome.code === outcome.code && one.outcome.evidence === outcome.evidence);
  if (same === undefined) cases.push({ whose: [name], outcome });
  else same.whose.push(name);
}

/** A check that was not asked is laid to all that it needs and that did not pass: its own subject's, or those of both ends. */
function countHeldUp(subjects: readonly Subject[]): Map<Outcome, number> {
  const heldUp = new Map<Outcome, number>();
  for (const subject of subjects) {
    for (const check of subject.checks) {
      if (check.state !== "skipped" || check.needs === undefined) continue;
      for (const cause of causes(check.needs, subject)) heldUp.set(cause, (heldUp.get(cause) ?? 0) + 1);
    }
  }
  return heldUp;
}

function causes(code: Outcome["code"], subject: Subject): Outcome[] {
  return [subject, ...subject.needed]
    .flatMap(({ checks }) => checks)
    .filter((one) => one.code === code && one.state !== "ok" && one.state !== "skipped");
}
