/** Commands that explain, and need no project. */
import { EXIT } from "../kernel/exit";
import { explained, printExplained } from "../verify/explain";
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
  run(_, codes) {
    const checks = explained(codes);
    return Promise.resolve({
      exit: EXIT.fine,
      report: { command: "explain" as const, checks },
      text: printExplained(checks, codes.length > 0),
    });
  },
});
