/** What is wrong, put together by what cures it, and in the order in which to go about it. Pure. */
import { type Outcome, passes } from "./check";
import { endpointCodes } from "./resting";
import { pairName, type Verification } from "./verification";

export type ProblemState = "failed" | "pending" | "unknown" | "warn" | "note";

/** One thing that a check has found, and in whom it is the same. */
export interface Case {
  whose: string[];
  outcome: Outcome;
}

export interface Cure {
  whose: string[];
  text: string;
}

/** What has one cause, as far as that can be told. */
export interface Problem {
  state: ProblemState;
  cases: Case[];
  /** What pairs have because of it. */
  consequences: Case[];
  /** None where nobody has said what to do. */
  cures: Cure[];
  /** Checks that were not asked because of this. */
  holdsUp: number;
}

const ORDER: readonly ProblemState[] = ["failed", "pending", "unknown", "warn", "note"];
/** What a member has of a peer by the peer's endpoint alone. */
const BY_ENDPOINT: readonly string[] = ["MESH211", "MESH212", "MESH213"];

/** A member's or a pair's checks, and those of others that they may have needed. */
interface Subject {
  name: string;
  /** Of a pair. */
  peer?: string;
  checks: readonly Outcome[];
  needed: readonly Subject[];
}

/** `peer` is set for a problem of a pair. */
type Found = Problem & { peer?: string | undefined };

export function problemsOf(verification: Verification): Problem[] {
  const subjects = subjectsOf(verification);
  const heldUp = countHeldUp(subjects);
  const found = subjects.flatMap((subject) =>
    subject.checks.flatMap((outcome) => problemOf(subject, outcome, heldUp.get(outcome) ?? 0)),
  );
  return withConsequences(together(together(found, sameCure), sameChecks)).sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.holdsUp - a.holdsUp,
  );
}

function problemOf({ name, peer }: Subject, outcome: Outcome, holdsUp: number): Found[] {
  const { state } = outcome;
  if (state === "ok" || state === "skipped") return [];
  const cures = "cure" in outcome ? [{ whose: [name], text: outcome.cure }] : [];
  return [{ state, cases: [{ whose: [name], outcome }], consequences: [], cures, holdsUp, peer }];
}

/** Problems with the same cure, or the same reason for not being seen. */
function sameCure({ state, cases, cures }: Found): unknown[] {
  return [state, cures.length > 0 ? cures.map(({ text }) => text) : cases.map(({ outcome }) => outcome.evidence)];
}

/** The same checks of several members, or of several pairs with one peer: most likely the peer is the cause. */
function sameChecks({ state, cases, peer }: Found): unknown[] {
  return [state, peer, cases.map(({ outcome }) => outcome.code)];
}

/** A peer whose endpoint fails is the cause when its bundle does not reach the others, and its cure is theirs. */
function withConsequences(problems: readonly Found[]): Found[] {
  const left = new Set(problems);
  for (const problem of problems) {
    const { cases, peer } = problem;
    if (peer === undefined || !cases.every(({ outcome }) => BY_ENDPOINT.includes(outcome.code))) continue;
    const causes = [...left].filter((one) => one.state === "failed" && one.peer === undefined);
    const cause = causes.find((one) =>
      one.cases.some(({ whose, outcome }) => whose.includes(peer) && endpointCodes.has(outcome.code)),
    );
    if (cause === undefined) continue;
    left.delete(problem);
    cause.consequences.push(...cases);
    cause.holdsUp += problem.holdsUp;
  }
  return [...left];
}

/** Merges problems that share a key. */
function together(problems: readonly Found[], keyOf: (problem: Found) => unknown[]): Found[] {
  const groups = new Map<string, Found>();
  for (const problem of problems) {
    const key = JSON.stringify(keyOf(problem));
    const group = groups.get(key);
    groups.set(key, group === undefined ? problem : both(group, problem));
  }
  return [...groups.values()];
}

function both(one: Found, other: Found): Found {
  return {
    state: one.state,
    cases: joined([...one.cases, ...other.cases], ({ outcome: { code, evidence } }) => [code, evidence]),
    consequences: [],
    cures: joined([...one.cures, ...other.cures], ({ text }) => [text]),
    holdsUp: one.holdsUp + other.holdsUp,
    peer: one.peer === other.peer ? one.peer : undefined,
  };
}

/** Merges items that share a key; the merged item belongs to all their owners. */
function joined<T extends { whose: string[] }>(items: readonly T[], keyOf: (item: T) => string[]): T[] {
  const groups = new Map<string, T>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const whose = [...(groups.get(key)?.whose ?? []), ...item.whose];
    groups.set(key, { ...item, whose: [...new Set(whose)] });
  }
  return [...groups.values()];
}

function subjectsOf({ members, pairs, peers }: Verification): Subject[] {
  const ofMember = new Map(
    [...members, ...peers.map(({ peer, checks }) => ({ member: peer, checks }))].map(({ member, checks }) => [
      member,
      { name: member, checks, needed: [] } satisfies Subject,
    ]),
  );
  return [
    ...ofMember.values(),
    ...pairs.map((pair) => ({
      name: pairName(pair),
      peer: pair.peer,
      checks: pair.checks,
      needed: [pair.member, pair.peer].flatMap((name) => ofMember.get(name) ?? []),
    })),
  ];
}

/** Counts, for each check that did not pass, the checks that were skipped because of it. */
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
    .filter((one) => one.code === code && !passes(one.state) && one.state !== "skipped");
}
