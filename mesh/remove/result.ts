/** The result of `spire-federation remove`: exit code, table, and what the user still has to do. */
import { printable } from "../kernel/text";
import { word } from "../../components/shared/shell";
import { PROGRAM } from "../../components/shared/names";
import { EXIT, type ExitCode } from "../kernel/exit";
import { table } from "../kernel/table";

export interface RemoveMember {
  member: string;
  /** "clean" is what was seen after the last change: no bundle held, no relationship, and no object that asks for one. */
  state: "clean" | "still trusts";
  /** Trust domains that it is to stop trusting. */
  trustDomains: string[];
  /** What was done to that end in this run. */
  did: string[];
  /** Why it still trusts, or what else went wrong. */
  errors: string[];
  warnings: string[];
  /** Whether its cluster could be asked after the last change. */
  asked: boolean;
}

export interface Removal {
  /** The stack that was taken out; what people call the peer, or its trust domain, when it has no stack file here. */
  stack: string;
  trustDomain: string;
  /** Stack files that were changed. */
  files: string[];
  /** Those that stay. */
  members: RemoveMember[];
  /** The one that goes; not there when it has no stack file here. */
  leaver?: RemoveMember;
  destroyed: boolean;
}

/** A leaver that cannot be reached is not a failure; whether it still trusts others is unknown. */
export function exitOf({ members, leaver }: Removal): ExitCode {
  const done = ({ state, errors }: RemoveMember): boolean => state === "clean" && errors.length === 0;
  if (!members.every(done)) return EXIT.findings;
  if (leaver === undefined || done(leaver)) return EXIT.fine;
  return leaver.asked ? EXIT.findings : EXIT.unknown;
}

export function printRemove(removal: Removal): string {
  const { members, leaver } = removal;
  const all = [...members, ...(leaver === undefined ? [] : [leaver])];
  const rows = all.flatMap(({ member, state, trustDomains, did }) => {
    const first = [member, state === "clean" ? state : `${state} ${trustDomains.join(", ")}`];
    const done = did.length === 0 ? ["nothing to do"] : did;
    return done.map((one, index) => [...(index === 0 ? first : ["", ""]), one]);
  });
  const said = all.flatMap(({ member, errors, warnings }) =>
    [...errors, ...warnings.map((warning) => `warning: ${warning}`)].map((text) => `${member}: ${text}`),
  );
  return (
    table(["MEMBER", "STATE", "DONE"], rows) +
    [...said, ...next(removal)].map((line) => `\n${printable(line)}\n`).join("")
  );
}

/** What the user still has to do. */
function next({ stack, trustDomain, files, members, leaver, destroyed }: Removal): string[] {
  const rm = `delete Pulumi.${stack}.yaml and run pulumi stack rm ${word(stack)}`;
  // Once the files are edited, they no longer say who a peer without a file of its own is.
  const [keep, again] =
    leaver === undefined ? ["", word(trustDomain)] : [`keep Pulumi.${stack}.yaml, `, `${word(stack)} again`];
  const trusting = members.filter(({ state }) => state !== "clean").map(({ member }) => member);
  const gone = leaver !== undefined && leaver.state !== "clean" && !leaver.asked;
  return [
    ...(files.length === 0 ? [] : [`Changed files, to be committed: ${files.join(", ")}`]),
    ...(trusting.length === 0
      ? []
      : [`Not finished: ${trusting.join(", ")}. Fix the errors above, ${keep}and run npx ${PROGRAM} remove ${again}`]),
    ...(gone
      ? [`${stack} cannot be reached, and may still trust the others. If it is gone for good, ${rm} --force`]
      : []),
    ...(destroyed
      ? [`Stack ${stack} is destroyed. So that the next npx ${PROGRAM} up does not create it again, ${rm}`]
      : []),
    ...(leaver?.state === "clean" && !destroyed
      ? [`${stack} has left the mesh; npx ${PROGRAM} remove ${word(stack)} --destroy also destroys its stack`]
      : []),
  ];
}
