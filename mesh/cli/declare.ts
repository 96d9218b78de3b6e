/** How a command is declared: once, for the parser, its types, help and completion. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../../components/shared/duration";
import type { Context, Result } from "./context";

/** A flag with the type of its value, which no flag has itself: that is on the command line. */
export type Flag<T> = Option & { readonly value?: T };

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type Values<F> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

export const onOff = (spec: string, about: string): Flag<boolean> => new Option(spec, about).default(false);

export const text = (spec: string, about: string): Flag<string | undefined> => new Option(spec, about);

export const texts = (spec: string, about: string): Flag<string[]> =>
  new Option(spec, about).default([], "").argParser((word, before: string[]) => [...before, ...word.split(",")]);

export const oneOf = <const T extends string>(spec: string, about: string, values: readonly T[]): Flag<T | undefined> =>
  new Option(spec, about).choices(values);

export const whole = (spec: string, about: string, usual: number): Flag<number> =>
  new Option(spec, about).default(usual).argParser((word) => {
    if (!/^[1-9]\d*$/.test(word)) throw new InvalidArgumentError("it must be a whole number, 1 or more");
    return Number(word);
  });

function seconds(word: string): number {
  const parsed = parseDuration(word);
  if (parsed === undefined)
    throw new InvalidArgumentError("it must be hours, minutes and seconds, such as 5m or 1h30m");
  return parsed;
}

/** In seconds. */
export const duration = (spec: string, about: string, usual: string): Flag<number> =>
  new Option(spec, about).default(parseDuration(usual), usual).argParser(seconds);

/** Of one request; the name is kubectl's. */
export const requestTimeout = (): Flag<number> =>
  duration("--request-timeout <duration>", "How long one request to a cluster may take", "10s");

/** As `duration`; undefined where it is not given. */
export const durationIfGiven = (spec: string, about: string): Flag<number | undefined> =>
  new Option(spec, about).argParser(seconds);

export const parallel = (): Flag<number> => whole("--parallel <n>", "How many members run at the same time", 8);

export const policyPack = (): Flag<string | undefined> =>
  text("--policy-pack <dir>", "Refuse what the policy pack in this folder forbids");

/** In which form the result is printed: those of every command, and those that one has beside them. */
export const outputs = <const T extends string>(...more: T[]): { output: Flag<"text" | "json" | "yaml" | T> } => ({
  output: new Option("-o, --output <format>", "Form of the result")
    .default("text")
    .choices(["text", ...more, "json", "yaml"]),
});

export const output = outputs();

/** The flags of every command. */
export const GLOBAL: readonly Option[] = [
  new Option("-C, --cwd <dir>", "Folder of the project").default("."),
  new Option("--log-dir <dir>", "Keep what Pulumi prints, in a file for each run"),
  onOff("-q, --quiet", "Print no progress"),
  new Option("--no-color", "Print no colours, as with NO_COLOR=1"),
  onOff("--debug", "Print stack traces of errors"),
];

/** The flag of commands that ask. */
export const YES = onOff("-y, --yes", "Do not ask; for CI");

export const HELP = new Option("-h, --help", "Show help");

export const GROUPS = ["Begin", "Change", "Inspect", "Verify", "Help"] as const;

export interface Declaration<F extends Flags> {
  name: string;
  group: (typeof GROUPS)[number];
  /** Operands as commander writes them, such as `[stack...]`. */
  args: string;
  /** One line for the list of commands; begins with a verb and has no full stop. */
  summary: string;
  about: string;
  flags: F;
  /** It asks before it changes anything: adds `--yes`. */
  asks?: true;
  /** Flags that are missing where nobody can be asked for what they say, as they are written. */
  lacks?: (flags: Readonly<Record<string, unknown>>) => string[];
  /** Command lines without the program's name, each with what it is for. */
  examples: Readonly<Record<string, string>>;
  exits: string;
  seeAlso?: string;
  run: (context: Context, words: readonly string[], values: Values<F> & { yes: boolean }) => Promise<Result>;
}

/** A declaration whose flags' types are known to itself alone. */
export interface DeclaredCommand extends Omit<Declaration<Flags>, "run"> {
  start: (context: Context, words: readonly string[], line: Pick<Command, "opts">) => Promise<Result>;
}

export function define<const F extends Flags>(declaration: Declaration<F>): DeclaredCommand {
  const { run, ...rest } = declaration;
  return { ...rest, start: (context, words, line) => run(context, words, line.opts<Values<F> & { yes: boolean }>()) };
}
