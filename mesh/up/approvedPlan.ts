/** The plan that somebody has approved elsewhere, such as in a pull request: what `preview` has written, and `up` is bound to. */
import { readFile } from "node:fs/promises";
import { UsageError } from "../kernel/exit";
import type { PlannedMember } from "../preview/preview";
import { describeStep } from "../pulumi/events";
import { fingerprintsOf } from "../spire/firstRoots";

/**
 * Refuses a plan that is not the approved one.
 *
 * @param file what `preview -o json` has printed
 * @throws UsageError with all that differs, and for a file that is no plan
 */
export async function refuseOtherPlan(file: string, now: readonly PlannedMember[]): Promise<void> {
  const differ = differences(await readPlan(file), new Map(now.map((one) => [one.member, promisesOf(one)])));
  if (differ.length === 0) return;
  const cure = "Nothing was changed; have the plan of a new preview approved";
  throw new UsageError([`the plan is not the one in ${file}. ${cure}`, ...differ].join("\n  "));
}

type Promises = ReadonlyMap<string, readonly string[]>;

async function readPlan(file: string): Promise<Promises> {
  try {
    const { command, schema, members } = JSON.parse(await readFile(file, "utf8")) as {
      command?: unknown;
      schema?: unknown;
      members: PlannedMember[];
    };
    if (command !== "preview" || schema !== 1) throw new Error("it is not what preview -o json prints");
    return new Map(members.map((one) => [one.member, promisesOf(one)]));
  } catch (error) {
    throw new UsageError(`--approved ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function differences(before: Promises, now: Promises): string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].flatMap((name) => {
    const [old, fresh] = [before.get(name), now.get(name)];
    if (old === undefined) return [`${name}: is not in the approved plan`];
    if (fresh === undefined) return [`${name}: is in the approved plan, and not in this one`];
    return [
      ...fresh.filter((one) => !old.includes(one)).map((one) => `${name}: now ${one}`),
      ...old.filter((one) => !fresh.includes(one)).map((one) => `${name}: approved was ${one}`),
    ];
  });
}

/** What a person approves in a plan of a member: all but texts. */
const promisesOf = ({ trust, steps, ...plan }: PlannedMember): string[] => [
  `config ${plan.config}`,
  ...trust.gains.map((gain) => {
    const keys = "roots" in gain ? fingerprintsOf(gain).sort().join(", ") : "keys that are not known";
    const { trustDomain, peer, bundleEndpointUrl, oneWay, from } = gain;
    const how = `${oneWay ? " one way" : ""}${from === undefined ? "" : `, before ${from}`}`;
    return `trust in ${trustDomain} (${peer}) at ${bundleEndpointUrl}${how}, ${keys}`;
  }),
  ...trust.waitsFor.map((peer) => `trust in ${peer} when its endpoint answers`),
  ...trust.loses.map(({ trustDomain, peer }) => `no trust in ${trustDomain} (${peer})`),
  ...trust.overwrites.map((trustDomain) => `no trust in ${trustDomain}`),
  ...steps.map((step) => describeStep(step)),
  ...plan.missingStacks.map((stack) => `a new stack ${stack}`),
  ...(plan.restarts ? ["a restart of its SPIRE server"] : []),
  ...(plan.outputsChange ? ["other outputs"] : []),
  ...(plan.interrupted ? ["an interrupted run to finish"] : []),
  ...(plan.errors.length > 0 ? ["a preview that fails"] : []),
  ...(plan.unread.length > 0 ? ["a stack that cannot be read"] : []),
];
