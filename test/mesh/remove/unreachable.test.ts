/** `spire-federation remove` where stacks, clusters or SPIRE servers do not answer. */
import { rm } from "node:fs/promises";
import * as fc from "fast-check";
import { EXIT } from "../../../mesh/kernel/exit";
import { exitOf, printRemove, type Removal } from "../../../mesh/remove/result";
import { id } from "../members/given";
import { full, Mesh, states } from "./world";

let mesh: Mesh;
beforeEach(async () => {
  mesh = await Mesh.of(full);
});

afterEach(() => rm(mesh.dir, { recursive: true }));

test("a peer that cannot be reached is named as still trusting, and a re-run finishes", async () => {
  mesh.down.add("a");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(printRemove(result)).toMatch(/^a +still trusts c\.example\.com/m);
  expect(printRemove(result)).toMatch(/a: a does not answer/);
  expect(mesh.holders("c")).toEqual(["a"]);

  mesh.down.clear();
  expect(exitOf(await mesh.remove("c"))).toBe(EXIT.fine);
  expect(mesh.holders("c")).toEqual([]);
});

test("of a SPIRE server that cannot be asked, for want of its program, clean is not said", async () => {
  mesh.programless.add("a");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(printRemove(result)).toMatch(/^a: .*has none of \/spire-server and \/opt\/spire\/bin\/spire-server/m);
});

describe("a peer without a stack file here, whose bundle a member could not delete,", () => {
  let far: Mesh;
  beforeEach(async () => {
    far = await Mesh.of({ a: ["b", "far"], b: ["a", "far"] });
  });
  afterEach(() => rm(far.dir, { recursive: true }));

  test("is removed by its trust domain afterwards, as the first run says", async () => {
    far.programless.add("a");
    const first = await far.remove("far");
    expect([states(first), exitOf(first)]).toEqual([["a still trusts", "b clean"], EXIT.findings]);
    expect(printRemove(first)).toContain("run npx spire-federation remove far.example.com\n");
    expect(printRemove(first)).not.toContain("Pulumi.far.yaml");

    await expect(far.remove("far")).rejects.toThrow(/not read: the cluster of a \(/);
    far.programless.clear();
    await expect(far.remove("far")).rejects.toThrow(/far\.example\.com, which a member trusts/);
    expect(far.holders("far")).toEqual(["a"]);

    const again = await far.remove("far.example.com");
    expect([states(again), exitOf(again), far.holders("far")]).toEqual([["a clean", "b clean"], EXIT.fine, []]);
  });

  test("is removed by its trust domain where an up has taken it out of the stacks", async () => {
    for (const [name, peer] of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      await far.write(name, [peer]);
      await far.up(id(name));
    }
    expect(far.holders("far")).toEqual(["a", "b"]);
    expect(exitOf(await far.remove("far.example.com"))).toBe(EXIT.fine);
    expect(far.holders("far")).toEqual([]);
  });
});

test("a member whose stack cannot be read costs the others nothing, is not run, and is named", async () => {
  mesh.unreadable.add("a");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(mesh.ran).not.toContain("a");
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(result.members[0]?.errors[0]).toMatch(/a needs a passphrase/);
  expect(mesh.holders("c")).toEqual(["a"]);

  mesh.unreadable.clear();
  expect(exitOf(await mesh.remove("c"))).toBe(EXIT.fine);
  expect(mesh.holders("c")).toEqual([]);
});

test("a leaver whose stack cannot be read is not destroyed", async () => {
  mesh.unreadable.add("c");
  const result = await mesh.remove("c", { destroy: true });
  expect([result.destroyed, exitOf(result)]).toEqual([false, EXIT.findings]);
  expect(mesh.ran).not.toContain("destroy c");
});

test("a member that is gone for good is removed; that it was not asked is said and is no failure of the others", async () => {
  mesh.down.add("c");
  const result = await mesh.remove("c", { destroy: true });
  expect(exitOf(result)).toBe(EXIT.unknown);
  expect(states(result)).toEqual(["a clean", "b clean", "c still trusts"]);
  expect(mesh.ran).not.toContain("destroy c");
  expect(printRemove(result)).toMatch(/c cannot be reached.*pulumi stack rm c --force/);
});

test("an up that fails after it has ended the trust is a failed member, and a clean one", async () => {
  mesh.broken.add("a");
  mesh.asked.get("a")?.delete("c.example.com");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(result.members[0]).toMatchObject({ state: "clean", errors: ["a is broken"] });
  expect(mesh.holders("c")).toEqual([]);
});

test("whatever is down, broken or killed, clean is said of nobody who holds the bundle, and the next run finishes", async () => {
  const some = fc.subarray(["a", "b", "c"]);
  const peers = fc.record({ a: fc.subarray(["b", "c"]), b: fc.subarray(["a", "c"]), c: fc.subarray(["a", "b"]) });
  const calls = fc.oneof(fc.constant(Infinity), fc.nat(30));
  await fc.assert(
    fc.asyncProperty(peers, some, some, calls, async (graph, down, broken, callsLeft) => {
      const one = await Mesh.of(graph);
      down.forEach((name) => one.down.add(name));
      broken.forEach((name) => one.broken.add(name));
      one.callsLeft = callsLeft;
      const first = await one.remove("c").catch(() => undefined);
      for (const { member, state } of first?.members ?? [])
        expect(state === "clean" && one.holders("c").includes(member)).toBe(false);
      for (const name of first === undefined ? [] : down)
        expect(states(first as Removal)).toContain(`${name} still trusts`);

      one.callsLeft = Infinity;
      one.down.clear();
      one.broken.clear();
      expect(exitOf(await one.remove("c"))).toBe(EXIT.fine);
      expect(one.holders("c")).toEqual([]);
      expect([...(one.bundles.get("c") ?? [])]).toEqual([]);
      await rm(one.dir, { recursive: true });
    }),
    { numRuns: 60 },
  );
});
