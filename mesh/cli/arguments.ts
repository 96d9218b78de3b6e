/** Reads the command line; the only file that knows commander's parser. Runs nothing. */
import { Command, CommanderError, type Option } from "commander";
import { PROGRAM } from "../../components/shared/names";
import { version } from "../kernel/version";
import { UsageError } from "../kernel/exit";
import type { Context, Result } from "./context";
import { type DeclaredCommand, GLOBAL, HELP, YES } from "./declare";
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
  /** How the document for programs is printed; undefined: the result is text. */
  format: "json" | "yaml" | undefined;
  global: Global;
  run(context: Context): Promise<Result>;
}

/** Flags of every command. */
export interface Global {
  cwd: string;
  /** A folder for what Pulumi prints. */
  logDir?: string;
  quiet: boolean;
  color: boolean;
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
  const program = refusing(new Command(PROGRAM))
    .configureOutput(quiet)
    .version(version, "--version", "Show the version")
    .helpOption("-h, --help", "Show help")
    .helpCommand("help [command]", "Show help");
  const root = [...program.options, HELP];
  for (const flag of GLOBAL) program.addOption(flag);
  program.configureHelp({ formatHelp: () => helpOfProgram(commands, [...GLOBAL, ...root]) });
  for (const declared of commands) {
    const command = refusing(new Command(declared.name), declared.name)
      .configureOutput(quiet)
      .helpOption("-h, --help", "Show help");
    if (declared.args !== "") command.arguments(declared.args);
    const flags = flagsOf(declared);
    for (const flag of flags) command.addOption(flag);
    command.configureHelp({ formatHelp: () => helpOfCommand(declared, flags, [...GLOBAL, HELP]) });
    command.action(() => {
      run = runOf(declared, command, program.opts<Global>(), terminals);
    });
    program.addCommand(command);
  }
  const [first, asked] = argv;
  if (first === "help" && asked !== undefined && !commands.some(({ name }) => name === asked)) {
    throw new WrongLine(former(asked) ?? `unknown command '${asked}'; run "npx ${PROGRAM} --help" for the list`);
  }
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return { show: shown };
    throw error;
  }
  return run ?? { show: shown };
}

/** The form that the user asked for; also for command lines that cannot be parsed. */
export const formatOf = (argv: readonly string[]): "json" | "yaml" | undefined =>
  argv.flatMap((word, at): ("json" | "yaml")[] => {
    const given = /^(?:-o=?|--output=)(.+)$/.exec(word)?.[1] ?? (/^(-o|--output)$/.test(word) ? argv[at + 1] : "");
    return given === "json" || given === "yaml" ? [given] : [];
  })[0];

/** How that was written before, and how it is written now. */
const FORMER: Readonly<Record<string, string>> = {
  "--json": "-o json",
  "--code": "--check",
  "--precheck": "the command precheck",
  "--out": "verify -o html > FILE",
  report: "verify -o html > FILE",
  contract: "peer-info",
  pko: "npm run pko",
};

const former = (word: string): string | undefined =>
  FORMER[word] === undefined ? undefined : `'${word}' is now: ${FORMER[word]}`;

function runOf(declared: DeclaredCommand, command: Command, global: Global, terminals: Terminals): Run {
  const flags = command.opts<Record<string, unknown>>();
  const refuse = (message: string): never => {
    throw new WrongLine(message, declared.name);
  };
  const silent = flags["yes"] === true || flags["approved"] !== undefined;
  const missing = silent || !terminals.asks ? (declared.lacks?.(flags) ?? []) : [];
  if (missing.length > 0) {
    const why = silent ? "with --yes nobody is asked" : "stdin or stderr is not a terminal, so nobody can be asked";
    refuse(`${why}; pass ${[...(silent ? [] : ["--yes"]), ...missing].join(", ")}`);
  }
  if (declared.asks === true && !silent && !terminals.asks)
    refuse("stdin or stderr is not a terminal; pass --yes to proceed without confirmation");
  if (flags["watch"] === true && !terminals.redraws) refuse("--watch needs a terminal; use --wait in programs");
  return {
    command: declared.name,
    words: command.args,
    flags,
    format: flags["output"] === "json" || flags["output"] === "yaml" ? flags["output"] : undefined,
    global,
    run: (context) => declared.start(context, command.args, command),
  };
}

/** @throws Error when a flag is declared under another name than its own, and so would never be read */
function flagsOf({ name, flags, asks }: DeclaredCommand): Option[] {
  for (const [key, flag] of Object.entries(flags)) {
    if (flag.attributeName() !== key) throw new Error(`${name}: flag ${flag.flags} is declared as ${key}`);
  }
  return [...Object.values(flags), ...(asks ? [YES] : [])];
}

/** Commander's refusals as ours; what it shows instead of running, such as help, stays its own. */
function refusing(command: Command, name?: string): Command {
  return command.exitOverride((error) => {
    if (/^commander\.(help|helpDisplayed|version)$/.test(error.code) && error.exitCode === 0) throw error;
    // Commander then only shows the help.
    if (error.code === "commander.help") {
      throw new WrongLine(`no such command was given; run "npx ${PROGRAM} --help" for the list`);
    }
    const more = name === undefined ? "" : `\nRun "npx ${PROGRAM} help ${name}" for its flags.`;
    throw new WrongLine(former(/'([^']+)'/.exec(error.message)?.[1] ?? "") ?? `${plain(error.message)}${more}`, name);
  });
}

const plain = (message: string): string =>
  message
    .replace(/^error: /, "")
    .replace(/\n\(Did you mean (.*)\?\)/s, "; did you mean $1?")
    .replace("is invalid. it", "is invalid; it");
