/** docs/commands.md, made of the declarations from which parser, help and completion are made. */
import { PROGRAM } from "../../components/shared/names";
import { COMMANDS } from "../../mesh/cli/commandList";
import { type DeclaredCommand, GLOBAL, GROUPS } from "../../mesh/cli/declare";
import { usually } from "../../mesh/cli/help";
import { code, markdownTable } from "./table";

export function commandsPage(): string {
  const groups = GROUPS.map((group) => COMMANDS.filter((one) => one.group === group));
  return `${[HEAD, overview(groups.flat()), COMMON, ...groups.flat().map(section)].join("\n\n")}\n`;
}

const HEAD = `# Commands of \`npx ${PROGRAM}\`

<!-- Made by \`npm run docs\` of the declarations in mesh/cli; edit them there. -->

One command over all stacks of a project: each file \`Pulumi.<stack>.yaml\` is one cluster, a member of the mesh. Without names a command
takes all members; with names it takes those.`;

const COMMON = `## What all commands share

| flag | meaning |
| --- | --- |
${GLOBAL.map((flag) => `| ${code(flag.flags)} | ${flag.description} |`).join("\n")}
| \`-h, --help\`, \`--version\` | Help of the program or of a command; its version |

The result goes to stdout; progress, plans, questions and errors go to stderr. \`-o json\` prints one JSON document, also when the command
fails; \`schema.json\` of the package describes it. \`-o yaml\` prints the same as YAML.

| exit code | meaning |
| --- | --- |
| 0 | all is well |
| 1 | a member failed or is pending, or there are findings |
| 2 | wrong usage, wrong config or no confirmation; nothing was changed |
| 3 | something could not be read or checked |
| 129, 130, 143 | ended by SIGHUP, SIGINT or SIGTERM; the result so far is printed, and the next run continues |`;

const overview = (commands: readonly DeclaredCommand[]): string =>
  markdownTable(
    ["command", "does"],
    commands.map(({ name, summary }) => [`[${code(name)}](#${name})`, summary]),
  );

function section({ name, args, about, flags, asks, examples, exits }: DeclaredCommand): string {
  const lines = Object.entries(examples).flatMap(([line, what]) => [`# ${what}`, `npx ${PROGRAM} ${line}`]);
  const rows = Object.values(flags)
    .filter(({ hidden }) => !hidden)
    .map((flag) => [code(flag.flags), `${flag.description}${usually(flag)}`]);
  if (asks === true) rows.push([code("-y, --yes"), "Don't ask; for CI"]);
  return [
    `## ${name}`,
    code(`npx ${PROGRAM} ${[name, args].filter((word) => word !== "").join(" ")}`),
    about.replaceAll(/(?<!\n)\n(?!\n)/g, " "),
    ["```sh cluster", ...lines, "```"].join("\n"),
    ...(rows.length === 0 ? [] : [markdownTable(["flag", "meaning"], rows)]),
    `Exit codes: ${exits.replaceAll("\n", " ")}.`,
  ].join("\n\n");
}
