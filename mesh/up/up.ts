/** `spire-federation up`: runs the members' stacks until each has joined all peers that it can join. */
import { PROGRAM } from "../../components/shared/names";
import { printable } from "../kernel/text";
import type { Approved } from "../../stacks/approved";
import type { OpMap, Published } from "../pulumi/workspace";
import { nextRound, type Progress, type MemberRun, standings, type Trusted } from "./convergence";
import type { MeshMember } from "../members/members";
import { comparable, type Publications, readPublished } from "../members/publication";
import { UNCHANGING } from "../pulumi/events";
import { uninterrupted } from "../kernel/interruption";
import { look as attempt } from "../kernel/looked";
import { inParallel } from "../kernel/parallel";
import { table } from "../kernel/table";
import { KEPT } from "../preview/trustChanges";
import type { UpOutcome } from "../pulumi/outcomes";

/** How a member's stack is run and read: by Pulumi, or by a test. */
export interface Stacks {
  /** What the stack has published; undefined without a stack. All stacks are asked for by their ids. */
  published(id: string): Promise<Published | undefined>;
  /**
   * One `pulumi up`. A failure is an outcome, not an error.
   *
   * @param approved with what trust in new peers may begin; undefined: with anything
   */
  up(id: string, approved?: Approved): Promise<UpOutcome>;
}

/** Stacks of which some may not be there yet. */
export interface FutureStacks extends Stacks {
  make(id: string): Promise<void>;
}

export interface UpMember {
  member: string;
  state: "complete" | "pending" | "failed" | "unsettled";
  /** Peers that it waits for. */
  waitsFor: string[];
  /** Peers that it goes on trusting although their stacks publish nothing any more. */
  keeps: string[];
  /** How often it ran, and how many resources of each kind of change that made. */
  runs: number;
  changes: OpMap;
  /** How many of its runs restarted its SPIRE server. */
  restarts: number;
  /** Trust domains that its cluster was told to trust, and no longer is. */
  ended: string[];
  /** Locks and operations that an interrupted run had left, and that this one has cleared up. */
  recovered: string[];
  /** What Pulumi, its providers and the program have warned of in its last run. */
  warnings: string[];
  /** Why its last run failed, and why its own stack or a peer's could not be read. */
  errors: string[];
}

/**
 * Makes missing stacks, then runs rounds until nobody has to run. A member that fails does not stop the others.
 *
 * @param upToDate what the peers of members with nothing to do had published then, by id: they run once that is something else
 * @param signal once it is aborted no further round begins; the result is what was done until then
 */
export async function up(
  members: readonly MeshMember[],
  stacks: FutureStacks,
  parallel: number,
  onRound: (round: number, ids: readonly string[]) => void,
  signal = uninterrupted.signal,
  upToDate: ReadonlyMap<string, Publications> = new Map(),
): Promise<UpMember[]> {
  const interrupted = (): boolean => signal.aborted;
  const outcomes = new Map<string, UpOutcome[]>(members.map(({ id }) => [id, []]));
  const runs: MemberRun[] = [...upToDate].map(([member, saw]) => ({ member, succeeded: true, saw }));
  const everybody = [...new Set(members.flatMap(({ id, peers }) => [id, ...peers]))];
  const { missing, ...before } = await look(members, everybody, stacks, parallel);
  await inParallel(parallel, missing, async (id) => {
    if (interrupted()) return;
    const made = await attempt(() => stacks.make(id));
    if ("because" in made) before.unread.set(id, `its stack cannot be created: ${made.because}`);
  });
  let unread = before.unread;
  const outside = (pending: Trusted): Trusted =>
    Object.fromEntries(members.map((member) => [member.id, outsideOf(member, pending)]));
  let progress: Progress = {
    ...{ members, ...before, runs },
    pendingOutside: outside(before.pending),
    unread: new Set(unread.keys()),
  };
  for (let round = 1, ids = nextRound(progress); ids.length > 0 && !interrupted(); round++, ids = nextRound(progress)) {
    onRound(round, ids);
    const saw = progress.published;
    await inParallel(parallel, ids, async (member) => {
      const ran = await attempt(() => stacks.up(member));
      const outcome = "seen" in ran ? ran.seen : { succeeded: false as const, errors: [ran.because], recovered: [] };
      outcomes.get(member)?.push(outcome);
      runs.push({ member, succeeded: outcome.succeeded, saw });
    });
    if (interrupted()) break;
    const after = await look(members, everybody, stacks, parallel);
    // A stack that could not be made cannot be read either.
    unread = new Map([...before.unread, ...after.unread]);
    progress = {
      ...progress,
      published: { ...after.published, ...only(progress.published, unread) },
      trusted: { ...after.trusted, ...only(progress.trusted ?? {}, unread) },
      pendingOutside: outside(after.pending),
      unread: new Set(unread.keys()),
    };
  }
  return summary(members, progress, outcomes, unread);
}

/** Peers of other projects that had published nothing when the member ran last: no run of this mesh makes them publish. */
function outsideOf({ id, config, outside }: MeshMember, pending: Trusted): string[] {
  return config.peers
    .filter((peer) => outside.includes(peer.id) && pending[id]?.includes(peer.name))
    .map(({ id }) => id);
}

const only = <T>(all: Readonly<Record<string, T>>, ids: ReadonlyMap<string, unknown>): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([id]) => ids.has(id)));

/** What the stacks have published, whom they trust, which are missing, and why one could not be read. */
async function look(
  members: readonly MeshMember[],
  ids: readonly string[],
  stacks: Stacks,
  parallel: number,
): Promise<{
  published: Publications;
  trusted: Trusted;
  pending: Trusted;
  missing: string[];
  unread: Map<string, string>;
}> {
  const found = new Map<string, Published | undefined>();
  const unread = new Map<string, string>();
  for (const [id, read] of await readPublished(ids, (one) => stacks.published(one), parallel)) {
    if ("seen" in read) found.set(id, read.seen);
    else unread.set(id, `its stack cannot be read: ${read.because}`);
  }
  return {
    published: Object.fromEntries(ids.map((id) => [id, comparable(found.get(id)?.federation)])),
    trusted: Object.fromEntries(members.map((member) => [member.id, trustedBy(member, found.get(member.id))])),
    pending: Object.fromEntries(ids.map((id) => [id, found.get(id)?.pendingPeers ?? []])),
    missing: ids.filter((id) => found.get(id) === undefined && !unread.has(id)),
    unread,
  };
}

/** Ids of the peers that a member trusts; its outputs have the names of their objects. */
function trustedBy({ config }: MeshMember, published: Published | undefined): string[] {
  return config.peers.flatMap(({ name, id }) => (published?.peers[name] === undefined ? [] : [id]));
}

function summary(
  members: readonly MeshMember[],
  progress: Progress,
  outcomes: ReadonlyMap<string, UpOutcome[]>,
  unread: ReadonlyMap<string, string>,
): UpMember[] {
  const standing = standings(progress);
  return members.map(({ id, name, peers, labels }) => {
    const own = outcomes.get(id) ?? [];
    const [last, stands] = [own.at(-1), standing.get(id)];
    const labelsOf = (ids: readonly string[]): string[] => ids.map((one) => labels[one] ?? one);
    return {
      member: name,
      state: stands?.state ?? "failed",
      waitsFor: stands !== undefined && "peers" in stands ? labelsOf(stands.peers) : [],
      keeps: stands?.state === "complete" ? labelsOf(stands.keeps) : [],
      runs: own.length,
      changes: sum(own),
      restarts: own.filter(({ restarted }) => restarted === true).length,
      ended: endedIn(own),
      recovered: own.flatMap(({ recovered }) => recovered),
      warnings: last?.warnings ?? [],
      errors: [
        ...(last?.succeeded === false ? last.errors : []),
        ...[unread.get(id) ?? []].flat(),
        ...peers.flatMap((peer) => (unread.has(peer) ? `${labels[peer] ?? peer}: ${unread.get(peer) ?? ""}` : [])),
      ],
    };
  });
}

/** Trust that a later run has begun again, once the peer had published its endpoint, has not ended. */
function endedIn(outcomes: readonly UpOutcome[]): string[] {
  const trust = new Set<string>();
  for (const { ended = [], begun = [] } of outcomes) {
    for (const one of ended) trust.add(one);
    for (const one of begun) trust.delete(one);
  }
  return [...trust];
}

function sum(outcomes: readonly UpOutcome[]): OpMap {
  const total: OpMap = {};
  for (const { changes = {} } of outcomes) {
    for (const [op, count] of Object.entries(changes) as [keyof OpMap, number][]) {
      if (!UNCHANGING.has(op)) total[op] = (total[op] ?? 0) + count;
    }
  }
  return total;
}

export function printUp(members: readonly UpMember[]): string {
  const explained = members.flatMap(({ member, ended, keeps, warnings, errors }) => [
    ...ended.map(
      (trustDomain) =>
        `\n${member}: no longer trusts ${trustDomain}; its SPIRE server keeps the bundle until you delete it, as npx ${PROGRAM} drift says\n`,
    ),
    ...keeps.map((peer) => `\n${member}: keeps trusting ${peer}: ${KEPT}\n`),
    ...warnings.map((warning) => `\n${member}: warning: ${warning}\n`),
    ...errors.map((error) => `\n${member}: ${error}\n`),
  ]);
  const rows = members.map(({ member, state, waitsFor, runs, restarts, changes }) => [
    member,
    waitsFor.length === 0 ? state : `${state}: ${waitsFor.join(", ")}`,
    String(runs),
    String(restarts),
    Object.entries(changes)
      .map(([op, count]) => `${String(count)} ${op}`)
      .join(", ") || "none",
  ]);
  return table(["MEMBER", "STATE", "RUNS", "RESTARTS", "CHANGES"], rows) + printable(explained.join(""));
}
