/** The program: reads the command line, runs one command, gives the exit code. The only place that knows `process`. */
import { PROGRAM } from "../../components/shared/names";
import { EXIT, UsageError } from "../kernel/exit";
import { listenForInterruption, withoutResult } from "../kernel/interruption";
import { redactedText } from "../kernel/redactedText";
import { printable } from "../kernel/text";
import { Asker } from "./asker";
import { formatOf, readCommandLine, type Run, WrongLine } from "./arguments";
import { coloured } from "./colour";
import { COMMANDS } from "./commandList";
import { candidates, COMPLETE } from "./completion";
import type { Context } from "./context";
import { documentIn } from "./json";
import { Screen } from "./screen";
import type { Opened } from "./session";

export async function main(argv: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = process;
  let command: string | undefined;
  if (argv[0] === COMPLETE) {
    stdout.write((await candidates(COMMANDS, argv.slice(1))).map((word) => `${word}\n`).join(""));
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
    const message = redactedText(error instanceof Error ? error.message : String(error));
    const stack = argv.includes("--debug") && error instanceof Error ? redactedText(error.stack ?? message) : undefined;
    stderr.write(
      `${[PROGRAM, ...(command === undefined ? [] : [command])].join(" ")}: ${printable(stack ?? message)}\n`,
    );
    const format = formatOf(argv);
    const failure = { ...(command === undefined ? {} : { command }), errors: [message] };
    if (format !== undefined) stdout.write(await documentIn(format, failure, exit));
    return exit;
  }
}

async function run(line: Run): Promise<number> {
  const asker = new Asker(process.stdin, process.stderr);
  const screen = new Screen(process.stdout);
  let opened: Opened | undefined;
  const note = (text: string): void => {
    if (opened === undefined) process.stderr.write(`${printable(text)}\n`);
    else opened.view.note(text);
  };
  const done = new Set<string>();
  const made = (what: string): (() => void) => {
    done.add(what);
    return () => done.delete(what);
  };
  const interruption = listenForInterruption(note, () => [...done]);
  const forTerminal = (text: string): string =>
    line.global.color && screen.hasColours(process.env) ? coloured(text) : text;
  const context: Context = {
    async open(names, whom, withoutPulumi = false) {
      const { open } = await import("./session");
      opened = await open(line.global, names, whom, withoutPulumi, interruption, note);
      return opened.session;
    },
    dir: line.global.cwd,
    signal: interruption.signal,
    note,
    did(what) {
      made(what);
      note(what);
    },
    made,
    redraw: (text) => {
      screen.redraw(text, forTerminal);
    },
    ask: (question) => asker.ask(question, interruption.signal),
  };
  const close = (): void => {
    interruption.close();
    asker.close();
    opened?.view.close();
    screen.close();
  };
  try {
    const { exit: found, report, text, raw = false } = await line.run(context);
    const exit = interruption.exitCode() ?? found;
    close();
    const shown = raw ? text : forTerminal(text);
    process.stdout.write(line.format === undefined ? shown : await documentIn(line.format, report, exit));
    return exit;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    error.message = redactedText(withoutResult(error, [...done]));
    const exit = interruption.exitCode();
    if (exit === undefined) throw error;
    note(error.message);
    if (line.format !== undefined) {
      const failure = { command: line.command, errors: [error.message] };
      process.stdout.write(await documentIn(line.format, failure, exit));
    }
    return exit;
  } finally {
    close();
  }
}
