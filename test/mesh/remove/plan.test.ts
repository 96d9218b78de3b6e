import type { Published } from "../../../mesh/pulumi/workspace";
import type { MeshMember } from "../../../mesh/members/members";
import { printRemovalPlan, type Sight, sights, workOf } from "../../../mesh/remove/plan";
import { id } from "../members/given";
import { asked, byId, member, nothing, trusting } from "./given";

describe("what there is to do", () => {
  const members = [member("a", ["b", "c"]), member("b", ["a", id("c")]), member("c", ["a"])];
  const [a, b, c] = members;
  const leaver = { id: id("c"), name: "c", trustDomain: "c.example.com", member: c as MeshMember };
  const seen = (published: Record<string, Published>, traces: Record<string, Sight["traces"]>): Sight[] =>
    sights(leaver, members, { published: byId(published), traces: byId(traces) });
  const works = (...all: Sight[]) => all.map(workOf);

  test("trust ends in both directions, and the file is searched for every name of the peer", () => {
    const all = seen({ a: trusting("b", "c"), b: trusting("a", "c"), c: trusting("a", "far") }, {});
    expect(all.map(({ member: { name }, ends, named, published }) => [name, ends, named, published])).toEqual([
      ["a", ["c.example.com"], [id("c")], true],
      ["b", ["c.example.com"], [id("c")], true],
      ["c", ["a.example.com", "b.example.com", "far.example.com"], [id("a")], true],
    ]);
    expect([a, b, c].map((one) => one?.config.peers.length)).toEqual([2, 2, 1]);
    // The leaver's stack has far still, though its file names it no more.
    expect(all.map(({ resources }) => resources)).toEqual([["c"], ["c"], ["a", "far"]]);
  });

  test("a stack that is not known to trust, on a cluster that has nothing of it, does not run", () => {
    const all = seen({}, { a: nothing, b: nothing, c: nothing });
    expect(works(...all)).toEqual(members.map(() => ({ edit: true, up: false, forget: false })));
  });

  test("what the cluster has counts, whatever the stack says: an up was interrupted", () => {
    const [first] = seen({}, { a: { ...nothing, asked: [asked("c.example.com")], bundles: ["c.example.com"] } });
    expect(first && workOf(first)).toEqual({ edit: true, up: true, forget: true });
  });

  test("a peer that is waited for is forgotten by an up as well", () => {
    const [first] = seen({ a: { pendingPeers: ["c"], peers: {} } }, { a: nothing });
    expect(first && workOf(first).up).toBe(true);
  });

  test("of a cluster that cannot be asked the worst is taken", () => {
    const all = seen({}, { a: { unseen: "no answer" }, b: { unseen: "no answer" } });
    expect(works(...all).map(({ up, forget }) => [up, forget])).toEqual([
      [true, undefined],
      [true, undefined],
      [true, undefined],
    ]);
  });

  test("the plan says all of it in terms of trust, and what people have to do themselves", () => {
    const users = [{ object: "ClusterSPIFFEID shop", trustDomain: "c.example.com" }];
    const all = seen(
      { a: trusting("c"), c: trusting("a") },
      {
        a: { bundles: ["c.example.com"], asked: [asked("c.example.com")], relationships: [], users, unlisted: [] },
        b: { unseen: "no answer within 10 s" },
        c: nothing,
      },
    );
    const plan = printRemovalPlan(
      { ...leaver, member: { ...(c as MeshMember), outside: ["organization/other/far"] } },
      all,
      true,
    );
    expect(plan).toMatch(
      /a stops trusting c\.example\.com: remove c from Pulumi\.a\.yaml, pulumi up \(restarts its SPIRE server\), delete the bundle/,
    );
    expect(plan).toMatch(/ClusterSPIFFEID shop lists c\.example\.com in federatesWith/);
    expect(plan).toMatch(/b .*\n +its cluster cannot be read: no answer within 10 s/);
    expect(plan).toMatch(/c stops trusting a\.example\.com, b\.example\.com/);
    expect(plan).toMatch(/organization\/other\/far/);
    expect(plan).toMatch(/then stack c is destroyed/);
  });
});
