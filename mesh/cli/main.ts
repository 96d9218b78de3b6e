/** The program: reads the command line, runs one command, gives the exit code. The only place that knows `process`. */
import { createInterface } from "node:readline/promises";
import { PROGRAM } from "../../components/names";
import { openProject } from "../pulumi/workspace";
import { type CommandLine, HELP, readCommandLine } from "./arguments";
import { RUN } from "./commands";
import { EXIT, type ExitCode, UsageError } from "../kernel/exit";
import { listenForInterruption } from "../kernel/interruption";
import { labels, readMembers } from "../members/members";
import { PulumiStacks } from "../pulumi/operations";
import { openView } from "./progress";

export async function main(argv: readonly string[]): Promise<ExitCode> {
  const debug = argv.includes("--debug");
  try {
    const line = readCommandLine(argv, { input: process.stdin.isTTY, output: process.stdout.isTTY });
    if (line !== undefined) return await run(line);
    process.stdout.write(HELP);
    return EXIT.fine;
  } catch (error) {
    const known = error instanceof UsageError;
    const text = error instanceof Error ? ((debug ? error.stack : undefined) ?? error.message) : String(error);
    process.stderr.write(`${PROGRAM}: ${text}\n`);
    return known ? EXIT.usage : EXIT.unknown;
  }
}

async function run({ command, names, values, parallel }: CommandLine): Promise<ExitCode> {
  const workspace = await openProject(values.cwd);
  const members = await readMembers(workspace, names, command === "remove" ? "all" : "named");
  const view = openView(
    process.stderr,
    members.map(({ name }) => name),
  );
  const note = (line: string): void => {
    view.note(line);
  };
  const interruption = listenForInterruption(note);
  try {
    return await RUN[command]({
      names,
      values,
      parallel,
      workspace,
      members,
      stacks: new PulumiStacks(workspace, view, interruption, labels(members)),
      interruption,
      note,
      print: (report, table) => {
        view.close();
        process.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : table);
      },
      redraw: (text) => process.stdout.write(`${CLEAR}${text}`),
      ask: askForYes,
    });
  } finally {
    interruption.close();
    view.close();
  }
}

/** Anything but a yes is a no; so is the end of the input, and Ctrl-C. */
async function askForYes(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((done) => {
    terminal.once("close", () => {
      done("");
    });
  });
  const answer = await Promise.race([terminal.question("Go on? [y/N] "), ended]).catch(() => "");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Clears the screen, and begins at its top. */
const CLEAR = "\x1b[2J\x1b[H";
