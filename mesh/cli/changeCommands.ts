/** Commands that change clusters: up and remove. */
import { EXIT } from "../kernel/exit";
import { labels } from "../members/members";
import { exitOf, printRemove } from "../remove/result";
import { remove } from "../remove/remove";
import { site } from "../remove/traces";
import { printUp, up } from "../up/up";
import { define, onOff, output, parallel } from "./declare";

export const upCommand = define({
  name: "up",
  group: "Change",
  args: "[stack...]",
  summary: "Bring all members together, until each trusts its peers",
  about:
    "Run the stack of every member, or of the named ones, until each trusts its peers. Missing stacks are\n" +
    "made. All members run once, then again those whose peers have published something new. A member that\n" +
    "fails stops no other. What an interrupted run has left is finished.",
  flags: { parallel: parallel(), ...output },
  examples: {
    up: "Bring all members together",
    "up cluster1 cluster3": "Run only these two",
  },
  exits: "0 every member is complete; 1 a member failed or is pending; 2 wrong usage or config; 3 unknown",
  seeAlso: "preview, verify",
  async run({ open, note }, names, flags) {
    const { members, stacks } = await open(names);
    const result = await up(members, stacks, flags.parallel, (round, running) => {
      note(`round ${String(round)}: ${running.map(labels(members)).join(", ")}`);
    });
    return {
      exit: result.every(({ state }) => state === "complete") ? EXIT.fine : EXIT.findings,
      report: { command: "up", members: result },
      text: printUp(result),
    };
  },
});

export const removeCommand = define({
  name: "remove",
  group: "Change",
  args: "<stack>",
  summary: "Take a member out, until nobody trusts it any more",
  about:
    "Take a member out of the mesh: it leaves the other stacks' files, the others and it stop trusting each\n" +
    "other, and their SPIRE servers delete each other's bundles. A member counts as clean only after its\n" +
    "SPIRE server was asked again. An interrupted removal can be run again.",
  asks: true,
  flags: {
    destroy: onOff("--destroy", "Also destroy the stack of the member that was taken out"),
    parallel: parallel(),
    ...output,
  },
  examples: {
    "remove cluster3": "Show what it takes, and ask",
    "remove cluster3 --destroy --yes": "In CI: don't ask, and destroy the stack of cluster3, too",
  },
  exits: "0 nobody trusts it any more; 1 somebody still does; 2 wrong usage or config, or not confirmed; 3 unknown",
  seeAlso: "status, drift",
  async run({ open, note, ask }, [leaver = ""], { destroy, parallel: limit, yes }) {
    const { workspace, members, stacks } = await open([leaver], "all");
    const result = await remove(leaver, members, destroy, {
      workspace,
      stacks,
      site,
      parallel: limit,
      note,
      agree: async (plan) => {
        note(plan.trimEnd());
        return yes || /^y(es)?$/i.test(await ask("Go on? [y/N] "));
      },
    });
    return { exit: exitOf(result), report: { command: "remove", ...result }, text: printRemove(result) };
  },
});
