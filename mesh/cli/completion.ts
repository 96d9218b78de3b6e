/**
 * Completion on the command line: the words that can come next. It answers from the declarations, the checks and the names
 * of the stacks' files, and asks neither Pulumi nor a cluster.
 */
import type { Option } from "commander";
import { PROGRAM } from "../../components/shared/names";
import type { DeclaredCommand } from "./declare";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** How a shell's script asks: this and the words until the cursor. */
export const COMPLETE = "__complete";

/** What words can stand for, beside commands and flags. */
export interface Known {
  stacks: readonly string[];
  codes: readonly string[];
}

const FLAGS = ["--help"];

/**
 * Pure.
 *
 * @param words all after the program's name; the last one is being typed
 */
export function candidates(commands: readonly DeclaredCommand[], words: readonly string[], known: Known): string[] {
  const typed = words.at(-1) ?? "";
  return possible(commands, words.slice(0, -1), typed, known).filter((word) => word.startsWith(typed));
}

function possible(
  commands: readonly DeclaredCommand[],
  before: readonly string[],
  typed: string,
  { stacks, codes }: Known,
): readonly string[] {
  const names = commands.map(({ name }) => name);
  const [given] = before;
  if (given === undefined) return typed.startsWith("-") ? [...FLAGS, "--version"] : [...names, "help"];
  if (given === "help") return before.length === 1 ? names : [];
  const command = commands.find(({ name }) => name === given);
  if (command === undefined) return [];
  const flags: Option[] = Object.values(command.flags);
  const last = flags.find((flag) => flag.long === before.at(-1) || flag.short === before.at(-1));
  if (last?.required === true) return last.argChoices ?? { "--peer": stacks, "--code": codes }[last.long ?? ""] ?? [];
  if (typed.startsWith("-")) {
    const own = flags.flatMap(({ long, hidden }) => (long === undefined || hidden ? [] : [long]));
    return [...own, ...(command.asks === true ? ["--yes"] : []), ...FLAGS];
  }
  if (command.args.includes("shell")) return before.length === 1 ? SHELLS : [];
  const free = command.args.includes("code") ? codes : command.args.includes("stack") ? stacks : [];
  return free.filter((word) => !before.includes(word));
}

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
complete -c PROGRAM -F -n "string match -qr -- '^(--out|--cwd|-C|--log-dir)\\$' (commandline -opc)[-1]"
`,
};
