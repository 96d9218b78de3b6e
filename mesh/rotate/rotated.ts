/** The result of `spire-federation rotate` and `revoke`: exit code, and what is left to do. */
import { word } from "../../components/shared/shell";
import { PROGRAM } from "../../components/shared/names";
import { EXIT, type ExitCode } from "../kernel/exit";
import { table } from "../kernel/table";
import { printable } from "../kernel/text";
import { NAMES, type RotatedKey } from "./rotation";

export interface RotatedMember {
  member: string;
  trustDomain: string;
  keys: RotatedKey[];
  /** Trust domains that may trust it and cannot be asked: they drop an old key with their next poll. */
  outside: string[];
}

export const exitOfRotation = (members: readonly RotatedMember[]): ExitCode =>
  members.every(({ keys }) => keys.every(({ state }) => state === "replaced")) ? EXIT.fine : EXIT.findings;

export function printRotated(members: readonly RotatedMember[]): string {
  const rows = members.flatMap(({ member, keys }) =>
    keys.map(({ kind, from, to = "", state }) => [member, NAMES[kind], state, from, to]),
  );
  const left = members.flatMap(({ member, keys }) =>
    keys.flatMap(({ kind, from, state, because }) => {
      if (state === "replaced") return [];
      const again = `npx ${PROGRAM} revoke ${word(member)} --key ${word(from)}`;
      const why = `${member}: ${NAMES[kind]}: ${because.join("; ")}`;
      return [why, ...(state === "waiting" ? [`To go on: ${again}`] : [])];
    }),
  );
  const outside = [...new Set(members.flatMap((one) => one.outside))];
  if (outside.length > 0) left.push(`Nobody can ask these; they fetch the bundle by themselves: ${outside.join(", ")}`);
  return (
    table(["MEMBER", "AUTHORITY", "STATE", "OLD KEY", "ACTIVE KEY"], rows) +
    left.map((line) => `\n${printable(line)}\n`).join("")
  );
}
