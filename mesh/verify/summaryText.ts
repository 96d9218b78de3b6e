/** A verification for a terminal: one row a member, then what is not well, grouped by its cause. Pure. */
import { PROGRAM } from "../../components/shared/names";
import { printable, wrapped } from "../kernel/text";
import { table } from "../kernel/table";
import { passes } from "./check";
import { type Case, type Problem, problemsOf } from "./problems";
import { MARKS, summary, type Verification, type VerifiedMember, type VerifiedPair, wasAsked } from "./verification";

/** Up to so many names, findings and cures are shown. */
const FEW = 3;
/** More members than these do not fit a terminal beside what is not well. */
const MANY = 10;
/** Columns of the terminal. */
const WIDTH = 100;
const NOT_ASKED = "not asked";

/**
 * @param notes also what nobody can mend
 * @param brief of many members only those that are not well
 */
export function printSummary(verification: Verification, notes = false, brief = false): string {
  const { members, pairs } = verification;
  const problems = problemsOf(verification);
  const shown = problems.filter(({ state }) => notes || state !== "note");
  const ofMember = members.map((member) => ({ member, own: pairs.filter((pair) => pair.member === member.member) }));
  const ill = ofMember.filter(({ member, own }) =>
    [member, ...own].some((one) => wasAsked(one) && one.health !== "healthy"),
  );
  const told = brief && members.length > MANY ? ill : ofMember;
  const rows = told.map(({ member, own }) => row(member, own));
  if (told.length < members.length) rows.push([`${members.length - told.length} others`, "healthy"]);
  const first = shown[0]?.cases[0]?.outcome.code;
  const more = [
    ...(first === undefined ? [] : [`Explain a code: npx ${PROGRAM} explain ${first}`]),
    ...(shown.length === problems.length ? [] : ["Show the notes: --notes"]),
  ];
  return printable(
    [
      table(["MEMBER", "SELF", "TRUSTS", "CHECKS", "CERT-ENDS"], rows),
      ...shown.map((problem) => `\n${block(problem)}`),
      `\n${[summary(verification), ...more].join("\n")}\n`,
    ].join(""),
  );
}

function row(member: VerifiedMember, pairs: readonly VerifiedPair[]): string[] {
  const asked = member.checks.filter((check) => check.state !== "skipped" || check.needs !== undefined);
  const passed = asked.filter(({ state }) => passes(state)).length;
  const certificate = member.lifetimes.find(({ kind }) => kind === "endpoint");
  return [
    member.member,
    wasAsked(member) ? member.health : "-",
    trusts(pairs),
    passed > 0 || asked.some(({ state }) => state === "failed")
      ? `${passed}/${asked.length}`
      : asked.length === 0
        ? "-"
        : NOT_ASKED,
    certificate?.notAfter.slice(0, 10) ?? "-",
  ];
}

/** Whom it trusts, in few words however many there are; a mark before each who is not well. */
function trusts(all: readonly VerifiedPair[]): string {
  const pairs = all.filter(wasAsked);
  if (pairs.length === 0) return "-";
  if (pairs.every(({ checks }) => checks.every(({ state }) => state === "skipped"))) return NOT_ASKED;
  const ill = pairs.filter(({ health }) => health !== "healthy");
  const well = pairs.length - ill.length;
  const marked = ill.map(({ peer, health }) => `${MARKS_OF[health]} ${peer}`);
  if (ill.length === 0) return pairs.length > FEW ? `all ${well}` : pairs.map(({ peer }) => peer).join(", ");
  const names = well === 0 ? marked.join(", ") : `all but ${marked.join(", ")}`;
  return ill.length > FEW || names.length > WIDTH / 2 ? `${well} of ${pairs.length}` : names;
}

const MARKS_OF = { healthy: MARKS.ok, pending: MARKS.pending, unhealthy: MARKS.failed, unknown: MARKS.unknown };

function block({ state, cases, consequences, cures, holdsUp }: Problem): string {
  const pairs = owners(consequences).length;
  const because = pairs === 0 ? "" : `, and ${pairs} pair${pairs === 1 ? "" : "s"} because of it`;
  return [
    `${MARKS[state]} ${someOf(owners(cases))}${because}`,
    ...findings(cases, FEW),
    ...findings(consequences, 1),
    ...few(cures, FEW, ({ text }) => label("fix", text)),
    ...(holdsUp === 0 ? [] : [`  ${holdsUp} further check${holdsUp === 1 ? " waits" : "s wait"} for this`]),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

const owners = (cases: readonly Case[]): string[] => [...new Set(cases.flatMap(({ whose }) => whose))];

/** What is the same for several checks is said once, after the last of them. */
function findings(cases: readonly Case[], limit: number): string[] {
  const count = owners(cases).length;
  const codes = [...new Set(cases.map(({ outcome }) => outcome.code))].map((code) => {
    const ofCode = cases.filter(({ outcome }) => outcome.code === code);
    const seen = few(ofCode, limit, ({ whose, outcome: { evidence } }) =>
      label("saw", wrapped(whose.length === count ? evidence : `${someOf(whose)}: ${evidence}`, WIDTH - 7)),
    );
    return { titles: ofCode.slice(0, 1).map(({ outcome }) => `  ${code} ${outcome.title}`), seen: seen.join("\n") };
  });
  return codes.flatMap(({ titles, seen }, index) => [...titles, ...(codes[index + 1]?.seen === seen ? [] : [seen])]);
}

/** Commands are never broken: they are to be pasted. */
const label = (name: string, text: string): string => `  ${name}  ${text.replaceAll("\n", "\n       ")}`;

function few<T>(items: readonly T[], limit: number, line: (item: T) => string): string[] {
  const more = items.length - limit;
  return [...items.slice(0, limit).map(line), ...(more > 0 ? [`       and ${more} more; -o wide shows all`] : [])];
}

function someOf(names: readonly string[]): string {
  const more = names.length - FEW;
  return more > 0 ? `${names.slice(0, FEW).join(", ")} and ${more} more` : names.join(", ");
}
