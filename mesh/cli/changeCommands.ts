/** What up and remove do. */
import { PROGRAM } from "../../components/shared/names";
import { word } from "../../components/shared/shell";
import { EXIT, UsageError } from "../kernel/exit";
import type { MeshMember } from "../members/members";
import { projectOf } from "../members/project";
import { readStackFile } from "../members/stackFile";
import { exitOf, printRemove } from "../remove/result";
import { remove } from "../remove/remove";
import { site } from "../remove/traces";
import type { PulumiStacks } from "../pulumi/operations";
import type { Workspace } from "../pulumi/workspace";
import { isNothing, planUp, type ApprovalSources, type PlannedMember } from "../up/approval";
import { bound, previewed } from "../up/binding";
import type { Publications } from "../up/convergence";
import { printDetails, printPlan } from "../up/planText";
import { type FutureStacks, printUp, up } from "../up/up";
import type { RemoveFlags, UpFlags } from "./changeDeclarations";
import type { Context, Result } from "./context";
import { isYes, sayRound, stackMaker } from "./running";

export async function runUp(context: Context, names: readonly string[], flags: UpFlags): Promise<Result> {
  const { members, stacks, workspace, interruption } = await context.open(names);
  const own = planned(stacks.judgedBy(flags.policyPack), workspace, flags.secretsProvider);
  const { plan, approved } = await approve(members, flags, own, context, interruption.signal);
  interruption.signal.throwIfAborted();
  const { signal } = interruption;
  const onRound = sayRound(context, members);
  const result = await up(members, approved, flags.parallel, onRound, signal, upToDate(members, plan));
  return {
    exit: result.every(({ state }) => state === "complete") ? EXIT.fine : EXIT.findings,
    report: { command: "up", members: result },
    text: printUp(result),
  };
}

/** The members of a plan with nothing to change, and what their peers had published by then. */
const upToDate = (members: readonly MeshMember[], plan: readonly PlannedMember[]): Map<string, Publications> =>
  new Map(
    members.flatMap(({ id, name }) => {
      const { upToDateWith } = plan.find(({ member }) => member === name) ?? {};
      return upToDateWith === undefined ? [] : [[id, upToDateWith] as const];
    }),
  );

type Approved = FutureStacks & ApprovalSources;

const planned = (stacks: PulumiStacks, workspace: Workspace, provider: string | undefined): Approved => ({
  published: (id) => stacks.published(id),
  up: (id) => stacks.up(id),
  make: stackMaker({ stacks, workspace }, provider),
  preview: (id) => stacks.preview(id),
  roots: (first) => stacks.roots(first),
  ownRoots: (member) => stacks.ownRoots(member),
  workloads: (member) => stacks.workloads(member),
  isSettled: (id) => stacks.isSettled(id),
  config: async ({ config: { self } }) => {
    const project = await projectOf(workspace);
    const { config, environment } = await readStackFile(project.configDir, self.stack);
    return JSON.stringify([config, environment, project.defaults]);
  },
});

/**
 * Shows the plan, and asks unless there is nothing to change or --yes was given.
 *
 * @returns the plan, and stacks that run as approved
 * @throws UsageError for a no
 */
async function approve(
  members: readonly MeshMember[],
  { parallel: limit, yes, policyPack: pack }: { parallel: number; yes: boolean; policyPack: string | undefined },
  stacks: Approved,
  { note, ask }: Pick<Context, "note" | "ask">,
  signal: AbortSignal,
): Promise<{ plan: PlannedMember[]; approved: FutureStacks }> {
  const plan = await planUp(members, stacks, limit);
  signal.throwIfAborted();
  const nothing = isNothing(plan);
  const shown = printPlan(plan).trimEnd();
  if (shown !== "") note(shown);
  if (nothing) note("nothing to change");
  if (yes || nothing) return { plan, approved: pack === undefined ? stacks : previewed(stacks) };
  const question = `Proceed with ${String(plan.length)} member${plan.length === 1 ? "" : "s"}? [y/N/d = details] `;
  let answer = await ask(question);
  while (/^d(etails)?$/i.test(answer)) {
    note(printDetails(plan).trimEnd());
    answer = await ask(question);
  }
  if (!isYes(answer)) throw new UsageError("cancelled; nothing was changed");
  return { plan, approved: bound(stacks, members, plan) };
}

const refusalOfPending = (members: readonly string[]): string =>
  `${members.join(", ")}: pulumi up would also apply pending changes that are not part of the removal; nothing was changed. ` +
  `Apply them first with npx ${PROGRAM} up ${members.map(word).join(" ")}, or pass --apply-pending`;

export async function runRemove(
  { open, note, ask }: Context,
  [leaver = ""]: readonly string[],
  { destroy, applyPending, parallel: limit, yes }: RemoveFlags,
): Promise<Result> {
  const { workspace, members, stacks, interruption } = await open([leaver], "all");
  const result = await remove(leaver, members, destroy, {
    workspace,
    stacks,
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
}
