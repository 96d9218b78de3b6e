/**
 * Which members of a mesh have to run next, and how each member stands at the end. Pure: it runs nothing itself.
 *
 * A member's run reads what its peers have published, and publishes its own endpoint. So all members run once, and then
 * again those whose peers have published something else since. They run in rounds: every change of the peers restarts a
 * SPIRE server, and a round brings all changes at once.
 */
import type { Member as Known } from "../members/members";
import type { Publications } from "../members/publication";

/** A member as far as its rounds go. */
export type Converging = Pick<Known, "id" | "peers">;

export type Trusted = Readonly<Record<string, readonly string[]>>;

export interface Progress {
  members: readonly Converging[];
  published: Publications;
  runs: readonly MemberRun[];
  /** Whom each member trusts since its last run, by id. */
  trusted?: Trusted;
  /** Peers of other projects that each member still waits for since its last run, by id. */
  pendingOutside?: Trusted;
  /** Stacks that could not be read. What they publish is not known; `published` has what was read of them last. */
  unread?: ReadonlySet<string>;
}

/** One finished run of a member, or a preview in which a run had nothing to do. */
export interface MemberRun {
  /** Its id. */
  member: string;
  succeeded: boolean;
  /** What was published when it began. It has read this or something newer. */
  saw: Publications;
}

/** Two rounds complete a new mesh. A member that needs more is changed by something other than its peers. */
export const MOST_RUNS = 4;

/** Members whose run may change something; empty when there is nothing left to do. */
export function nextRound({ members, published, runs, unread }: Progress): string[] {
  return members
    .filter(({ id, peers }) => {
      if (unread?.has(id)) return false;
      const own = runsOf(id, runs);
      const last = own.at(-1);
      if (last === undefined) return true;
      return own.length < MOST_RUNS && peers.some((peer) => last.saw[peer] !== published[peer]);
    })
    .map(({ id }) => id);
}

export type Standing =
  /** It trusts all its peers; those in `keeps` publish nothing any more, so nothing of them can be brought up to date. */
  | { state: "complete"; keeps: string[] }
  /** Its last run failed; the run itself says why. */
  | { state: "failed" }
  /** Peers that have published nothing yet, or whose stacks could not be read. */
  | { state: "pending"; peers: string[] }
  /** Peers that publish something else after each of its runs. */
  | { state: "unsettled"; peers: string[] };

/** How every member stands once nothing is left to run. */
export function standings({
  members,
  published,
  trusted,
  pendingOutside,
  runs,
  unread,
}: Progress): Map<string, Standing> {
  return new Map(
    members.map(({ id, peers }): [string, Standing] => {
      const last = runsOf(id, runs).at(-1);
      if (!last?.succeeded || unread?.has(id)) return [id, { state: "failed" }];
      const silent = peers.filter((peer) => published[peer] === undefined);
      const pending = [
        ...peers.filter((peer) => unread?.has(peer) || (silent.includes(peer) && !trusted?.[id]?.includes(peer))),
        ...(pendingOutside?.[id] ?? []),
      ];
      if (pending.length > 0) return [id, { state: "pending", peers: pending }];
      const moved = peers.filter((peer) => last.saw[peer] !== published[peer]);
      return [id, moved.length > 0 ? { state: "unsettled", peers: moved } : { state: "complete", keeps: silent }];
    }),
  );
}

const runsOf = (id: string, runs: readonly MemberRun[]): MemberRun[] => runs.filter(({ member }) => member === id);
