/** Help of the program and of each command, made of the declarations. Pure. */
import type { Option } from "commander";
import { PROGRAM } from "../../components/shared/names";
import { type DeclaredCommand, GROUPS } from "./declare";

export function helpOfProgram(commands: readonly DeclaredCommand[], flags: readonly Option[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const groups = GROUPS.map((group) => {
    const lines = commands.filter((one) => one.group === group);
    return section(
      `${group}:`,
      lines.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}`),
    );
  });
  return sections([
    "Federate the SPIRE trust domains of OpenShift clusters: one command over all stacks of a project.\n" +
      "Each stack Pulumi.<stack>.yaml is one cluster, a member of the mesh.",
    `Usage: npx ${PROGRAM} <command> [stack...] [flags]`,
    ...groups,
    section("Flags:", flagLines(flags)),
    "Progress, plans and questions go to stderr, the result goes to stdout.\n" +
      "Exit codes: 0 all is well; 1 a member failed or is pending, or findings; 2 wrong usage or config, nothing was changed;\n" +
      "3 something could not be read or checked",
    `Run "npx ${PROGRAM} help <command>" for the flags and examples of a command.`,
  ]);
}

export function helpOfCommand(command: DeclaredCommand, flags: readonly Option[], global: readonly Option[]): string {
  const { name, args, about, examples, exits, seeAlso } = command;
  const shown = Object.entries(examples).flatMap(([line, what]) => [`# ${what}`, `npx ${PROGRAM} ${line}`]);
  return sections([
    about,
    `Usage: npx ${PROGRAM} ${[name, args, "[flags]"].filter((word) => word !== "").join(" ")}`,
    section("Examples:", shown),
    section("Flags:", flagLines(flags)),
    section("Global flags:", flagLines(global)),
    [`Exit codes: ${exits}`, ...(seeAlso === undefined ? [] : [`See also: ${seeAlso}`])].join("\n"),
  ]);
}

const sections = (texts: readonly string[]): string => `${texts.filter((one) => one !== "").join("\n\n")}\n`;

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : [title, ...lines.map((line) => `  ${line}`)].join("\n");

function flagLines(flags: readonly Option[]): string[] {
  const shown = flags.filter(({ hidden }) => !hidden);
  const width = Math.max(0, ...shown.map((flag) => flag.flags.length));
  return shown.map((flag) => `${flag.flags.padEnd(width)}  ${flag.description}${usually(flag)}`);
}

/** What a flag takes, and what it is without being given. */
export function usually({ argChoices, defaultValue, defaultValueDescription }: Option): string {
  const value: unknown = defaultValueDescription ?? defaultValue;
  const isShown = typeof value === "number" || (typeof value === "string" && value !== "");
  return `${argChoices === undefined ? "" : `: ${argChoices.join(", ")}`}${isShown ? ` (default ${value})` : ""}`;
}
