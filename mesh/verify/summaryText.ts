/** A verification as one row a member, the details of what is not well, and counts. Pure. */
import { PROGRAM } from "../../components/shared/names";
import { printable } from "../kernel/text";
import { table } from "../kernel/table";
import { type Outcome, passes } from "./check";
import {
  type Health,
  MARKS,
  subjectsOf,
  summary,
  type Verification,
  type VerifiedMember,
  type VerifiedPair,
  wasAsked,
} from "./verification";

/** The worst first. */
const HEALTHS: readonly Health[] = ["unhealthy", "unknown", "pending", "healthy"];
/** In which order what is not well is told: what was skipped is told by what it waits for. */
const TOLD: readonly Outcome["state"][] = ["failed", "unknown", "pending", "warn"];
/** Up to so many peers are named one by one. */
const FEW = 3;

export function printSummary(verification: Verification): string {
  const rows = verification.members.map((member) => row(member, verification.pairs));
  const troubles = TOLD.flatMap((state) =>
    subjects(verification).flatMap(({ who, checks }) =>
      checks.filter((check) => check.state === state).map((check) => detail(who, check)),
    ),
  );
  const [first] = TOLD.flatMap((state) =>
    subjectsOf(verification).flatMap(({ checks }) => checks.filter((check) => check.state === state)),
  );
  const more = first === undefined ? "" : `. Explain a code: npx ${PROGRAM} explain ${first.code}`;
  return printable(
    [
      table(["MEMBER", "HEALTH", "CHECKS", "TRUSTS", "CERT-ENDS"], rows),
      ...troubles.map((text) => `\n${text}`),
      `\n${summary(verification)}${more}\n`,
    ].join(""),
  );
}

function row(member: VerifiedMember, all: readonly VerifiedPair[]): string[] {
  const pairs = all.filter((pair) => pair.member === member.member);
  const asked = member.checks.filter((check) => check.state !== "skipped" || check.needs !== undefined);
  const certificate = member.lifetimes.find(({ what }) => what.startsWith("certificate"));
  return [
    member.member,
    HEALTHS.find((health) => [member, ...pairs].some((one) => wasAsked(one) && one.health === health)) ?? "unknown",
    `${asked.filter(({ state }) => passes(state)).length}/${asked.length}`,
    trusts(pairs),
    certificate?.notAfter.slice(0, 10) ?? "-",
  ];
}

function trusts(pairs: readonly VerifiedPair[]): string {
  const well = pairs.filter(({ health }) => health === "healthy").map(({ peer }) => peer);
  const ill = pairs.filter(({ health }) => health !== "healthy").map((pair) => `${pair.peer} (${reason(pair)})`);
  if (pairs.length === 0) return "-";
  if (pairs.length <= FEW) return [...well, ...ill.map((peer) => `not ${peer}`)].join(", ");
  return [`${well.length} of ${pairs.length}`, ...ill.map((peer) => `not ${peer}`)].join(", ");
}

/** The check that says first why. */
function reason({ checks, health }: VerifiedPair): string {
  const found = TOLD.flatMap((state) => checks.filter((check) => check.state === state))[0];
  const skipped = checks.flatMap((check) => (check.state === "skipped" ? (check.needs ?? []) : []))[0];
  return found?.code ?? skipped ?? health;
}

function subjects({ members, pairs, peers }: Verification): { who: string; checks: readonly Outcome[] }[] {
  return [
    ...members.map(({ member, checks }) => ({ who: member, checks })),
    ...pairs.map(({ member, peer, checks }) => ({ who: `${member} -> ${peer}`, checks })),
    ...peers.map(({ peer, checks }) => ({ who: `${peer} (a peer)`, checks })),
  ];
}

function detail(who: string, check: Outcome): string {
  const { state, code, title, evidence, source } = check;
  const lines: [string, string][] = [
    ["saw", evidence],
    ["from", source],
    ...("cure" in check ? ([["fix", check.cure]] as [string, string][]) : []),
  ];
  return [
    `${MARKS[state]} ${who}  ${code} ${title}`,
    ...lines.map(([name, text]) => `  ${name.padEnd(4)}  ${text.replaceAll("\n", "\n        ")}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}
