/** Reads the command line; the only file that knows commander's parser. Runs nothing. */
import { Command, CommanderError, Option } from "commander";
import { PROGRAM } from "../../components/shared/names";
import { version } from "../kernel/version";
import { UsageError } from "../kernel/exit";
import type { Context, Result } from "./context";
import { type DeclaredCommand, onOff } from "./declare";
import { helpOfCommand, helpOfProgram } from "./help";

/** What the command line asks for. */
export type CommandLine =
  /** To read something, such as help. */
  { show: string } | Run;

export interface Run {
  command: string;
  /** Operands: names of stacks. */
  words: readonly string[];
  flags: Readonly<Record<string, unknown>>;
  /** The result is printed as JSON. */
  json: boolean;
  cwd: string;
  /** A folder for what Pulumi prints. */
  logDir: string | undefined;
  run(context: Context): Promise<Result>;
}

/** Where the program runs. */
export interface Terminals {
  /** The user can be asked, and sees the question. */
  asks: boolean;
  /** What is printed can be redrawn. */
  redraws: boolean;
}

/** A wrong command line, and of which command. */
export class WrongLine extends UsageError {
  constructor(
    message: string,
    readonly command?: string,
  ) {
    super(message);
  }
}

/** @throws WrongLine */
export function readCommandLine(
  commands: readonly DeclaredCommand[],
  argv: readonly string[],
  terminals: Terminals,
): CommandLine {
  let shown = "";
  let run: Run | undefined;
  const quiet = {
    writeOut: (said: string) => (shown += said),
    writeErr: () => undefined,
    outputError: () => undefined,
  };
  const global = [
    new Option("-C, --cwd <dir>", "Folder of the project").default("."),
    new Option("--log-dir <dir>", "Keep what Pulumi prints, in a file for each run"),
    onOff("--debug", "Print stack traces of errors"),
  ];
  const program = refusing(new Command(PROGRAM))
    .configureOutput(quiet)
    .version(version, "--version", "Show the version")
    .helpOption("-h, --help", "Show help")
    .helpCommand("help [command]", "Show help");
  const root = [...program.options, helpFlag(program)];
  for (const flag of global) program.addOption(flag);
  program.configureHelp({ formatHelp: () => helpOfProgram(commands, [...global, ...root]) });
  for (const declared of commands) {
    const command = refusing(new Command(declared.name), declared.name)
      .configureOutput(quiet)
      .helpOption("-h, --help", "Show help")
      .arguments(declared.args);
    const flags = flagsOf(declared);
    for (const flag of flags) command.addOption(flag);
    command.configureHelp({ formatHelp: () => helpOfCommand(declared, flags, [...global, helpFlag(command)]) });
    command.action(() => {
      run = runOf(declared, command, program.opts<{ cwd: string; logDir?: string }>(), terminals);
    });
    program.addCommand(command);
  }
  const [first, asked] = argv;
  if (first === "help" && asked !== undefined && !commands.some(({ name }) => name === asked)) {
    throw new WrongLine(`unknown command '${asked}'; run "npx ${PROGRAM} --help" for the list`);
  }
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return { show: shown };
    throw error;
  }
  return run ?? { show: shown };
}

/** Whether the user asked for JSON; also for command lines that cannot be parsed. */
export const wantsJson = (argv: readonly string[]): boolean =>
  argv.some(
    (word, at) =>
      /^(--json|-o=?json|--output=json)$/.test(word) || (word === "json" && /^(-o|--output)$/.test(argv[at - 1] ?? "")),
  );

function runOf(
  declared: DeclaredCommand,
  command: Command,
  { cwd, logDir }: { cwd: string; logDir?: string },
  terminals: Terminals,
): Run {
  const flags = command.opts<Record<string, unknown>>();
  const refuse = (message: string): never => {
    throw new WrongLine(message, declared.name);
  };
  if (declared.asks === true && flags["yes"] !== true && flags["approved"] === undefined && !terminals.asks)
    refuse("stdin or stderr is not a terminal; pass --yes to proceed without confirmation");
  if (flags["watch"] === true && !terminals.redraws) refuse("--watch needs a terminal; use --wait in programs");
  return {
    command: declared.name,
    words: command.args,
    flags,
    json: flags["json"] === true || flags["output"] === "json",
    cwd,
    logDir,
    run: (context) => declared.start(context, command.args, command),
  };
}

/** @throws Error when a flag is declared under another name than its own, and so would never be read */
function flagsOf({ name, flags, asks }: DeclaredCommand): Option[] {
  for (const [key, flag] of Object.entries(flags)) {
    if (flag.attributeName() !== key) throw new Error(`${name}: flag ${flag.flags} is declared as ${key}`);
  }
  return [...Object.values(flags), ...(asks ? [onOff("-y, --yes", "Do not ask; for CI")] : [])];
}

const helpFlag = (command: Command): Option => command.createOption("-h, --help", "Show help");

/** Commander's refusals as ours; what it shows instead of running, such as help, stays its own. */
function refusing(command: Command, name?: string): Command {
  return command.exitOverride((error) => {
    if (/^commander\.(help|helpDisplayed|version)$/.test(error.code) && error.exitCode === 0) throw error;
    // Commander then only shows the help.
    if (error.code === "commander.help") {
      throw new WrongLine(`no such command was given; run "npx ${PROGRAM} --help" for the list`);
    }
    const more = name === undefined ? "" : `\nRun "npx ${PROGRAM} help ${name}" for its flags.`;
    throw new WrongLine(`${plain(error.message)}${more}`, name);
  });
}

const plain = (message: string): string =>
  message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\?\)/s, "; did you mean $1?")
    .replace("is invalid. it", "is invalid; it");
