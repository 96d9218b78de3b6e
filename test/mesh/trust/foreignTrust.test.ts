import { BUNDLE_ANNOTATION, bundleMark, type TrustObject } from "../../../components/bundle/bundleMark";
import type { FederationSpec } from "../../../components/route/federation";
import { FEDERATION_CLASS } from "../../../components/shared/names";
import type { Published } from "../../../mesh/pulumi/workspace";
import { type Declared, declaredBy, knownBy } from "../../../mesh/trust/expected";
import type { Finding } from "../../../mesh/kernel/finding";
import { foreignTrust, foreignTrustDomains, listedPeers, serverConf } from "../../../mesh/trust/foreignTrust";
import type { Contract } from "../../../stacks/contract";
import { configOf } from "../../stacks/fixtures";

const place = { member: "cluster1", context: "admin" };
const contract = (name: string): Contract => ({
  version: 1,
  trustDomain: `${name}.example.com`,
  bundleEndpointUrl: `https://${name}.example.com`,
  profile: "https_web",
});
const trusting = (...names: string[]): Published => ({
  pendingPeers: [],
  peers: Object.fromEntries(names.map((name) => [name, { trustDomain: `${name}.example.com`, fingerprints: [] }])),
});
const declaring = (peers: string[], trusted: string[] = peers): Declared =>
  declaredBy(
    configOf({ peers }),
    peers.map((name) => knownBy(name, contract(name))),
    trusting(...trusted),
  );
const codes = (findings: Finding[]): string[][] => findings.map(({ code, object }) => [code, object]);

test("declared is what the config names and, until an up has taken it out, what the last up has joined", () => {
  const declared = declaredBy(
    configOf({ peers: ["new", "silent"] }),
    [knownBy("new", contract("new"))],
    trusting("left"),
  );
  expect(Object.fromEntries(declared.objects)).toEqual({
    "new-federation": { peer: "new", trustDomain: "new.example.com" },
    "silent-federation": { peer: "new", trustDomain: undefined },
    "left-federation": { peer: "left", trustDomain: "left.example.com" },
  });
  expect([...declared.trustDomains]).toEqual(["new.example.com", "left.example.com"]);
  expect(declared.peers.map(({ stack }) => stack)).toEqual(["new"]);
});

describe("ClusterFederatedTrustDomains of no stack", () => {
  const domain = (
    name: string,
    of: string,
    made: string,
    className: string | undefined = FEDERATION_CLASS,
  ): TrustObject => ({
    metadata: { name, creationTimestamp: made, uid: name },
    spec: { trustDomain: `${of}.example.com`, bundleEndpointURL: `https://${of}.example.com`, className },
  });
  const own = domain("peer-federation", "peer", "2026-01-02");
  const declared = declaring(["peer"]);
  const findings = (...objects: TrustObject[]): Finding[] => foreignTrust(place, [own, ...objects], declared);

  test("are found with whom they make the cluster trust, and how that ends", () => {
    const [finding, ...more] = findings(domain("extra", "other", "2026-01-03"));
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      code: "trust-domain-undeclared",
      object: "ClusterFederatedTrustDomain extra",
      found: "the cluster trusts other.example.com at https://other.example.com",
    });
    expect(finding?.cure).toMatch(/^oc --context admin delete clusterfederatedtrustdomain extra && .*dissociate$/);
  });

  test("of another class, or of none, are named as ignored", () => {
    const none = domain("classless", "other", "2026-01-03");
    delete none.spec?.className;
    expect(codes(findings(domain("extra", "peer", "2026-01-01", "other"), none))).toEqual([
      ["trust-domain-ignored", "ClusterFederatedTrustDomain extra"],
      ["trust-domain-ignored", "ClusterFederatedTrustDomain classless"],
    ]);
  });

  test.each([
    ["an older one for a peer's trust domain wins", "2026-01-01", /ignores the stack's peer-federation/],
    ["a younger one is ignored", "2026-01-03", /ignores it while the stack's peer-federation/],
    ["of the same second the one with the lower uid wins", "2026-01-02", /ignores the stack's peer-federation/],
  ])("%s", (_, made, effect) => {
    const [finding] = findings(domain("extra", "peer", made));
    expect(finding?.code).toBe("trust-domain-twin");
    expect(finding?.found).toMatch(effect);
  });

  describe("by the name of a peer's object", () => {
    const strange = domain("peer-federation", "evil", "2026-01-03");
    const found = (declared: Declared, object = strange): string[][] => codes(foreignTrust(place, [object], declared));
    const foreign = [["trust-domain-undeclared", "ClusterFederatedTrustDomain peer-federation"]];
    const silent = (own: Published): Declared => declaredBy(configOf({ peers: ["peer"] }), [], own);

    test("are found while the peer has published nothing", () => {
      expect(found(silent(trusting()))).toEqual(foreign);
    });

    test("are found where the peer has another trust domain, and no up has trusted it yet", () => {
      expect(found(declaring(["peer"], []))).toEqual(foreign);
      expect(found(declaring(["peer"], []), own)).toEqual([]);
    });

    test("are judged with the peer once an up has trusted it, also when it publishes nothing any more", () => {
      expect(found(declaring(["peer"]))).toEqual([]);
      expect(found(silent(trusting("peer")), own)).toEqual([]);
    });

    test("are the stack's when an interrupted up has made them, as long as nobody has changed them", () => {
      const made = (by: TrustObject): TrustObject => {
        const annotations = { [BUNDLE_ANNOTATION]: bundleMark("new/x", by.spec ?? {}) };
        return { ...by, metadata: { ...by.metadata, annotations } };
      };
      const { metadata } = made(own);
      expect(found(silent(trusting()), made(own))).toEqual([]);
      expect(found(silent(trusting()), { ...strange, ...(metadata && { metadata }) })).toEqual(foreign);
    });
  });

  test("what they, and the SpireServer, ask for beside the stacks is known to those who look into SPIRE's store", () => {
    const objects = [own, domain("extra", "other", "2026-01-03"), domain("x", "ignored", "2026-01-03", "other")];
    const listed = { federatesWith: [{ trustDomain: "listed.example.com" }] } as FederationSpec;
    expect([...foreignTrustDomains(objects, listed, declared)]).toEqual(["other.example.com", "listed.example.com"]);
  });
});

describe("the peers that the SpireServer lists", () => {
  const entry = (name: string, bundleEndpointUrl = `https://${name}.example.com`) => ({
    trustDomain: `${name}.example.com`,
    bundleEndpointUrl,
    bundleEndpointProfile: "https_web" as const,
  });
  const spec = (...federatesWith: ReturnType<typeof entry>[]): FederationSpec => ({
    bundleEndpoint: { profile: "https_web", refreshHint: 300 },
    managedRoute: "true",
    ...(federatesWith.length > 0 && { federatesWith }),
  });

  test("are those that are declared", () => {
    const declared = declaring(["a", "b"], ["a", "left"]);
    expect(listedPeers(place, spec(entry("a"), entry("b"), entry("left")), declared, "static")).toEqual([]);
    expect(listedPeers(place, spec(), declared, "dynamic")).toEqual([]);
  });

  test("or one is too many, says something else, or is not there", () => {
    const listed = spec(entry("a", "https://elsewhere.example.com"), entry("other"));
    const findings = listedPeers(place, listed, declaring(["a", "b"]), "static");
    expect(findings.map(({ code, found }) => [code, found])).toEqual([
      ["federates-with-differs", "federatesWith lists a.example.com: https_web https://elsewhere.example.com"],
      ["federates-with-undeclared", "federatesWith lists other.example.com: https_web https://other.example.com"],
      ["federates-with-missing", "federatesWith doesn't list b.example.com"],
    ]);
    expect(findings[0]?.cure).toBe("npx pulumi up --refresh --stack cluster1");
    expect(findings[1]?.cure).toContain("oc --context admin edit spireserver cluster"); // an up refuses it
  });

  test.each(["static", "dynamic"] as const)("are edited by hand where the stack lists nobody, %s", (mode) => {
    const declared = declaring(mode === "static" ? [] : ["a"]);
    const [finding, ...more] = listedPeers(place, spec(entry("other")), declared, mode);
    expect(more).toEqual([]);
    expect(finding?.cure).toContain("oc --context admin edit spireserver cluster");
  });

  test("are in the SPIRE server's configuration, and nobody else", () => {
    const conf = (...peers: string[]): string =>
      JSON.stringify({
        server: {
          federation: {
            bundle_endpoint: { refresh_hint: "5m0s", profile: { https_web: {} } },
            federates_with: Object.fromEntries(
              peers.map((name) => [
                `${name}.example.com`,
                { bundle_endpoint_url: `https://${name}.example.com`, bundle_endpoint_profile: { https_web: {} } },
              ]),
            ),
          },
        },
      });
    expect(serverConf(place, spec(entry("a")), conf("a"))).toEqual([]);
    expect(serverConf(place, undefined, undefined)).toEqual([]);
    expect(codes(serverConf(place, spec(entry("a")), undefined))).toEqual([
      ["server-conf-differs", "ConfigMap spire-server"],
    ]);
    expect(serverConf(place, spec(entry("a")), conf("a", "other"))[0]?.found).toContain("other.example.com");
  });
});
