/** The plan of an up in words: trust first, then restarts, then resources. Pure. */
import { PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { describeSharedRoot } from "../../components/bundle/sharedRoots";
import { printable } from "../kernel/text";
import type { PlannedMember, TrustGain } from "../preview/preview";
import { KEPT } from "../preview/trustChanges";
import { describeStep, isLoss } from "../pulumi/events";
import { describeFederating } from "../spire/federating";
import { describeKeys } from "../spire/firstRoots";

type Members = readonly PlannedMember[];

/** @param details with every change of a resource, instead of their number */
export function printPlan(plan: Members, details = false): string {
  const lines = (
    of: Members,
    textsOf: (one: PlannedMember) => readonly string[],
    mark = "",
    itself?: string,
  ): string[] => grouped(of, textsOf).map(([text, members]) => `${mark}${named(members, plan, itself)}${text}`);
  const restarting = plan.filter(({ restarts }) => restarts);
  const changing = plan.filter(({ steps, outputsChange }) => outputsChange || steps.length > 0);
  return printable(
    [
      section("Trust", [
        ...meshLines(plan),
        ...grouped(plan, (one) => trustTexts(one, plan)).map(([text, members]) => trustLine(text, members, plan)),
      ]),
      section("Workloads", [
        ...lines(plan, ({ workloads }) => workloads.served.map(servedText), "+ "),
        ...lines(
          plan,
          ({ workloads }) => workloads.unknown.map((why) => `: effect on workloads unknown: ${why}`),
          "? ",
        ),
      ]),
      section("Restarts", restarting.length === 0 ? [] : [`SPIRE server of ${named(restarting, plan)}`]),
      section("Resources", [...lines(changing, (one) => [resourceText(one, details)]), ...missingLine(plan)]),
      section(
        "Interrupted runs",
        lines(plan, ({ interrupted }) => (interrupted ? [": this run finishes it"] : [])),
      ),
      section("Warnings", lines(plan, warningsOf, "! ")),
      section(
        "Problems",
        lines(plan, ({ errors, unread }) => [...errors, ...unread].map((error) => `: ${indented(error)}`), "× "),
      ),
      plan.some(({ changes }) => changes) ? "" : "nothing to change\n",
    ].join(""),
  );
}

/** What several members have in common is said once, where the first of them has it. */
function grouped<T>(plan: Members, textsOf: (one: PlannedMember) => readonly T[]): [T, PlannedMember[]][] {
  const groups = new Map<string, [T, PlannedMember[]]>();
  for (const one of plan) {
    for (const text of textsOf(one)) {
      const key = JSON.stringify(text);
      const group = groups.get(key) ?? [text, []];
      group[1].push(one);
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

/** So many are named; more are counted where they are all, or all but a few. */
const FEW = 5;

/** @param itself a member that cannot be among them */
function named(members: Members, plan: Members, itself?: string): string {
  const names = members.map(({ member }) => member);
  const others = plan.map(({ member }) => member).filter((name) => name !== itself && !names.includes(name));
  if (names.length <= FEW || others.length >= FEW) return names.join(", ");
  const other = itself === undefined ? "" : "other ";
  return others.length === 0
    ? `all ${String(names.length)} ${other}members`
    : `all ${other}members but ${others.join(", ")}`;
}

/** A change of trust: its mark, whom it is about, and what is said. */
interface TrustText {
  mark: string;
  peer: string;
  text: string;
}

const trustLine = ({ mark, peer, text }: TrustText, members: Members, plan: Members): string =>
  `${mark} ${named(members, plan, plan.some(({ member }) => member === peer) ? peer : undefined)} ${text}`;

function trustTexts({ member, trust }: PlannedMember, plan: Members): TrustText[] {
  const domains = new Map(plan.map((one) => [one.member, one.trustDomain]));
  const inMesh = meshOf(plan).names;
  return [
    ...trust.gains.map((gain) => ({
      mark: gain.from === undefined ? "+" : "~",
      peer: gain.peer,
      text: gainText(gain),
    })),
    ...trust.waitsFor
      .filter((peer) => !(inMesh.includes(member) && inMesh.includes(peer)))
      .map((peer) => {
        const domain = domains.get(peer);
        return domain === undefined
          ? { mark: "…", peer, text: `will wait for ${peer}, whose stack has published nothing yet` }
          : {
              mark: "+",
              peer,
              text: `will trust ${domain} (${peer}); its keys are not known before its endpoint answers`,
            };
      }),
    ...trust.loses.map(({ peer, trustDomain, now }) => ({
      mark: "-",
      peer,
      text:
        `will stop trusting ${trustDomain} (${peer}), ` +
        (now === undefined
          ? `which is no longer among its peers. Its SPIRE server keeps the bundle: npx ${PROGRAM} remove ${word(trustDomain)} deletes it`
          : `whose trust domain is ${now} now. ${KEEPS}`),
    })),
    ...trust.overwrites.map((trustDomain) => ({
      mark: "-",
      peer: "",
      text: `will stop trusting ${trustDomain}, which somebody else lists in its SpireServer: spireServer.takeOver overwrites that. ${KEEPS}`,
    })),
    ...trust.keeps.map(({ peer, trustDomain }) => ({
      mark: "!",
      peer,
      text: `will keep trusting ${trustDomain} (${peer}): ${KEPT}`,
    })),
  ];
}

const KEEPS = `Its SPIRE server keeps the old bundle: npx ${PROGRAM} drift says how to delete it`;

function gainText(gain: TrustGain): string {
  const { peer, trustDomain, bundleEndpointUrl, from, oneWay } = gain;
  const keys = "roots" in gain ? describeKeys(gain) : `its keys are not known yet: ${gain.rootsUnknown}`;
  return from === undefined
    ? `will trust ${trustDomain} (${peer})${oneWay ? " one way" : ""} at ${bundleEndpointUrl}; ${keys}`
    : `will fetch the bundle of ${trustDomain} (${peer}) anew, from ${bundleEndpointUrl} instead of ${from}; ${keys}`;
}

/** Members that begin to trust each other in this run: all of them, or nearly all pairs. */
function meshOf(plan: Members): { names: string[]; except: string[] } {
  const waits = new Map(plan.map(({ member, trust }) => [member, trust.waitsFor]));
  const names = plan.flatMap(({ member, trust }) => (trust.waitsFor.some((peer) => waits.has(peer)) ? [member] : []));
  const except = names.flatMap((member) =>
    names.filter((peer) => peer !== member && !waits.get(member)?.includes(peer)).map((peer) => `${member} → ${peer}`),
  );
  return names.length > FEW && except.length < names.length ? { names, except } : { names: [], except: [] };
}

/** A new mesh of 50 has 2450 pairs. */
function meshLines(plan: Members): string[] {
  const { names, except } = meshOf(plan);
  if (names.length === 0) return [];
  const members = plan.filter(({ member }) => names.includes(member));
  return [
    `+ ${named(members, plan)} will trust each other; their keys are not known before their endpoints answer`,
    ...(except.length === 0 ? [] : [`  ${String(except.length)} exceptions: ${except.join(", ")}`]),
  ];
}

const servedText = (one: PlannedMember["workloads"]["served"][number]): string =>
  `: ${describeFederating(one)} will get identities: it federates with ${one.trustDomains.join(", ")}`;

const warningsOf = (one: PlannedMember): string[] => [
  ...one.notTrustedBy.map(
    (peer) =>
      `: ${peer} will not trust ${one.trustDomain}, since ${one.member} is not among its peers. Add it there, or set trust: oneway for ` +
      `${peer} in the peers of ${one.member}`,
  ),
  ...one.sharedRoots.map((root) => `: ${describeSharedRoot(root)}`),
  ...one.workloads.refused.map(
    (object) =>
      `: ${describeFederating(object)} gets no identities: it federates with ${object.missing.join(", ")}, which this cluster is ` +
      "not told to trust. Add the peer, or remove it from federatesWith",
  ),
];

function resourceText({ steps }: PlannedMember, details: boolean): string {
  const counts = new Map<string, number>();
  for (const { op } of steps) counts.set(op, (counts.get(op) ?? 0) + 1);
  const counted = [...counts].map(([op, count]) => `${String(count)} to ${op}`).join(", ");
  const shown = steps.filter((step) => details || isLoss(step));
  return [
    `  ${counted === "" ? "none, only its outputs change" : counted}`,
    ...shown.map((step) => describeStep(step, step.op.padEnd(7))),
  ].join("\n    ");
}

/** Pulumi previews no stack before it and its peers' stacks exist. */
function missingLine(plan: Members): string[] {
  const missing = [...new Set(plan.flatMap(({ missingStacks }) => missingStacks))];
  const stacks =
    missing.length > FEW
      ? `${String(missing.length)} stacks`
      : `stack${missing.length > 1 ? "s" : ""} ${missing.join(", ")}`;
  return missing.length === 0 ? [] : [`more changes are known only after up has created ${stacks}`];
}

const indented = (text: string): string => text.replaceAll("\n", "\n    ");

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `${title}\n${lines.map((line) => `  ${line}\n`).join("")}`;
