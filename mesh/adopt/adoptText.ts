/** What an adoption does, and what came of it, for people to read. Pure. */
import { printable } from "../kernel/text";
import { describeStep } from "../pulumi/events";
import type { AdoptedMember } from "./adopt";
import type { OwnedObject } from "./ownership";

/** What is going to happen to each member. */
export const printPlans = (members: readonly AdoptedMember[]): string => members.map(planSection).join("\n");

function planSection(member: AdoptedMember): string {
  const { file, kept, owns, leaves, obstacles, errors } = member;
  const of = (state: OwnedObject["state"]): OwnedObject[] => owns.filter((one) => one.state === state);
  const names = (objects: readonly OwnedObject[]): string[] => objects.map(({ object }) => object);
  return section(member, [
    ...kept.map((key) => `${file} and the cluster disagree about ${key}; the file's value is kept`),
    ...listed("taken over as they are:", of("same").map(withSetters)),
    ...listed("the stack's already:", names(of("owned"))),
    ...listed("not there; they will be created:", names(of("missing"))),
    ...listed(
      "set by others and not by the stack; an up that changes the object may remove it:",
      owns.flatMap(({ object, others }) => others.map((one) => `${object}: ${one}`)),
    ),
    ...listed("left as they are, and not the stack's:", leaves),
    ...listed("cannot be taken over as they are:", [
      ...of("differs").flatMap(({ object, differences }) => differences.map((one) => `${object}: ${one}`)),
      ...obstacles.map(({ object, found, cure }) => `${object}: ${found}; ${cure}`),
    ]),
    ...(of("differs").length > 0 ? [`change these objects, or what ${file} says of them, and run adopt again`] : []),
    ...errors,
  ]);
}

const withSetters = ({ object, setBy }: OwnedObject): string =>
  setBy.length === 0 ? object : `${object}, set by ${setBy.join(" and ")}`;

/** What became of each member. */
export const printAdopted = (members: readonly AdoptedMember[]): string =>
  members.map((one) => (one.state === "refused" ? planSection(one) : resultSection(one))).join("\n");

function resultSection(member: AdoptedMember): string {
  const { state, file, owns, waitsFor, disturbed, steps, errors } = member;
  return section(member, [
    `${state}: ${file} and the stack own ${String(owns.length)} objects`,
    ...(waitsFor.length === 0 ? [] : [`pending: ${waitsFor.join(", ")}; adopt or run that stack, then run up`]),
    ...(disturbed.length === 0 ? ["no object was recreated, and the SPIRE server did not restart"] : disturbed),
    ...(steps.length === 0 && errors.length === 0 ? ["a preview shows no changes"] : []),
    ...listed(
      "a preview would still change:",
      steps.map((step) => describeStep(step)),
    ),
    ...errors,
  ]);
}

const section = ({ member, trustDomain }: AdoptedMember, lines: readonly string[]): string => {
  const head = trustDomain === undefined ? member : `${member} (${trustDomain})`;
  return `${printable(head)}\n${lines.map((line) => `  ${printable(line).replaceAll("\n", "\n  ")}\n`).join("")}`;
};

const listed = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
