/** What up and remove do. */
import { PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { EXIT, UsageError } from "../kernel/exit";
import { counted } from "../kernel/text";
import type { MeshMember } from "../members/members";
import { exitOf, printRemove } from "../remove/result";
import { remove } from "../remove/remove";
import { site } from "../remove/traces";
import { type Plan, planUp, type PlanSources } from "../preview/preview";
import { bound, previewed } from "../up/binding";
import { refuseOtherPlan } from "../up/approvedPlan";
import { printPlan } from "../up/planText";
import { type FutureStacks, printUp, up } from "../up/up";
import type { RemoveFlags, UpFlags } from "./flags";
import type { Context, Result } from "./context";
import { isYes, planSources, sayRound, seenUp, stackMaker } from "./running";

export async function runUp(context: Context, names: readonly string[], flags: UpFlags): Promise<Result> {
  const { members, stacks, workspace, interruption } = await context.open(names);
  const judged = stacks.judgedBy(flags.policyPack);
  const own = {
    ...planSources(judged, workspace),
    up: seenUp(judged, members),
    make: stackMaker({ stacks, workspace }, context.did, flags.secretsProvider),
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
}

type PlannedStacks = FutureStacks & PlanSources;

/**
 * Shows the plan, and asks unless there is nothing to change, or somebody has answered before.
 *
 * @returns the plan, and stacks that run as approved
 * @throws UsageError for a no, and for a plan that is not the approved one
 */
async function approve(
  members: readonly MeshMember[],
  { parallel: limit, yes, approved: file, policyPack: pack }: UpFlags,
  stacks: PlannedStacks,
  { note, ask }: Pick<Context, "note" | "ask">,
  signal: AbortSignal,
): Promise<{ plan: Plan; approved: FutureStacks }> {
  const plan = await planUp(members, stacks, limit);
  signal.throwIfAborted();
  note(printPlan(plan.members).trimEnd());
  if (file !== undefined) await refuseOtherPlan(file, plan.members);
  if (yes) return { plan, approved: pack === undefined ? stacks : previewed(stacks) };
  const approved = bound(stacks, members, plan.members);
  // A run that follows all the same, because a peer has published something new, does what was shown: nothing new.
  if (plan.members.every(({ changes }) => !changes)) return { plan, approved };
  const question = `Proceed with ${counted(plan.members.length, "member")}? [y/N/d = details] `;
  let answer = file === undefined ? await ask(question) : "y";
  while (/^d(etails)?$/i.test(answer)) {
    note(printPlan(plan.members, true).trimEnd());
    answer = await ask(question);
  }
  if (!isYes(answer)) throw new UsageError("cancelled; nothing was changed");
  return { plan, approved };
}

const refusalOfPending = (members: readonly string[]): string =>
  `${members.join(", ")}: pulumi up would also apply pending changes that are not part of the removal; nothing was changed. ` +
  `Apply them first with npx ${PROGRAM} up ${members.map(word).join(" ")}, or pass --apply-pending`;

export async function runRemove(
  { open, note, did, ask }: Context,
  [leaver = ""]: readonly string[],
  { destroy, applyPending, parallel: limit, yes }: RemoveFlags,
): Promise<Result> {
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
    did,
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
}
