import type { Published } from "../../../mesh/pulumi/workspace";
import type { MeshMember } from "../../../mesh/members/members";
import { findLeaver, printRemovalPlan, type Sight, sights, workOf } from "../../../mesh/remove/plan";
import type { Traces } from "../../../mesh/remove/traces";
import { configOf } from "../../stacks/fixtures";
import { HOME, id, memberOf } from "../members/given";

function member(name: string, peers: readonly unknown[], trustDomain = `${name}.example.com`): MeshMember {
  return memberOf(configOf({ context: name, trustDomain, peers }, { ...HOME, stack: name }));
}

const trusting = (...peers: string[]): Published => ({
  pendingPeers: [],
  peers: Object.fromEntries(peers.map((peer) => [peer, { trustDomain: `${peer}.example.com`, fingerprints: [] }])),
});

const byId = <T>(of: Record<string, T>): Map<string, T> =>
  new Map(Object.entries(of).map(([stack, value]) => [id(stack), value]));

const nothing: Traces = { bundles: [], relationships: [], asked: [], users: [], unlisted: [] };
const asked = (trustDomain: string) => ({ object: "ClusterFederatedTrustDomain x", trustDomain });

describe("who leaves", () => {
  const members = [member("a", ["b"]), member("b", ["a"])];

  test("is one of the members, with its trust domain", () => {
    expect(findLeaver("b", members, new Map())).toEqual({
      id: id("b"),
      name: "b",
      trustDomain: "b.example.com",
      member: members[1],
    });
  });

  test("is found by those who trust it when its file is gone", () => {
    const leaver = findLeaver("c", members, new Map([[id("a"), trusting("b", "c")]]));
    expect(leaver).toEqual({ id: id("c"), name: "c", trustDomain: "c.example.com" });
  });

  test("is refused when nobody knows it, and the members are named", () => {
    expect(() => findLeaver("c", members, new Map([[id("a"), trusting("b")]]))).toThrow(/^c: .*members are a, b$/);
  });

  test("is refused when its trust domain is another member's, too: trust in that one would end", () => {
    const twins = [...members, member("c", [], "a.example.com")];
    expect(() => findLeaver("a", twins, new Map())).toThrow(/a\.example\.com is that of c as well/);
  });

  test("is refused when the others know another trust domain of it", () => {
    const changed = [member("a", ["b"]), member("b", [], "new.example.com")];
    expect(() => findLeaver("b", changed, new Map([[id("a"), trusting("b")]]))).toThrow(
      /new\.example\.com or b\.example\.com/,
    );
  });
});

describe("what there is to do", () => {
  const members = [member("a", ["b", "c"]), member("b", ["a", id("c")]), member("c", ["a"])];
  const [a, b, c] = members;
  const leaver = { id: id("c"), name: "c", trustDomain: "c.example.com", member: c as MeshMember };
  const seen = (published: Record<string, Published>, traces: Record<string, Sight["traces"]>): Sight[] =>
    sights(leaver, members, byId(published), byId(traces));
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

  test("a stack of another project is known by every name that it has", () => {
    const far = [member("a", ["organization/other/far"])];
    const reference = "organization/other/far";
    for (const written of ["other-far", "other/far", reference]) {
      const leaver = findLeaver(written, far, new Map([[id("a"), trusting("other-far")]]));
      expect(leaver).toEqual({ id: reference, name: "other/far", trustDomain: "other-far.example.com" });
      expect(sights(leaver, far, new Map(), new Map()).map(({ named }) => named)).toEqual([[reference]]);
    }
  });

  test("a peer that is no stack goes from all who describe it, whatever they call it", () => {
    const partner = { name: "partner", trustDomain: "partner.example.org", bundleEndpointUrl: "https://a.example.org" };
    const both = [
      member("a", [partner, "b"]),
      member("b", [{ ...partner, name: "acme", objectName: "to-partner-federation" }]),
    ];
    const leaver = findLeaver("partner", both, new Map());
    expect(leaver).toEqual({ id: `${id("a")}#partner`, name: "partner", trustDomain: "partner.example.org" });
    const all = sights(leaver, both, new Map(), new Map());
    expect(all.map(({ named, resources, ends }) => [named, resources, ends])).toEqual([
      [[`${id("a")}#partner`], ["partner"], ["partner.example.org"]],
      [[`${id("b")}#acme`], ["to-partner"], ["partner.example.org"]],
    ]);
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
