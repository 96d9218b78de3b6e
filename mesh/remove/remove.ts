/** `spire-federation remove`: takes a member out so that trust ends, in both directions, and is seen to have ended. */
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import type { Published, Workspace } from "../pulumi/workspace";
import { forgetAll } from "./endOfTrust";
import { UsageError } from "../kernel/exit";
import type { MeshMember } from "../members/members";
import { look } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import { withOthers } from "./otherChanges";
import { findLeaver } from "./leaver";
import { labelsOf, printRemovalPlan, type Sight, sights, withPendingChanges, workOf } from "./plan";
import { parseStackName, qualified } from "../../stacks/stackName";
import { projectOf } from "../members/project";
import { type Edit, editPeers, refuseEdited, save } from "../members/stackFile";
import type { Removal, RemoveMember } from "./result";
import { type Site, type Traces, tracesOf } from "./traces";
import type { Stacks } from "../up/up";
import type { PreviewOutcome, UpOutcome } from "../pulumi/outcomes";

export interface RemoveStacks extends Stacks {
  /** One `pulumi destroy`. Whatever goes wrong is an outcome. */
  destroy(id: string): Promise<UpOutcome>;
  /** One `pulumi preview`, with that text in place of the stack's file. Whatever goes wrong is an outcome. */
  preview(id: string, file?: string): Promise<PreviewOutcome>;
}

/** What a removal works with. */
export interface Tools {
  workspace: Workspace;
  stacks: RemoveStacks;
  site: (access: ClusterAccess) => Site;
  parallel: number;
  /** Once it is aborted nothing more begins. */
  signal: AbortSignal;
  note: (line: string) => void;
  /** Hears which files were changed. */
  did: (what: string) => void;
  /** Whether to proceed with that plan. */
  agree: (plan: RemovalPlan) => Promise<boolean>;
}

export interface RemovalPlan {
  text: string;
  /** False where all that is left is to look. */
  changes: boolean;
  /** Members whose up would also apply changes that are not part of the removal. */
  pending: string[];
}

export async function remove(
  name: string,
  members: readonly MeshMember[],
  destroy: boolean,
  tools: Tools,
): Promise<Removal> {
  const { workspace, stacks, parallel, note } = tools;
  const project = await projectOf(workspace);
  const published = new Map<string, Published | undefined>();
  const seen = new Map<string, Traces | { unseen: string }>();
  note(`reading ${members.map((member) => member.name).join(", ")}`);
  const unread = new Map<string, string>();
  await inParallel(parallel, members, async (member) => {
    const read = await look(() => stacks.published(member.id));
    if ("seen" in read) published.set(member.id, read.seen);
    else unread.set(member.id, read.because);
    const traces = tools.site(accessOf(member.config)).traces();
    seen.set(member.id, await traces.catch((error: unknown) => ({ unseen: (error as Error).message })));
  });
  const readings = { published, traces: seen };
  const leaver = findLeaver(name, members, readings);
  const leaving = leaver.member;
  if (destroy && leaving === undefined) {
    throw new UsageError(
      `${leaver.name} has no stack file here, so its cluster cannot be asked and its stack cannot be destroyed; nothing was changed. ` +
        "Bring the file back, or leave out --destroy",
    );
  }
  const known = sights(leaver, members, readings).map((sight): Sight => {
    const because = unread.get(sight.member.id);
    const read = because === undefined ? sight : { ...sight, unread: because };
    return "unseen" in read.traces ? read : { ...read, traces: tracesOf(read.traces, sight.ends) };
  });
  const edits = new Map<string, Edit>();
  for (const { member, named } of known) {
    const edit = await editPeers(project.configDir, member.config.self.stack, project.name, goneFrom(member, named));
    if (edit !== undefined) edits.set(member.id, edit);
  }
  const all = await withOthers(known, edits, (id, file) => stacks.preview(id, file), parallel);
  const changes = destroy || all.map(workOf).some(({ edit, up, forget }) => edit || up || forget !== false);
  const plan = { text: printRemovalPlan(leaver, all, destroy), changes, pending: withPendingChanges(all) };
  if (!(await tools.agree(plan))) {
    throw new UsageError("cancelled; nothing was changed");
  }

  tools.signal.throwIfAborted();
  await refuseEdited(edits.values());
  // All files before any up: whatever runs these stacks from now on does not join the leaver again.
  for (const edit of edits.values()) {
    await save(edit);
    tools.did(`changed ${edit.file}`);
  }
  const results = new Map<string, RemoveMember>();
  await inParallel(parallel, all, async (sight) => {
    const result = await endTrust(sight, sight.member === leaving, tools);
    const edit = edits.get(sight.member.id);
    if (edit !== undefined) result.did.unshift(`removed ${labelsOf(sight)} from ${edit.file}`);
    results.set(sight.member.id, result);
  });
  const own = leaving && results.get(leaving.id);
  const destroyed = destroy && leaving !== undefined && (await destroyLeaver(leaving, own, stacks));
  return {
    stack: leaver.name,
    trustDomain: leaver.trustDomain,
    files: [...edits.values()].map(({ file }) => file),
    members: members.flatMap((member) => (member === leaving ? [] : (results.get(member.id) ?? []))),
    ...(own === undefined ? {} : { leaver: own }),
    destroyed,
  };
}

/** A file may call a stack by its short or by its full name; a peer that is no stack has one. */
function goneFrom({ config }: MeshMember, named: readonly string[]): (written: string) => boolean {
  const gone = config.peers.filter(({ id }) => named.includes(id));
  return (written) => {
    const stack = parseStackName(written, config.self);
    return gone.some(({ id, name, publication }) =>
      publication === undefined ? stack !== undefined && qualified(stack) === id : written === name,
    );
  };
}

async function endTrust(
  sight: Sight,
  leaves: boolean,
  { stacks, site: siteOf, note, signal }: Tools,
): Promise<RemoveMember> {
  const { member, ends } = sight;
  const result: RemoveMember = {
    member: member.name,
    state: "still trusts",
    trustDomains: ends,
    did: [],
    errors: [],
    warnings: [],
    asked: false,
  };
  const { others = [] } = sight;
  if ("unknown" in others)
    result.errors.push(`its stack was not run, because it cannot be previewed: ${others.unknown}`);
  else if (workOf(sight).up) {
    const outcome = await stacks.up(member.id);
    const { ended = [], recovered } = outcome;
    result.did.push(...recovered, ...(outcome.succeeded ? ["up"] : []));
    if (outcome.restarted === true) result.did.push("restarted its SPIRE server");
    result.did.push(...ended.filter((one) => !ends.includes(one)).map((one) => `stopped trusting ${one}`));
    if (!outcome.succeeded) result.errors.push(...outcome.errors);
  }
  if (sight.unread !== undefined) result.errors.push(`its stack cannot be read: ${sight.unread}; so it was not run`);
  // Whatever came of the up: the cluster itself has the last word.
  try {
    signal.throwIfAborted();
    const site = siteOf(accessOf(member.config));
    const { deleted, left, warnings } = await forgetAll(site, ends, {
      wait: result.errors.length === 0,
      signal,
      all: leaves,
    });
    if (deleted.length > 0) result.did.push(`deleted the bundle of ${deleted.join(", ")}`);
    result.errors.push(...left);
    result.warnings.push(...warnings);
    result.asked = true;
    if (left.length === 0) result.state = "clean";
  } catch (error) {
    result.errors.push((error as Error).message);
  }
  note(`${member.name}: ${result.state === "clean" ? "clean" : `still trusts ${ends.join(", ")}`}`);
  return result;
}

/** Only when the leaver is clean: a destroy does not change what its SPIRE server holds. */
async function destroyLeaver(
  member: MeshMember,
  own: RemoveMember | undefined,
  stacks: RemoveStacks,
): Promise<boolean> {
  if (own?.state !== "clean") {
    own?.errors.push(`stack ${member.name} is not destroyed, because its cluster still trusts others`);
    return false;
  }
  const there = await look(() => stacks.published(member.id));
  if ("because" in there) {
    own.errors.push(`stack ${member.name} is not destroyed, because it cannot be read: ${there.because}`);
    return false;
  }
  if (there.seen === undefined) return true;
  const outcome = await stacks.destroy(member.id);
  if (outcome.succeeded) own.did.push("destroyed");
  else own.errors.push(...outcome.errors);
  return outcome.succeeded;
}
