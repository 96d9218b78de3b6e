import type { Declared } from "../../../mesh/trust/expected";
import { heldOfPeer, leftInStore } from "../../../mesh/trust/serverStore";
import { type Issued, root } from "../../components/issue";
import type { HeldBundle } from "../../../mesh/spire/bundle";
import type { Polls } from "../../../mesh/spire/serverLog";

const place = { member: "cluster1", context: "admin" };
const bundle = (trustDomain: string, roots: Issued[] = [], jwt: string[] = []): HeldBundle => ({
  trustDomain,
  roots: roots.map(({ certificate }) => certificate.raw),
  jwtKeys: jwt.map((id) => ({ id, publicKey: Buffer.from(id) })),
});

describe("what is in SPIRE's store", () => {
  const declared: Declared = {
    objects: new Map(),
    trustDomains: new Set(["peer"]),
    peers: [],
    trusted: new Map([["peer", "cluster2"]]),
    leaving: new Map(),
  };
  const codes = (bundles: string[], relationships: string[], foreign: string[] = []): string[][] =>
    leftInStore(place, { bundles: bundles.map((name) => bundle(name)), relationships }, declared, new Set(foreign)).map(
      ({ code, object }) => [code, object],
    );

  test("is fine when it is a peer's", () => {
    expect(codes(["peer"], ["peer"])).toEqual([]);
  });

  test("is left over when nobody declares it, and a relationship is said once, with its bundle", () => {
    expect(codes(["peer", "gone", "polled"], ["polled"])).toEqual([
      ["relationship-undeclared", "relationship polled"],
      ["bundle-left", "bundle gone"],
    ]);
  });

  test("is not said again of what has a cause in the cluster", () => {
    expect(codes(["peer", "extra"], ["extra"], ["extra"])).toEqual([]);
  });

  test("is missing when a peer that is trusted has no bundle", () => {
    expect(codes([], [])).toEqual([["bundle-missing", "bundle peer"]]);
  });
});

describe("what is held of a peer", () => {
  const now = new Date();
  const [first, second, other] = [root("peer"), root("peer"), root("peer")];
  const expired = root("peer", { notAfter: new Date(now.getTime() - 1000) });
  const codes = (held: HeldBundle, own: HeldBundle, polls?: Polls, revoked?: Date): string[] =>
    heldOfPeer(place, held, { bundle: own, ...(revoked && { revoked }) }, now, polls).map(({ code }) => code);
  const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1000);

  test.each<[string, Issued[], Issued[]]>([
    ["its bundle", [first], [first]],
    ["one from before it has prepared another root", [first], [first, second]],
    ["one with a root that has expired and that it has dropped", [expired, second], [second]],
  ])("may be %s", (_, held, own) => {
    expect(codes(bundle("peer", held), bundle("peer", own))).toEqual([]);
  });

  test.each<[string, Issued[], Issued[], string]>([
    ["a root that it doesn't have", [other], [first], "bundle-foreign"],
    ["such a root beside its own", [first, other], [first], "bundle-foreign"],
    ["nothing that is still valid", [expired], [first], "bundle-stale"],
    ["no root at all", [], [first], "bundle-stale"],
  ])("must not be %s", (_, held, own, code) => {
    expect(codes(bundle("peer", held), bundle("peer", own))).toEqual([code]);
  });

  describe("has a JWT key that the peer doesn't have", () => {
    const held = { ...bundle("peer", [first], ["old", "new"]), refreshHint: 300, sequence: 0 };
    const own = { ...bundle("peer", [first], ["new"]), sequence: 5 };

    test("which is found once the next poll is due", () => {
      expect(codes(held, own, { refreshed: ago(160) })).toEqual(["bundle-foreign"]);
      expect(codes(held, own)).toEqual(["bundle-foreign"]);
    });

    test("which is found when the bundle was refreshed since the peer has revoked one", () => {
      expect(codes(held, own, { refreshed: ago(30) }, ago(60))).toEqual(["bundle-foreign"]);
    });

    test("which is not judged as long as the next poll may take it away", () => {
      expect(() => codes(held, own, { refreshed: ago(30) })).toThrow(/JWT keys sha256 .* within 45 seconds/);
      expect(() => codes(held, own, { refreshed: ago(30) }, ago(20))).toThrow(/JWT keys sha256/);
      expect(codes({ ...held, roots: [] }, own, { refreshed: ago(30) })).toEqual(["bundle-stale"]);
    });

    test("by the name of one that it has", () => {
      const forged = { ...own, jwtKeys: [{ id: "new", publicKey: Buffer.from("forged") }] };
      expect(codes(forged, own)).toEqual(["bundle-foreign"]);
    });
  });

  test("asks SPIRE to look again in years, so that a stolen key would be trusted as long", () => {
    const held = { ...bundle("peer", [first]), refreshHint: 1e9 };
    const found = heldOfPeer(place, held, { bundle: held }, now);
    expect(found.map(({ code, cure }) => [code, cure])).toEqual([
      ["bundle-hint", expect.stringContaining("spire-server federation refresh -id peer")],
    ]);
    expect(codes({ ...held, refreshHint: 3600 }, held)).toEqual([]);
  });
});
