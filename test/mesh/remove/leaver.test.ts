import { TRUST_KIND } from "../../../components/bundle/bundleMark";
import type { MeshMember } from "../../../mesh/members/members";
import type { Published } from "../../../mesh/pulumi/workspace";
import { UsageError } from "../../../mesh/kernel/exit";
import { findLeaver, type Leaver, type RemovalReadings } from "../../../mesh/remove/leaver";
import { type Sight, sights, workOf } from "../../../mesh/remove/plan";
import type { Traces } from "../../../mesh/remove/traces";
import { id } from "../members/given";
import { byId, member, nothing, trusting } from "./given";

const members = [member("a", ["b"]), member("b", ["a"])];

/** Everything was read, and is nothing where it is not said. */
function read(
  all: readonly MeshMember[],
  published: Record<string, Published> = {},
  traces: Record<string, Sight["traces"]> = {},
): RemovalReadings {
  const names = all.map(({ name }) => name);
  return {
    published: byId(Object.fromEntries(names.map((name) => [name, published[name]]))),
    traces: byId(Object.fromEntries(names.map((name) => [name, traces[name] ?? nothing]))),
  };
}

type Rest<T> = T extends [unknown, ...infer Others] ? Others : never;
const find = (written: string, all: readonly MeshMember[], ...more: Rest<Parameters<typeof read>>): Leaver =>
  findLeaver(written, all, read(all, ...more));

const refusalOf = (what: () => unknown): Error => {
  try {
    what();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it was not refused");
};

describe("a member", () => {
  test.each(["b", "b.example.com"])("is found as %s", (written) => {
    const leaver = { id: id("b"), name: "b", trustDomain: "b.example.com", member: members[1] };
    expect(find(written, members)).toEqual(leaver);
  });

  test("is refused when its trust domain is another member's, too: trust in that one would end", () => {
    const twins = [...members, member("c", [], "a.example.com")];
    expect(() => find("a", twins)).toThrow(/a\.example\.com is that of c as well/);
  });

  test("is refused when the others know another trust domain of it", () => {
    const changed = [member("a", ["b"]), member("b", [], "new.example.com")];
    for (const written of ["b", "new.example.com"])
      expect(() => find(written, changed, { a: trusting("b") })).toThrow(/new\.example\.com or b\.example\.com/);
  });
});

describe("a peer without a stack file here", () => {
  test("is found by those who trust it", () => {
    const leaver = find("c", members, { a: trusting("b", "c") });
    expect(leaver).toEqual({ id: id("c"), name: "c", trustDomain: "c.example.com" });
  });

  test("of another project is known by every name that it has, and by its trust domain", () => {
    const far = [member("a", ["organization/other/far"])];
    const published = { a: trusting("other-far") };
    const reference = "organization/other/far";
    for (const written of ["other-far", "other/far", reference, "other-far.example.com"]) {
      const leaver = find(written, far, published);
      expect(leaver).toEqual({ id: reference, name: "other/far", trustDomain: "other-far.example.com" });
      expect(sights(leaver, far, read(far, published)).map(({ named }) => named)).toEqual([[reference]]);
    }
  });

  test("that is no stack goes from all who describe it, whatever they call it", () => {
    const partner = { name: "partner", trustDomain: "partner.example.org", bundleEndpointUrl: "https://a.example.org" };
    const both = [
      member("a", [partner, "b"]),
      member("b", [{ ...partner, name: "acme", objectName: "to-partner-federation" }]),
    ];
    for (const written of ["partner", "partner.example.org"]) {
      const leaver = find(written, both);
      expect(leaver).toEqual({ id: `${id("a")}#partner`, name: "partner", trustDomain: "partner.example.org" });
      expect(sights(leaver, both, read(both)).map(({ named, resources, ends }) => [named, resources, ends])).toEqual([
        [[`${id("a")}#partner`], ["partner"], ["partner.example.org"]],
        [[`${id("b")}#acme`], ["to-partner"], ["partner.example.org"]],
      ]);
    }
  });

  describe("of a name that others have as well", () => {
    const partner = (of: string) => ({ name: "partner", trustDomain: of, bundleEndpointUrl: `https://${of}` });
    const both = [member("a", [partner("x.example.org")]), member("b", [partner("y.example.org")])];
    const [, b] = both;
    const trustsX: Published = {
      pendingPeers: [],
      peers: { partner: { trustDomain: "x.example.org", fingerprints: [] } },
    };
    const ambiguous = /x\.example\.org or y\.example\.org.*npx spire-federation remove x\.example\.org$/;

    test("is refused, whether a member's file or its stack alone has it", () => {
      expect(() => find("partner", both)).toThrow(ambiguous);
      expect(() => find("partner", [member("a", []), ...(b ? [b] : [])], { a: trustsX })).toThrow(ambiguous);
    });

    test("is removed by its trust domain, and the other stays", () => {
      const leaver = find("y.example.org", both);
      expect(leaver).toMatchObject({ trustDomain: "y.example.org" });
      expect(sights(leaver, both, read(both)).map(({ named }) => named)).toEqual([[], [`${id("b")}#partner`]]);
    });

    test("is refused where the trust domain of one of them is not known", () => {
      const far = [member("a", ["organization/other/far"]), member("b", ["organization/third/far"])];
      const published = { a: trusting("other-far") };
      expect(() => find("far", far, published)).toThrow(/other-far\.example\.com or organization\/third\/far\./);
      expect(find("other/far", far, published).trustDomain).toBe("other-far.example.com");
    });

    test("is one peer where only one of two members knows the trust domain of that stack", () => {
      const far = [member("a", ["organization/other/far"]), member("b", ["organization/other/far"])];
      expect(find("far", far, { a: trusting("other-far") }).trustDomain).toBe("other-far.example.com");
    });
  });

  test("is found by its object where an up was interrupted before the stack knew of it", () => {
    const object = `${TRUST_KIND} other-far-federation`;
    const trace: Traces = { ...nothing, asked: [{ object, trustDomain: "far.example.com" }] };
    const far = [member("a", ["organization/other/far"])];
    const leaver = find("other/far", far, {}, { a: trace });
    expect(leaver.trustDomain).toBe("far.example.com");
  });

  test("is found by its trust domain where a cluster alone knows it still, and only its bundle goes", () => {
    const traces = { b: { ...nothing, bundles: ["far.example.com"] } };
    const leaver = find("far.example.com", members, {}, traces);
    expect(leaver).toEqual({ id: undefined, name: "far.example.com", trustDomain: "far.example.com" });
    expect(sights(leaver, members, read(members, {}, traces)).map(workOf)).toEqual([
      { edit: false, up: false, forget: false },
      { edit: false, up: false, forget: true },
    ]);
  });
});

describe("a name that nobody knows", () => {
  test("is wrong usage, and the members are named", () => {
    const refusal = refusalOf(() => find("c", members, { a: trusting("b") }));
    expect(refusal).toBeInstanceOf(UsageError);
    expect(refusal.message).toMatch(/^c: .*members are a, b$/);
  });

  test("may be of a trust domain that a cluster trusts and no file names, which is said", () => {
    const traces = { a: { ...nothing, bundles: ["b.example.com", "far.example.com"] } };
    const { message } = refusalOf(() => find("far", members, { a: trusting("b") }, traces));
    expect(message).toContain("far.example.com");
    expect(message).not.toContain("b.example.com");
  });

  test("is unknown, and no wrong usage, while a cluster or a stack cannot be read", () => {
    const unseen = refusalOf(() => find("far", members, {}, { b: { unseen: "no answer within 10 s" } }));
    const unread = refusalOf(() => findLeaver("far", members, { ...read(members), published: byId({ a: undefined }) }));
    expect([unseen, unread].map((error) => error instanceof UsageError)).toEqual([false, false]);
    expect(unseen.message).toContain("the cluster of b (no answer within 10 s)");
    expect(unread.message).toContain("the stack of b");
  });

  test("of a peer that has published nothing says nothing of whom a member trusts", () => {
    const { message } = refusalOf(() => find("other/far", [member("a", ["organization/other/far"])]));
    expect(message).toMatch(/^other\/far: .*delete it from peers/);
  });
});
