/** Commands that explain, and need no project. */
import { PROGRAM } from "../../components/shared/names";
import { EXIT, UsageError } from "../kernel/exit";
import { version } from "../kernel/version";
import { scriptOf } from "./completion";
import { type Shell, SHELLS } from "./shells";
import { define, output } from "./declare";

export const explainCommand = define({
  name: "explain",
  group: "Help",
  args: "[code...]",
  summary: "Explain a check by its code",
  about: "Explain checks of verify: what each proves, and what its failure means. Without a code, list all checks.",
  flags: { ...output },
  examples: {
    explain: "List all checks",
    "explain MESH212": "Explain one of them",
  },
  exits: "0 explained; 2 no such check",
  seeAlso: "verify, docs/checks.md",
  async run(_, codes) {
    const { explained, printExplained } = await import("../verify/explain");
    const checks = explained(codes);
    return {
      exit: EXIT.fine,
      report: { command: "explain" as const, checks },
      text: printExplained(checks, codes.length > 0),
    };
  },
});

export const versionCommand = define({
  name: "version",
  group: "Help",
  args: "",
  summary: "Print the version",
  about: "Print the version of this program and of Node.",
  flags: { ...output },
  examples: {
    version: "For people",
    "version -o json": "For programs, and for reports of faults",
  },
  exits: "0 printed",
  run() {
    const node = process.versions.node;
    return Promise.resolve({
      exit: EXIT.fine,
      report: { command: "version" as const, version, node },
      text: `${PROGRAM} ${version}, Node ${node}\n`,
    });
  },
});

export const completionCommand = define({
  name: "completion",
  group: "Help",
  args: "<shell>",
  summary: "Print a script that completes commands, flags and stacks in a shell",
  about:
    "Print the completion script for bash, zsh or fish. It completes the program where the shell finds it by its\n" +
    "name: installed globally, or with node_modules/.bin on the PATH; not behind npx.",
  flags: {},
  examples: {
    "completion bash > ~/.local/share/bash-completion/completions/spire-federation": "For bash, permanently",
    "completion zsh > ~/.zsh/functions/_spire-federation": "For zsh, in a folder of its fpath",
    "completion fish > ~/.config/fish/completions/spire-federation.fish": "For fish",
  },
  exits: "0 printed; 2 no such shell",
  run(_, [word = ""]) {
    const shell = SHELLS.find((one): one is Shell => one === word);
    if (shell === undefined) throw new UsageError(`"${word}" has no completion; use ${SHELLS.join(", ")}`);
    const script = scriptOf(shell);
    return Promise.resolve({
      exit: EXIT.fine,
      report: { command: "completion" as const, shell, script },
      text: script,
    });
  },
});
