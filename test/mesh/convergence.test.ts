import fc from "fast-check";
import { type Member, MOST_RUNS, nextRound, type Progress, type Run, standings } from "../../mesh/convergence";

const NAMES = ["a", "b", "c", "d", "e"];

/** Any graph of up to five members, one-way trust and trust in nobody included. */
const graphs: fc.Arbitrary<Member[]> = fc
  .subarray(NAMES, { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.subarray(names.filter((other) => other !== name)).map((peers): Member => ({ name, peers })),
      ),
    ),
  );

/** Clusters as far as convergence goes: a run that succeeds publishes the endpoint, and trusts whoever had published before. */
class World {
  readonly published: Record<string, string | undefined> = {};
  readonly trusts: Record<string, string[]> = {};

  constructor(readonly members: Member[]) {}

  peers(name: string): readonly string[] {
    return this.members.find((member) => member.name === name)?.peers ?? [];
  }

  /** A whole `mesh up`, unless it is interrupted after some rounds. */
  up(fails: (name: string, round: number) => boolean, stopAfter = Infinity): { rounds: string[][]; end: Progress } {
    const runs: Run[] = [];
    const rounds: string[][] = [];
    for (;;) {
      const saw = { ...this.published };
      const progress = { members: this.members, published: saw, runs };
      const round = nextRound(progress);
      if (round.length === 0 || rounds.length >= stopAfter) return { rounds, end: { ...progress, runs: [...runs] } };
      for (const member of round) {
        const succeeded = !fails(member, rounds.length);
        runs.push({ member, succeeded, saw });
        if (!succeeded) continue;
        this.trusts[member] = this.peers(member).filter((peer) => saw[peer] !== undefined);
        this.published[member] = `endpoint of ${member}`;
      }
      rounds.push(round);
    }
  }

  complete(): boolean {
    return this.members.every(({ name, peers }) => this.trusts[name]?.join() === peers.join());
  }
}

const never = (): boolean => false;

test("from nothing: everybody, then everybody who has peers, and no more", () => {
  const members = NAMES.slice(0, 3).map((name) => ({ name, peers: NAMES.slice(0, 3).filter((n) => n !== name) }));
  const world = new World(members);
  expect(world.up(never).rounds).toEqual([
    ["a", "b", "c"],
    ["a", "b", "c"],
  ]);
  expect(world.up(never).rounds).toEqual([["a", "b", "c"]]);
});

test("a member that joins is complete at once, and only its peers run again", () => {
  const world = new World([
    { name: "a", peers: ["b"] },
    { name: "b", peers: ["a"] },
  ]);
  world.up(never);
  const joined = new World([
    { name: "a", peers: ["b", "c"] },
    { name: "b", peers: ["a"] },
    { name: "c", peers: ["a"] },
  ]);
  Object.assign(joined.published, world.published);
  expect(joined.up(never).rounds).toEqual([["a", "b", "c"], ["a"]]);
});

test("a peer whose endpoint changes every time does not keep the mesh going for ever, and is named", () => {
  const members = [{ name: "a", peers: ["b"] }];
  const runs: Run[] = [];
  for (let n = 0; nextRound({ members, published: { b: String(n) }, runs }).length > 0; n++) {
    runs.push({ member: "a", succeeded: true, saw: { b: String(n - 1) } });
  }
  expect(runs).toHaveLength(MOST_RUNS);
  expect(standings({ members, published: { b: "new" }, runs }).get("a")).toEqual({ state: "unsettled", peers: ["b"] });
});

describe("any graph", () => {
  test("converges in two rounds when nothing fails", () => {
    fc.assert(
      fc.property(graphs, (members) => {
        const world = new World(members);
        const { rounds, end } = world.up(never);
        expect(rounds.length).toBeLessThanOrEqual(2);
        expect(world.complete()).toBe(true);
        expect([...standings(end).values()].every(({ state }) => state === "complete")).toBe(true);
      }),
    );
  });

  test("with any failures: ends, says of every member that is not complete why, and one more run without failures completes", () => {
    const failures = fc.func(fc.boolean());
    fc.assert(
      fc.property(graphs, failures, (members, fails) => {
        const world = new World(members);
        const { end } = world.up((name, round) => fails(name, round));
        for (const [name, standing] of standings(end)) {
          const peers = world.peers(name);
          if (standing.state === "complete") expect(world.trusts[name]).toEqual(peers);
          if (standing.state === "pending") {
            expect(standing.peers).toEqual(peers.filter((peer) => world.published[peer] === undefined));
            expect(standing.peers).not.toEqual([]);
          }
        }
        world.up(never);
        expect(world.complete()).toBe(true);
      }),
    );
  });

  test("after an interruption at any point the next run completes", () => {
    fc.assert(
      fc.property(graphs, fc.subarray(NAMES), fc.nat(2), (members, reached, rounds) => {
        const world = new World(members);
        world.up((name) => !reached.includes(name), rounds);
        world.up(never);
        expect(world.complete()).toBe(true);
      }),
    );
  });
});
