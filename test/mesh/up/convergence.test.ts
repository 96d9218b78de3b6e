import fc from "fast-check";
import {
  type Converging,
  MOST_RUNS,
  nextRound,
  type Progress,
  type MemberRun,
  standings,
} from "../../../mesh/up/convergence";

const NAMES = ["a", "b", "c", "d", "e"];

/** Any graph of up to five members, one-way trust and trust in nobody included. */
const graphs: fc.Arbitrary<Converging[]> = fc
  .subarray(NAMES, { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.subarray(names.filter((other) => other !== name)).map((peers): Converging => ({ id: name, peers })),
      ),
    ),
  );

type Endpoints = Record<string, string | undefined>;

/** What a run that was killed has done by then: nothing, its part in the cluster, or all, though nobody has heard of it. */
const EFFECTS = ["nothing", "trusts", "all"] as const;
type Effect = (typeof EFFECTS)[number];

interface Trouble {
  fails?: (name: string, round: number) => boolean;
  /** The mesh is killed in this round. */
  killedIn?: number;
  /** What its members had done by then. */
  effect?: (name: string) => Effect;
}

/** Clusters as far as convergence goes: a run that succeeds publishes the endpoint, and trusts whoever had published before. */
class World {
  readonly published: Endpoints = {};
  /** Which endpoint of its peers each member trusts. */
  readonly trusts: Record<string, Endpoints> = {};
  private readonly moves: Record<string, number> = {};

  constructor(readonly members: Converging[]) {}

  peers(name: string): readonly string[] {
    return this.members.find((member) => member.id === name)?.peers ?? [];
  }

  /** The member's config gets another endpoint. */
  move(name: string): void {
    this.moves[name] = (this.moves[name] ?? 0) + 1;
  }

  /** A whole `spire-federation up`, unless it is killed. */
  up({ fails = () => false, killedIn = Infinity, effect = () => "nothing" }: Trouble = {}): {
    rounds: string[][];
    end: Progress;
  } {
    const runs: MemberRun[] = [];
    const rounds: string[][] = [];
    for (;;) {
      const saw = { ...this.published };
      const progress = { members: this.members, published: saw, runs };
      const round = nextRound(progress);
      const killed = rounds.length >= killedIn;
      if (killed) for (const member of round) this.affect(member, saw, effect(member));
      if (killed || round.length === 0) return { rounds, end: { ...progress, runs: [...runs] } };
      for (const member of round) {
        const succeeded = !fails(member, rounds.length);
        runs.push({ member, succeeded, saw });
        if (succeeded) this.affect(member, saw, "all");
      }
      rounds.push(round);
    }
  }

  /** Whoever trusts all peers at the endpoints that they have by now. */
  complete(name: string): boolean {
    const trusted = this.trusts[name];
    return trusted !== undefined && this.peers(name).every((peer) => trusted[peer] === this.endpoint(peer));
  }

  allComplete(): boolean {
    return this.members.every(({ id }) => this.complete(id));
  }

  private endpoint(name: string): string {
    return `${name}, moved ${String(this.moves[name] ?? 0)} times`;
  }

  private affect(member: string, saw: Endpoints, effect: Effect): void {
    if (effect === "nothing") return;
    this.trusts[member] = Object.fromEntries(this.peers(member).map((peer) => [peer, saw[peer]]));
    if (effect === "all") this.published[member] = this.endpoint(member);
  }
}

test("from nothing: everybody, then everybody who has peers, and no more", () => {
  const members = NAMES.slice(0, 3).map((name) => ({ id: name, peers: NAMES.slice(0, 3).filter((n) => n !== name) }));
  const world = new World(members);
  expect(world.up().rounds).toEqual([
    ["a", "b", "c"],
    ["a", "b", "c"],
  ]);
  expect(world.up().rounds).toEqual([["a", "b", "c"]]);
});

test("a member that joins is complete at once, and only its peers run again", () => {
  const world = new World([
    { id: "a", peers: ["b"] },
    { id: "b", peers: ["a"] },
  ]);
  world.up();
  const joined = new World([
    { id: "a", peers: ["b", "c"] },
    { id: "b", peers: ["a"] },
    { id: "c", peers: ["a"] },
  ]);
  Object.assign(joined.published, world.published);
  expect(joined.up().rounds).toEqual([["a", "b", "c"], ["a"]]);
});

test("a peer whose endpoint changes every time does not keep the mesh going for ever, and is named", () => {
  const members = [{ id: "a", peers: ["b"] }];
  const runs: MemberRun[] = [];
  for (let n = 0; nextRound({ members, published: { b: String(n) }, runs }).length > 0; n++) {
    runs.push({ member: "a", succeeded: true, saw: { b: String(n - 1) } });
  }
  expect(runs).toHaveLength(MOST_RUNS);
  expect(standings({ members, published: { b: "new" }, runs }).get("a")).toEqual({ state: "unsettled", peers: ["b"] });
});

test("a peer that publishes nothing any more is waited for only by members that do not trust it", () => {
  const members = [
    { id: "a", peers: ["gone"] },
    { id: "b", peers: ["gone"] },
  ];
  const runs: MemberRun[] = members.map(({ id }) => ({ member: id, succeeded: true, saw: {} }));
  const progress: Progress = { members, published: {}, trusted: { a: ["gone"], b: [] }, runs };
  expect(nextRound(progress)).toEqual([]);
  expect([...standings(progress)]).toEqual([
    ["a", { state: "complete", keeps: ["gone"] }],
    ["b", { state: "pending", peers: ["gone"] }],
  ]);
});

describe("any graph", () => {
  const failures = fc.func(fc.boolean());
  const trouble = fc.record({
    fails: failures,
    killedIn: fc.nat(3),
    effect: fc.func(fc.constantFrom(...EFFECTS)),
    moved: fc.subarray(NAMES),
  });

  test("converges in two rounds when nothing fails", () => {
    fc.assert(
      fc.property(graphs, (members) => {
        const world = new World(members);
        const { rounds, end } = world.up();
        expect(rounds.length).toBeLessThanOrEqual(2);
        expect(world.allComplete()).toBe(true);
        expect([...standings(end).values()].every(({ state }) => state === "complete")).toBe(true);
      }),
    );
  });

  test("with any failures: ends, calls complete only who is, and says of everybody else why", () => {
    fc.assert(
      fc.property(graphs, failures, fc.subarray(NAMES), (members, fails, moved) => {
        const world = new World(members);
        world.up({ fails });
        for (const name of moved) world.move(name);
        const { end } = world.up({ fails });
        for (const [name, standing] of standings(end)) {
          const peers = world.peers(name);
          const broken = peers.filter((peer) => end.published[peer] === undefined);
          const last = end.runs.filter(({ member }) => member === name).at(-1);
          expect(standing.state === "failed").toBe(last?.succeeded === false);
          if (standing.state === "pending") expect([standing.peers, broken.length > 0]).toEqual([broken, true]);
          if (standing.state !== "complete") continue;
          // A peer that failed before it could publish where it has moved is named itself.
          const silent = peers.filter((peer) => standings(end).get(peer)?.state === "failed");
          expect(world.complete(name) || silent.length > 0).toBe(true);
        }
      }),
    );
  });

  test("whatever has failed, was killed at any point or has moved: one more run completes, in two rounds", () => {
    fc.assert(
      fc.property(graphs, fc.array(trouble, { maxLength: 4 }), (members, troubles) => {
        const world = new World(members);
        for (const { moved, ...kind } of troubles) {
          for (const name of moved) world.move(name);
          world.up(kind);
        }
        const { rounds, end } = world.up();
        expect(rounds.length).toBeLessThanOrEqual(2);
        expect(world.allComplete()).toBe(true);
        expect([...standings(end).values()].every(({ state }) => state === "complete")).toBe(true);
      }),
    );
  });

  test("with members that fail for ever: whoever has no such peer completes all the same", () => {
    fc.assert(
      fc.property(graphs, fc.subarray(NAMES), (members, broken) => {
        const world = new World(members);
        world.up({ fails: (name) => broken.includes(name) });
        for (const { id, peers } of members)
          if (![id, ...peers].some((one) => broken.includes(one))) expect(world.complete(id)).toBe(true);
      }),
    );
  });
});
