/** The plan of an up in words: trust first, then restarts, then resources. Pure. */
import { PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { describeSharedRoot } from "../../components/bundle/sharedRoots";
import { printable } from "../kernel/text";
import { KEPT } from "../preview/trustChanges";
import { oneSidedWarning, type TrustGain, workloadLines } from "../preview/preview";
import { describeStep, isLoss, type Step } from "../pulumi/events";
import { describeKeys } from "../spire/firstRoots";
import type { PlannedMember } from "./approval";

export function printPlan(plan: readonly PlannedMember[]): string {
  const domains = new Map(plan.map(({ member, trustDomain }) => [member, trustDomain]));
  const restarting = plan.filter(({ willRestart }) => willRestart).map(({ member }) => member);
  const resources = plan.filter(({ steps, unbuilt, outputsChange }) => unbuilt || outputsChange || steps.length > 0);
  return printable(
    [
      section(
        "Trust",
        plan.flatMap((one) => trustLines(one, domains)),
      ),
      section(
        "Workloads",
        plan.flatMap(({ member, workloads }) => {
          const { gains, unknown } = workloadLines(workloads);
          return [...gains.map((gain) => `+ ${member}: ${gain}`), ...unknown.map((one) => `? ${member}: ${one}`)];
        }),
      ),
      section("Restarts", restarting.length === 0 ? [] : [`SPIRE server of ${restarting.join(", ")}`]),
      section("Resources", resources.flatMap(resourceLines)),
      section(
        "Interrupted runs",
        plan.filter(({ interrupted }) => interrupted).map(({ member }) => `${member}: this run finishes it`),
      ),
      section(
        "Warnings",
        plan.flatMap((one) =>
          [
            ...one.notTrustedBy.map((peer) => oneSidedWarning(peer, one)),
            ...one.sharedRoots.map(describeSharedRoot),
            ...workloadLines(one.workloads).warnings,
          ].map((warning) => `! ${one.member}: ${warning}`),
        ),
      ),
      section(
        "Problems",
        plan.flatMap(({ member, errors, unread }) =>
          [...errors, ...unread].map((error) => `× ${member}: ${indented(error)}`),
        ),
      ),
    ].join(""),
  );
}

/** Every change of a resource. */
export const printDetails = (plan: readonly PlannedMember[]): string =>
  printable(plan.map(({ member, steps }) => section(member, steps.map(stepLine))).join(""));

function trustLines({ member, trust }: PlannedMember, domains: ReadonlyMap<string, string>): string[] {
  return [
    ...trust.gains.map(
      (gain) =>
        `+ ${member} will trust ${gain.trustDomain} (${gain.peer})${gain.oneWay ? " one way" : ""}; ${rootsOf(gain)}`,
    ),
    ...trust.waitsFor.map((peer) => {
      const domain = domains.get(peer);
      return domain === undefined
        ? `… ${member} waits for ${peer}, whose stack has published nothing yet`
        : `+ ${member} will trust ${domain} (${peer}); its roots are not known before its endpoint answers`;
    }),
    ...trust.loses.map(
      ({ peer, trustDomain, now }) =>
        `- ${member} will stop trusting ${trustDomain} (${peer}), ` +
        (now === undefined
          ? `which is no longer among its peers. Its SPIRE server keeps the bundle: npx ${PROGRAM} remove ${word(peer)} deletes it`
          : `whose trust domain is ${now} now. Its SPIRE server keeps the old bundle: npx ${PROGRAM} drift says how to delete it`),
    ),
    ...trust.keeps.map(({ peer, trustDomain }) => `! ${member} keeps trusting ${trustDomain} (${peer}): ${KEPT}`),
  ];
}

const rootsOf = (gain: TrustGain): string =>
  "roots" in gain ? describeKeys(gain) : `its roots are not known yet: ${gain.rootsUnknown}`;

function resourceLines({ member, steps, unbuilt }: PlannedMember): string[] {
  if (unbuilt) return [`${member}  not known yet: its own stack or a peer's does not exist`];
  const counts = new Map<string, number>();
  for (const { op } of steps) counts.set(op, (counts.get(op) ?? 0) + 1);
  const counted = [...counts].map(([op, count]) => `${String(count)} to ${op}`).join(", ");
  return [
    `${member}  ${counted === "" ? "none, only its outputs change" : counted}`,
    ...steps.filter(isLoss).map((step) => `  ${stepLine(step)}`),
  ];
}

const stepLine = (step: Step): string => describeStep(step, step.op.padEnd(7));

const indented = (text: string): string => text.replaceAll("\n", "\n    ");

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `${title}\n${lines.map((line) => `  ${line}\n`).join("")}`;
