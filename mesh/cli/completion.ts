/**
 * Completion on the command line: the words that can come next. It answers from the declarations, the checks and the names
 * of the stacks' files, and asks neither Pulumi nor a cluster.
 */
import { Option } from "commander";
import { PROGRAM } from "../../components/shared/names";
import { stacksWithFile } from "../members/stackNames";
import { type DeclaredCommand, GLOBAL, HELP, YES } from "./declare";
import { type Shell, SHELLS } from "./shells";

/** How a shell's script asks: this and the words until the cursor. */
export const COMPLETE = "__complete";

/** @param words all after the program's name; the last one is being typed */
export async function candidates(commands: readonly DeclaredCommand[], words: readonly string[]): Promise<string[]> {
  const typed = words.at(-1) ?? "";
  const found = await possible(commands, words.slice(0, -1), typed);
  return found.filter((word) => word.startsWith(typed));
}

async function possible(
  commands: readonly DeclaredCommand[],
  before: readonly string[],
  typed: string,
): Promise<readonly string[]> {
  const names = commands.map(({ name }) => name);
  const { words, cwd, flag: open } = read(commands, before);
  if (open !== undefined) return open.argChoices ?? valuesOf(open, cwd);
  const [given, ...operands] = words;
  if (given === undefined) return typed.startsWith("-") ? longOf([...GLOBAL, HELP, VERSION]) : [...names, "help"];
  if (given === "help") return operands.length === 0 ? names : [];
  const command = commands.find(({ name }) => name === given);
  if (command === undefined) return [];
  if (typed.startsWith("-")) return longOf([...flagsOf(command), ...GLOBAL, HELP]);
  if (command.args.includes("shell")) return operands.length === 0 ? SHELLS : [];
  const free = command.args.includes("code")
    ? await codes()
    : command.args.includes("stack")
      ? await stacksWithFile(cwd)
      : [];
  return free.filter((word) => !operands.includes(word));
}

/** The words that are neither flags nor their values, the folder that -C says, and the flag that a value is to follow. */
function read(
  commands: readonly DeclaredCommand[],
  before: readonly string[],
): { words: string[]; cwd: string; flag: Option | undefined } {
  const words: string[] = [];
  let cwd = ".";
  let flag: Option | undefined;
  for (const word of before) {
    if (flag !== undefined) {
      if (flag.long === CWD) cwd = word;
      flag = undefined;
    } else if (word.startsWith("-")) {
      const command = commands.find(({ name }) => name === words[0]);
      const known = [...GLOBAL, ...(command === undefined ? [] : flagsOf(command))];
      flag = known.find((one) => one.required && (one.long === word || one.short === word));
      if (word.startsWith(`${CWD}=`)) cwd = word.slice(CWD.length + 1);
    } else words.push(word);
  }
  return { words, cwd, flag };
}

const CWD = "--cwd";
const VERSION = new Option("--version", "");

const flagsOf = ({ flags, asks }: DeclaredCommand): Option[] => [
  ...Object.values(flags),
  ...(asks === true ? [YES] : []),
];

const longOf = (flags: readonly Option[]): string[] => flags.flatMap(({ long }) => long ?? []);

const valuesOf = ({ long }: Option, cwd: string): readonly string[] | Promise<readonly string[]> =>
  long === "--peer" ? stacksWithFile(cwd) : long === "--check" ? codes() : [];

const codes = async (): Promise<string[]> => (await import("../verify/explain")).codes();

/** For the shell's start-up file. */
export function scriptOf(shell: Shell): string {
  return SCRIPTS[shell].replaceAll("PROGRAM", PROGRAM).replaceAll("NAME", PROGRAM.replaceAll("-", "_"));
}

const SCRIPTS: Record<Shell, string> = {
  bash: `_NAME() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _NAME PROGRAM
`,
  // In a folder of fpath the file itself is the function _PROGRAM, and its first call has to complete already.
  zsh: `#compdef PROGRAM
_PROGRAM() {
  local -a found
  found=(\${(f)"$("\${words[1]}" ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#found )); then compadd -a found; else _files; fi
}
if [[ "\${funcstack[1]}" == "_PROGRAM" ]]; then _PROGRAM; else compdef _PROGRAM PROGRAM; fi
`,
  // Files only where a flag takes one.
  fish: `complete -c PROGRAM -f -a '(PROGRAM ${COMPLETE} (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
complete -c PROGRAM -F -n "string match -qr -- '^(--cwd|-C|--log-dir|--policy-pack|--kubeconfig)\\$' (commandline -opc)[-1]"
`,
};
