import type { Published } from "../../../mesh/pulumi/workspace";
import type { MeshMember } from "../../../mesh/members/members";
import { type FutureStacks, printUp, up } from "../../../mesh/up/up";
import { configOf, SELF } from "../../stacks/fixtures";
import { memberOf, stackOf } from "../members/given";
import type { UpOutcome } from "../../../mesh/pulumi/outcomes";

const member = (stack: string, ...peers: string[]): MeshMember => memberOf(configOf({ peers }, { ...SELF, stack }));

/** Stacks that publish an endpoint once they have run, unless they are broken. */
class FakeStacks implements FutureStacks {
  readonly ran: string[] = [];
  readonly broken: Record<string, string>;
  running = 0;
  most = 0;
  private readonly urls: Record<string, string> = {};

  made: string[] = [];
  reads = 0;

  constructor(
    broken: Record<string, string> = {},
    private readonly missing: readonly string[] = [],
    private readonly trusted: Record<string, string> = {},
    private readonly pending: Record<string, string[]> = {},
  ) {
    this.broken = broken;
  }

  make(id: string): Promise<void> {
    const name = stackOf(id);
    this.made.push(name);
    return Promise.resolve();
  }

  published(id: string): Promise<Published | undefined> {
    const name = stackOf(id);
    this.reads++;
    if (this.missing.includes(name) && !this.made.includes(name)) return Promise.resolve(undefined);
    const url = this.urls[name];
    const federation = { version: 1, trustDomain: name, bundleEndpointUrl: url ?? "", profile: "https_web" } as const;
    return Promise.resolve({
      ...(url === undefined ? {} : { federation }),
      pendingPeers: this.pending[name] ?? [],
      peers: this.peersOf(name),
    });
  }

  private peersOf(name: string): Published["peers"] {
    const peer = this.trusted[name];
    return peer === undefined ? {} : { [peer]: { trustDomain: peer, fingerprints: [] } };
  }

  async up(id: string): Promise<UpOutcome> {
    const name = stackOf(id);
    this.ran.push(name);
    this.most = Math.max(this.most, ++this.running);
    await new Promise((resolve) => setImmediate(resolve));
    this.running--;
    const error = this.broken[name];
    if (error !== undefined) return { succeeded: false, errors: [error], recovered: [] };
    this.urls[name] = `https://${name}`;
    return { succeeded: true, changes: { create: 2, same: 7 }, restarted: true, recovered: [`lock of ${name}`] };
  }
}

const quiet = (): void => undefined;

test("brings a mesh up in two rounds, no more members at a time than asked", async () => {
  const stacks = new FakeStacks();
  const rounds: (readonly string[])[] = [];
  const members = [member("a", "b", "c"), member("b", "a", "c"), member("c", "a", "b")];
  const result = await up(members, stacks, 2, (_, names) => rounds.push(names.map(stackOf)));
  expect(rounds).toEqual([
    ["a", "b", "c"],
    ["a", "b", "c"],
  ]);
  expect(stacks.most).toBe(2);
  expect(result).toEqual(
    members.map(({ name }) => ({
      member: name,
      state: "complete",
      waitsFor: [],
      keeps: [],
      runs: 2,
      restarts: 2,
      ended: [],
      changes: { create: 4 },
      recovered: [`lock of ${name}`, `lock of ${name}`],
      warnings: [],
      errors: [],
    })),
  );
});

test("restarts are counted where a run fails, too, and trust that has ended is named once", async () => {
  class Restarting extends FakeStacks {
    override async up(id: string): Promise<UpOutcome> {
      const outcome = await super.up(id);
      return { ...outcome, restarted: this.ran.length < 3, ended: ["theirs.example.org"] };
    }
  }
  const stacks = new Restarting({ b: "Route spire-server-federation: Admitted=False" });
  const result = await up([member("a", "b"), member("b", "a")], stacks, 1, quiet);
  expect(result.map(({ state, restarts, ended }) => [state, restarts, ended])).toEqual([
    ["pending", 1, ["theirs.example.org"]],
    ["failed", 1, ["theirs.example.org"]],
  ]);
  expect(printUp(result).match(/^a: no longer trusts theirs\.example\.org/gm)).toHaveLength(1);
});

test("trust that a later round begins again has not ended", async () => {
  class Relisting extends FakeStacks {
    override async up(id: string): Promise<UpOutcome> {
      const first = !this.ran.includes(stackOf(id));
      const outcome = await super.up(id);
      return { ...outcome, ...(first ? { ended: ["b.example.org", "c.example.org"] } : { begun: ["b.example.org"] }) };
    }
  }
  const result = await up([member("a", "b"), member("b", "a")], new Relisting(), 1, quiet);
  expect(result.find((one) => one.member === "a")).toMatchObject({ runs: 2, ended: ["c.example.org"] });
});

test("a member that fails stops nobody; it is named with its cause, and its peers with whom they wait for", async () => {
  const members = [member("a", "b", "c"), member("b", "a", "c"), member("c", "a", "b")];
  const stacks = new FakeStacks({ b: "Route spire-server-federation: Admitted=False" });
  const result = await up(members, stacks, 4, quiet);
  expect(result.map(({ member: name, state, waitsFor, errors }) => [name, state, waitsFor, errors])).toEqual([
    ["a", "pending", ["b"], []],
    ["b", "failed", [], ["Route spire-server-federation: Admitted=False"]],
    ["c", "pending", ["b"], []],
  ]);
  expect(printUp(result)).toMatch(/^a +pending: b +2 /m);
  expect(printUp(result)).toMatch(/b: Route spire-server-federation: Admitted=False/);
});

test("an error that nobody expected is the outcome of its member, and the others keep what they did", async () => {
  class Throwing extends FakeStacks {
    override up(id: string): Promise<UpOutcome> {
      return stackOf(id) === "b" ? Promise.reject(new Error("the backend is away")) : super.up(id);
    }
  }
  const members = [member("a", "b", "c"), member("b", "a", "c"), member("c", "a", "b")];
  const result = await up(members, new Throwing(), 4, quiet);
  expect(result.map(({ member: name, state, errors }) => [name, state, errors])).toEqual([
    ["a", "pending", []],
    ["b", "failed", ["the backend is away"]],
    ["c", "pending", []],
  ]);
});

test("Pulumi's warnings are printed once for a member, as its last run had them", async () => {
  class Warning extends FakeStacks {
    override async up(id: string): Promise<UpOutcome> {
      return { ...(await super.up(id)), warnings: [`run ${String(this.ran.length)} of ${stackOf(id)}`] };
    }
  }
  const result = await up([member("a", "b"), member("b", "a")], new Warning(), 1, quiet);
  expect(printUp(result).match(/warning: .*/g)).toEqual(["warning: run 3 of a", "warning: run 4 of b"]);
});

test("a peer that is not among the members is read and never run", async () => {
  const stacks = new FakeStacks();
  await stacks.up("b");
  const result = await up([member("a", "b")], stacks, 4, quiet);
  expect(stacks.ran).toEqual(["b", "a"]);
  expect(result[0]?.state).toBe("complete");
});

test("each stack is read once before the first round, and what is missing is made, peers' stacks too", async () => {
  const members = [member("a", "b", "c", "d"), member("b", "a", "c", "d")];
  const stacks = new FakeStacks({}, ["b", "d"]);
  let reads = 0;
  await up(members, stacks, 2, () => (reads ||= stacks.reads));
  expect(reads).toBe(4);
  expect(stacks.made).toEqual(["b", "d"]);
  expect(new Set(stacks.ran)).toEqual(new Set(["a", "b"]));
});

test("peers are told apart by their full names, whatever their objects are called", async () => {
  const members = [member("prod_eu", "Prod.US", "organization/other/prod_eu"), member("Prod.US", "prod_eu")];
  const stacks = new FakeStacks({}, [], { prod_eu: "other-prod-eu" });
  const result = await up(members, stacks, 2, quiet);
  expect(result).toMatchObject([
    { member: "prod_eu", state: "complete", waitsFor: [] },
    { member: "Prod.US", state: "complete", waitsFor: [] },
  ]);
  const trusting = new FakeStacks({ "Prod.US": "fails" }, [], { prod_eu: "prod-us" });
  expect(await up(members.slice(0, 1), trusting, 2, quiet)).toMatchObject([{ state: "complete", keeps: ["Prod.US"] }]);
});

test("a member is complete with a peer that it trusts and that publishes nothing any more, and says so", async () => {
  const result = await up([member("a", "gone")], new FakeStacks({}, [], { a: "gone" }), 2, quiet);
  expect(result).toMatchObject([{ member: "a", state: "complete", keeps: ["gone"], runs: 1 }]);
  expect(printUp(result)).toMatch(/^a: keeps trusting gone: .*spire-federation remove/m);
});

describe("a stack that cannot be read", () => {
  const members = [member("a", "b", "c"), member("b", "a", "c"), member("c", "a", "b")];

  class Unreadable extends FakeStacks {
    constructor(private readonly from: number) {
      super();
    }

    override published(name: string): Promise<Published | undefined> {
      const late = this.ran.length >= this.from;
      return stackOf(name) === "c" && late
        ? Promise.reject(new Error("passphrase must be set"))
        : super.published(name);
    }
  }

  test("is not run, and costs nobody else a run: each says whom it waits for, and why", async () => {
    const stacks = new Unreadable(0);
    const result = await up(members, stacks, 1, quiet);
    expect(stacks.ran).toEqual(["a", "b", "a", "b"]);
    expect(result).toMatchObject([
      {
        member: "a",
        state: "pending",
        waitsFor: ["c"],
        errors: [expect.stringMatching(/^c: .*passphrase must be set/)],
      },
      { member: "b", state: "pending", waitsFor: ["c"] },
      { member: "c", state: "failed", runs: 0, errors: [expect.stringMatching(/passphrase must be set/)] },
    ]);
  });

  test("after its run has failed for this time, and its peers do not run again for what is not known", async () => {
    const stacks = new Unreadable(3);
    const result = await up(members, stacks, 1, quiet);
    expect(stacks.ran).toEqual(["a", "b", "c", "a", "b"]);
    expect(result.map(({ state }) => state)).toEqual(["pending", "pending", "failed"]);
  });

  test("or made costs that member only", async () => {
    class Unmakable extends FakeStacks {
      override make(name: string): Promise<void> {
        return stackOf(name) === "b" ? Promise.reject(new Error("no rights")) : super.make(name);
      }
    }
    const stacks = new Unmakable({}, ["b", "c"]);
    const result = await up(members, stacks, 1, quiet);
    expect(stacks.made).toEqual(["c"]);
    expect(result.map(({ state }) => state)).toEqual(["pending", "failed", "pending"]);
    expect(result[1]?.errors).toEqual(["its stack cannot be created: no rights"]);
  });
});

test("a member that waits for a peer of another project is pending, not complete", async () => {
  const far = { name: "elsewhere-far", id: "organization/elsewhere/far", rebootstrap: 0 };
  const alone = { ...member("a"), outside: [far.id], config: { ...configOf(), peers: [far] } };
  const [waits] = await up([alone], new FakeStacks({}, [], {}, { a: [far.name] }), 1, () => undefined);
  expect(waits).toMatchObject({ state: "pending", waitsFor: [far.id] });
  const [joined] = await up([alone], new FakeStacks(), 1, () => undefined);
  expect(joined).toMatchObject({ state: "complete", waitsFor: [] });
});

test("after a signal no further round begins, and the result is what was done until then", async () => {
  const stop = new AbortController();
  class Stopped extends FakeStacks {
    override async up(id: string): Promise<UpOutcome> {
      const outcome = await super.up(id);
      stop.abort();
      return outcome;
    }
  }
  const stacks = new Stopped();
  const reads = stacks.reads;
  const result = await up([member("a", "b"), member("b", "a")], stacks, 2, quiet, stop.signal);
  expect(result.map(({ runs }) => runs)).toEqual([1, 1]);
  expect(stacks.ran).toHaveLength(2);
  expect(stacks.reads - reads).toBe(2);
});
