/** The program: reads the command line, runs one command, gives the exit code. The only place that knows `process`. */
import { printable } from "../kernel/text";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { PROGRAM } from "../../components/shared/names";
import { EXIT, UsageError } from "../kernel/exit";
import { Interrupted, listenForInterruption, type Listening } from "../kernel/interruption";
import { fromId } from "../members/identity";
import { labels, readMembers, stacksWithFile, withPeers } from "../members/members";
import { PulumiStacks } from "../pulumi/operations";
import { openProject } from "../pulumi/workspace";
import { codes } from "../verify/explain";
import { Asker } from "./asker";
import { readCommandLine, type Run, wantsJson, WrongLine } from "./arguments";
import { coloured } from "./colour";
import { COMMANDS } from "./commandList";
import { candidates, COMPLETE } from "./completion";
import type { Context } from "./context";
import { documentOf } from "./json";
import { openView } from "./progress";

export async function main(argv: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = process;
  let command: string | undefined;
  if (argv[0] === COMPLETE) {
    const known = { stacks: await stacksWithFile("."), codes: codes() };
    stdout.write(
      candidates(COMMANDS, argv.slice(1), known)
        .map((word) => `${word}\n`)
        .join(""),
    );
    return EXIT.fine;
  }
  try {
    const line = readCommandLine(COMMANDS, argv, {
      asks: stdin.isTTY && stderr.isTTY,
      redraws: stdout.isTTY,
    });
    if ("show" in line) {
      stdout.write(line.show);
      return EXIT.fine;
    }
    command = line.command;
    return await run(line);
  } catch (error) {
    const exit = error instanceof UsageError ? EXIT.usage : EXIT.unknown;
    if (error instanceof WrongLine) command = error.command;
    const message = error instanceof Error ? error.message : String(error);
    const stack = argv.includes("--debug") && error instanceof Error ? error.stack : undefined;
    stderr.write(
      `${[PROGRAM, ...(command === undefined ? [] : [command])].join(" ")}: ${printable(stack ?? message)}\n`,
    );
    if (wantsJson(argv)) {
      stdout.write(documentOf({ ...(command === undefined ? {} : { command }), errors: [message] }, exit));
    }
    return exit;
  }
}

async function run(line: Run): Promise<number> {
  const asker = new Asker(process.stdin, process.stderr);
  const closing = [
    () => {
      asker.close();
    },
  ];
  let note = (text: string): void => {
    process.stderr.write(`${printable(text)}\n`);
  };
  const goOn = (because: string): void => {
    note(`Pulumi's backend cannot be asked, so this goes by the stack files alone: ${because}`);
  };
  let interruption: Listening | undefined;
  const context: Context = {
    async open(names, whom, withoutPulumi = false) {
      checkFolder(line.cwd);
      const workspace = await openProject(line.cwd);
      const offline = withoutPulumi ? goOn : undefined;
      const members = whom === "none" ? [] : await readMembers(workspace, names, whom, offline);
      const view = openView(process.stderr, whom === "none" ? names : members.map(({ name }) => name));
      note = (text) => {
        view.note(text);
      };
      const heard = (interruption = listenForInterruption(note));
      closing.push(
        () => {
          heard.close();
        },
        () => {
          view.close();
        },
      );
      return {
        workspace,
        members,
        withPeers: () => withPeers(workspace, members, names, offline && (() => undefined)),
        stacks: new PulumiStacks(
          workspace,
          view,
          heard,
          whom === "none" ? (id) => fromId(id).stack : labels(members),
          line.logDir,
        ),
        interruption: heard,
      };
    },
    note: (text) => {
      note(text);
    },
    redraw: (text) => process.stdout.write(`${CLEAR}${forTerminal(text)}`),
    ask: (question) => asker.ask(question, interruption?.signal),
  };
  try {
    const { exit: found, report, text } = await line.run(context);
    const exit = interruption?.exitCode() ?? found;
    for (const close of closing) close();
    process.stdout.write(line.json ? documentOf(report, exit) : forTerminal(text));
    return exit;
  } catch (error) {
    const exit = interruption?.exitCode();
    if (exit === undefined || !(error instanceof Error)) throw error;
    note(error instanceof Interrupted ? "interrupted; nothing was changed" : error.message);
    if (line.json) process.stdout.write(documentOf({ command: line.command, errors: [error.message] }, exit));
    return exit;
  } finally {
    for (const close of closing) close();
  }
}

/** @throws UsageError where no project is */
function checkFolder(dir: string): void {
  if (["Pulumi.yaml", "Pulumi.yml"].some((file) => existsSync(join(dir, file)))) return;
  throw new UsageError(
    `no Pulumi.yaml in ${resolve(dir)}; run it in the project's folder, or name that folder with --cwd`,
  );
}

/** Node minds NO_COLOR, FORCE_COLOR and TERM=dumb. */
const forTerminal = (text: string): string =>
  process.stdout.isTTY && process.stdout.hasColors() ? coloured(text) : text;

/** Clears the screen, and begins at its top. */
const CLEAR = "\x1b[2J\x1b[H";
