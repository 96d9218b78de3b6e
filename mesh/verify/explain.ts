/** What a check proves and what its failure means, as docs/checks.md has it. Pure. */
import { PROGRAM } from "../../components/shared/names";
import { UsageError } from "../kernel/exit";
import { table } from "../kernel/table";
import { wrapped } from "../kernel/text";
import type { Check, Code } from "./check";
import { memberChecks, pairChecks } from "./checks/all";
import { probeMemberChecks, probePairChecks } from "./checks/probeChecks";
import { precheckChecks } from "./precheck";

export type Described = Pick<
  Check<never>,
  "code" | "title" | "source" | "about" | "verifications" | "needs" | "needsOfPeer"
>;

const probeChecks: Described[] = [...probeMemberChecks, ...probePairChecks].sort((a, b) =>
  a.code.localeCompare(b.code),
);

const isOfMember = (code: Code): boolean => memberChecks.some((check) => check.code === code);

/** All checks, by what they are of. */
export function checkGroups(): [string, readonly Described[]][] {
  return [
    ["Checks of a member", memberChecks],
    ["Checks of a pair: a member and one of its peers", pairChecks],
    ["Checks before the first up: `precheck`", precheckChecks.filter(({ code }) => !isOfMember(code))],
    ["Checks by workloads that are made for it: `--probe`", probeChecks],
  ];
}

export type Explained = Pick<Described, "code" | "title" | "source" | "about" | "needs" | "needsOfPeer">;

const all = (): Described[] => {
  const checks = checkGroups().flatMap(([, described]) => described);
  return checks.filter(({ code }, index) => checks.findIndex((one) => one.code === code) === index);
};

/** Codes of all checks. */
export const codes = (): string[] => all().map(({ code }) => code);

/** @returns the checks of these codes, all for none; @throws UsageError for a code of no check */
export function explained(asked: readonly string[]): Explained[] {
  const wanted = asked.map((code) => code.toUpperCase());
  const unknown = wanted.filter((code) => !codes().includes(code));
  if (unknown.length > 0) {
    throw new UsageError(`${unknown.join(", ")}: no such check; "npx ${PROGRAM} explain" lists all`);
  }
  return all()
    .filter(({ code }) => wanted.length === 0 || wanted.includes(code))
    .map(({ code, title, source, about, needs = [], needsOfPeer = [] }) => ({
      code,
      title,
      source,
      about,
      needs,
      needsOfPeer,
    }));
}

export function printExplained(checks: readonly Explained[], inFull: boolean): string {
  if (!inFull)
    return table(
      ["CODE", "WHAT IS TRUE WHEN IT PASSES"],
      checks.map(({ code, title }) => [code, title]),
    );
  return checks.map(section).join("\n");
}

function section({ code, title, source, about, needs = [], needsOfPeer = [] }: Explained): string {
  const all = [...needs, ...needsOfPeer.map((one) => `${[one].flat().join(" or ")} of the peer`)];
  const needed = all.length === 0 ? "" : `Asked only after ${all.join(", ")} passed.\n`;
  return `${code}  ${title}\n\n${wrapped(about)}\n\nSeen from ${source}.\n${needed}`;
}
