/** `spire-federation remove`: trust ends in both directions, and is seen to have ended. */
import { readFile, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { EXIT } from "../../../mesh/kernel/exit";
import { Interrupted } from "../../../mesh/kernel/interruption";
import { exitOf, printRemove } from "../../../mesh/remove/result";
import type { RemovalPlan } from "../../../mesh/remove/remove";
import { full, Mesh, states } from "./world";

let mesh: Mesh;
beforeEach(async () => {
  mesh = await Mesh.of(full);
});

afterEach(() => rm(mesh.dir, { recursive: true }));

test("trust ends in both directions, and only there", async () => {
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.fine);
  expect(states(result)).toEqual(["a clean", "b clean", "c clean"]);
  expect(result.files).toEqual(["Pulumi.a.yaml", "Pulumi.b.yaml", "Pulumi.c.yaml"]);
  expect(mesh.holders("c")).toEqual([]);
  expect([...(mesh.bundles.get("c") ?? [])]).toEqual([]);
  expect(await Promise.all(["a", "b", "c"].map((name) => mesh.peers(name)))).toEqual([["b"], ["a"], []]);
  expect(mesh.holders("a")).toEqual(["b"]);
});

test("a second run finds nothing to do, and says so of everybody", async () => {
  await mesh.remove("c");
  mesh.ran.length = 0;
  const again = await mesh.remove("c");
  expect([exitOf(again), mesh.ran, again.files]).toEqual([EXIT.fine, [], []]);
  expect(states(again)).toEqual(["a clean", "b clean", "c clean"]);
});

test("a bundle that was left behind is found, though neither file nor stack know of it any more", async () => {
  await mesh.write("a", ["b"]);
  await mesh.up("a");
  mesh.ran.length = 0;
  expect(mesh.holders("c")).toEqual(["a", "b"]);
  const plans: boolean[] = [];
  const asking = ({ changes }: RemovalPlan): Promise<void> => Promise.resolve(void plans.push(changes));
  const result = await mesh.remove("c", { asking });
  await mesh.remove("c", { asking });
  expect(plans).toEqual([true, false]);
  expect(result.members[0]).toMatchObject({
    member: "a",
    state: "clean",
    did: ["deleted the bundle of c.example.com"],
  });
  expect(mesh.ran).not.toContain("a");
});

test("a member whose file is gone is removed by what the others know of it", async () => {
  await rm(mesh.file("c"));
  const result = await mesh.remove("c");
  expect([exitOf(result), result.trustDomain, result.leaver]).toEqual([EXIT.fine, "c.example.com", undefined]);
  expect(mesh.holders("c")).toEqual([]);
  expect(await mesh.peers("b")).toEqual(["a"]);
});

test("what asks for the bundle beside the stack keeps it, and is named", async () => {
  await mesh.remove("c");
  mesh.asked.get("a")?.add("c.example.com");
  mesh.bundles.get("a")?.add("c.example.com");
  mesh.broken.add("a");
  const result = await mesh.remove("c");
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(result.members[0]?.errors).toEqual(["a is broken", "ClusterFederatedTrustDomain x asks for c.example.com"]);
  expect(mesh.holders("c")).toEqual(["a"]);
});

test("--destroy comes last, only once, and builds nothing first", async () => {
  const result = await mesh.remove("c", { destroy: true });
  expect(mesh.ran.at(-1)).toBe("destroy c");
  expect([result.destroyed, exitOf(result)]).toEqual([true, EXIT.fine]);
  expect(printRemove(result)).toMatch(/delete Pulumi\.c\.yaml and run pulumi stack rm c/);
  mesh.ran.length = 0;
  await mesh.remove("c", { destroy: true });
  expect(mesh.ran).toEqual(["destroy c"]);
});

test("workloads that name the trust domain are warned about", async () => {
  mesh.users.push({ object: "ClusterSPIFFEID shop", trustDomain: "c.example.com" });
  const result = await mesh.remove("c");
  expect(printRemove(result)).toMatch(/a: warning: ClusterSPIFFEID shop lists c\.example\.com in federatesWith/);

  mesh.unlisted.push("ClusterStaticEntry");
  const unsure = await mesh.remove("c");
  expect([exitOf(unsure), printRemove(unsure)]).toEqual([
    EXIT.fine,
    expect.stringMatching(/a: warning: .*ClusterStaticEntry/),
  ]);
});

test("a leaver is clean when it trusts nobody at all, hand-made trust and other projects included", async () => {
  mesh.bundles.get("c")?.add("far.other-project.example.com");
  const result = await mesh.remove("c");
  expect(result.leaver?.state).toBe("clean");
  expect(result.leaver?.trustDomains).toContain("far.other-project.example.com");
  expect([...(mesh.bundles.get("c") ?? [])]).toEqual([]);
});

test("of files of which one cannot be written, those that were are said", async () => {
  // Beside a name of this length there is no room for the name of a temporary file.
  const long = join(mesh.dir, "c".repeat(250));
  await rename(mesh.file("c"), long);
  await symlink(long, mesh.file("c"));
  await expect(mesh.remove("c")).rejects.toThrow("ENAMETOOLONG");
  expect(mesh.changed).toEqual(["changed Pulumi.a.yaml", "changed Pulumi.b.yaml"]);
  expect(mesh.ran).toEqual([]);
});

test("after a signal no file is changed and nothing is run or deleted", async () => {
  const before = await readFile(mesh.file("a"), "utf8");
  mesh.stop.abort(new Interrupted());
  await expect(mesh.remove("c")).rejects.toThrow(Interrupted);
  expect(await readFile(mesh.file("a"), "utf8")).toBe(before);
  expect(mesh.ran).toEqual([]);
  expect(mesh.holders("c")).toEqual(["a", "b"]);
});

test("each thing that was done has a line of its own", async () => {
  const { members, ...removal } = await mesh.remove("c");
  const [first] = members.map((member) => ({ ...member, did: ["one thing", "another"] }));
  expect(printRemove({ ...removal, members: first === undefined ? [] : [first] })).toMatch(
    /^a +clean +one thing *\n +another *$/m,
  );
});
