/** Commands that change clusters: up and remove. */
import { PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { EXIT, UsageError } from "../kernel/exit";
import type { MeshMember } from "../members/members";
import { exitOf, printRemove } from "../remove/result";
import { remove } from "../remove/remove";
import { site } from "../remove/traces";
import { type Plan, planUp, type PlanSources } from "../preview/preview";
import { bound, previewed } from "../up/binding";
import { refuseOtherPlan } from "../up/approvedPlan";
import { printPlan } from "../up/planText";
import { type FutureStacks, printUp, up } from "../up/up";
import type { Context } from "./context";
import { define, onOff, output, parallel, policyPack, text } from "./declare";
import { isYes, planSources, sayRound, seenUp, stackMaker } from "./running";

export const upCommand = define({
  name: "up",
  group: "Change",
  args: "[stack...]",
  summary: "Run all stacks until each member trusts its peers",
  about:
    "Run the stack of every member, or of the named ones, until each trusts its peers. Missing stacks are\n" +
    "created. A member with nothing to change does not run; it does when a peer has published something new.\n" +
    "A member that fails does not stop the others. Operations that were interrupted before are repeated.\n\n" +
    "First it previews every member, shows the plan (who will trust whom, which SPIRE servers restart, what\n" +
    "else changes) and asks. A member fails when its config, the peers it would trust or their roots are no\n" +
    "longer those of the plan, or when it would delete or replace something else. --yes skips the question,\n" +
    "never the plan; it accepts a plan that changes meanwhile. --approved takes the answer from a plan that\n" +
    "somebody has reviewed: where the plan differs from it now, nothing is run.",
  asks: true,
  flags: {
    parallel: parallel(),
    policyPack: policyPack(),
    approved: text(
      "--approved <file>",
      "Run if the plan is still the one in this file, of preview -o json; do not ask",
    ).conflicts("yes"),
    secretsProvider: text("--secrets-provider <url>", "Secrets provider of the stacks that this creates"),
    ...output,
  },
  examples: {
    up: "Show the plan for all members, ask, and run them",
    "up --yes": "In CI: do not ask",
    "up --approved plan.json": "In CI: run what the preview has shown, and nothing else",
    "up cluster1 cluster3": "Run only these two",
  },
  exits:
    "0 every member is complete; 1 a member failed or is pending; 2 wrong usage or config, not confirmed, or not the\n" +
    "approved plan; 3 unknown",
  seeAlso: "preview, verify",
  async run(context, names, flags) {
    const { members, stacks, workspace, interruption } = await context.open(names);
    const judged = stacks.judgedBy(flags.policyPack);
    const own = {
      ...planSources(judged, workspace),
      up: seenUp(judged, members),
      make: stackMaker({ stacks, workspace }, flags.secretsProvider),
    };
    const { plan, approved } = await approve(members, flags, own, context, interruption.signal);
    interruption.signal.throwIfAborted();
    const { signal } = interruption;
    const onRound = sayRound(context, members);
    const settled = plan.members.flatMap(({ member, changes }) => (changes ? [] : [member]));
    const upToDate = members.flatMap(({ id, name }) => (settled.includes(name) ? [[id, plan.saw] as const] : []));
    const result = await up(members, approved, flags.parallel, onRound, signal, new Map(upToDate));
    return {
      exit: result.every(({ state }) => state === "complete") ? EXIT.fine : EXIT.findings,
      report: { command: "up", members: result },
      text: printUp(result),
    };
  },
});

type PlannedStacks = FutureStacks & PlanSources;

interface Consent {
  parallel: number;
  yes: boolean;
  approved: string | undefined;
  policyPack: string | undefined;
}

/**
 * Shows the plan, and asks unless there is nothing to change, or somebody has answered before.
 *
 * @returns the plan, and stacks that run as approved
 * @throws UsageError for a no, and for a plan that is not the approved one
 */
async function approve(
  members: readonly MeshMember[],
  { parallel: limit, yes, approved: file, policyPack: pack }: Consent,
  stacks: PlannedStacks,
  { note, ask }: Pick<Context, "note" | "ask">,
  signal: AbortSignal,
): Promise<{ plan: Plan; approved: FutureStacks }> {
  const plan = await planUp(members, stacks, limit);
  signal.throwIfAborted();
  note(printPlan(plan.members).trimEnd());
  if (file !== undefined) await refuseOtherPlan(file, plan.members);
  const nothing = plan.members.every(({ changes }) => !changes);
  if (yes || nothing) return { plan, approved: pack === undefined ? stacks : previewed(stacks) };
  const count = plan.members.length;
  const question = `Proceed with ${String(count)} member${count === 1 ? "" : "s"}? [y/N/d = details] `;
  let answer = file === undefined ? await ask(question) : "y";
  while (/^d(etails)?$/i.test(answer)) {
    note(printPlan(plan.members, true).trimEnd());
    answer = await ask(question);
  }
  if (!isYes(answer)) throw new UsageError("cancelled; nothing was changed");
  return { plan, approved: bound(stacks, members, plan.members) };
}

const refusalOfPending = (members: readonly string[]): string =>
  `${members.join(", ")}: pulumi up would also apply pending changes that are not part of the removal; nothing was changed. ` +
  `Apply them first with npx ${PROGRAM} up ${members.map(word).join(" ")}, or pass --apply-pending`;

export const removeCommand = define({
  name: "remove",
  group: "Change",
  args: "<stack>",
  summary: "Remove a member, until no other member trusts it",
  about:
    "Remove a member from the mesh: delete it from the peers in the other stack files, run the stacks so that\n" +
    "it and the others stop trusting each other, and delete the bundles from the SPIRE servers. A member is\n" +
    "clean when its SPIRE server, asked again, holds none of them. Run an interrupted removal again.\n\n" +
    "It runs pulumi up only for what the removal needs. Where a stack has other pending changes, it shows them\n" +
    "and asks; with --yes it refuses, unless --apply-pending is given.",
  asks: true,
  flags: {
    destroy: onOff("--destroy", "Also destroy the stack of the removed member"),
    applyPending: onOff("--apply-pending", "Also apply changes of these stacks that are not part of the removal"),
    parallel: parallel(),
    ...output,
  },
  examples: {
    "remove cluster3": "Show the plan, and ask",
    "remove cluster3 --destroy --yes": "In CI: do not ask, and also destroy the stack of cluster3",
  },
  exits:
    "0 no member trusts it; 1 a member still does, or failed; 2 wrong usage or config, or not confirmed; 3 unknown",
  seeAlso: "status, drift",
  async run({ open, note, ask }, [leaver = ""], { destroy, applyPending, parallel: limit, yes }) {
    const { workspace, members, stacks, interruption } = await open([leaver], "all");
    const result = await remove(leaver, members, destroy, {
      workspace,
      stacks: {
        published: (id) => stacks.published(id),
        preview: (id, file) => stacks.preview(id, file),
        up: seenUp(stacks, members),
        destroy: (id) => stacks.destroy(id),
      },
      site: (access) => site(access, interruption.signal),
      signal: interruption.signal,
      parallel: limit,
      note,
      agree: async ({ text, changes, pending }) => {
        note(text.trimEnd());
        if (!changes) note("nothing to change; checking that no member trusts it");
        if (pending.length > 0 && !applyPending) {
          if (yes) throw new UsageError(refusalOfPending(pending));
          if (!isYes(await ask(`Also apply the pending changes of ${pending.join(", ")}? [y/N] `))) return false;
        }
        if (yes || !changes) return true;
        // A stack that is destroyed does not come back by another yes.
        if (destroy) return (await ask(`Type ${leaver} to remove it and destroy its stack: `)) === leaver;
        return isYes(await ask("Proceed? [y/N] "));
      },
    });
    return { exit: exitOf(result), report: { command: "remove", ...result }, text: printRemove(result) };
  },
});
