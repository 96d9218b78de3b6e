import * as fc from "fast-check";
import * as pulumi from "@pulumi/pulumi";
import { type Contract, resolvePeers } from "../../stacks/contract";
import { root } from "../components/issue";
import { PEER } from "./fixtures";

const OWN = "apps.cluster1.example.com";
const published: Contract = {
  version: 1,
  trustDomain: "apps.cluster2.example.com",
  bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
  profile: "https_web",
};
const third = { name: "cluster3", id: "organization/spire-federation/cluster3", rebootstrap: 2 };
const ca = root("apps.cluster2.example.com");

const resolve = (value: unknown): ReturnType<typeof resolvePeers> =>
  resolvePeers(OWN, [{ peer: PEER, published: value }]);

describe("a peer", () => {
  it.each([
    ["of which nothing is published", undefined],
    ["whose output is empty", null],
    ["whose output an up went past", pulumi.runtime.unknownValue],
  ])("%s is pending, and no error", (_, value) => {
    expect(resolve(value)).toEqual({ joined: [], kept: [], pending: ["cluster2"], problems: [] });
  });

  it("that has published is joined, beside one that has not", () => {
    const readings = [
      { peer: PEER, published: undefined },
      { peer: third, published: { ...published, caCertificates: ca.pem } },
    ];
    expect(resolvePeers(OWN, readings)).toEqual({
      joined: [
        {
          peer: {
            stack: "cluster3",
            trustDomain: "apps.cluster2.example.com",
            bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
            profile: "https_web",
            caCertificates: ca.pem,
          },
          rebootstrap: 2,
        },
      ],
      kept: [],
      pending: ["cluster2"],
      problems: [],
    });
  });

  it("that publishes nothing any more, and that the cluster trusts, is joined as it is trusted now", () => {
    const { trustDomain, bundleEndpointUrl, profile } = published;
    const peer = { stack: "cluster3", trustDomain, bundleEndpointUrl, profile };
    const readings = [
      { peer: PEER, published: undefined },
      { peer: third, published: null },
    ];
    expect(resolvePeers(OWN, readings, (name) => (name === "cluster3" ? { peer } : undefined))).toEqual({
      joined: [{ peer, rebootstrap: 2 }],
      kept: ["cluster3"],
      pending: ["cluster2"],
      problems: [],
    });
  });

  it("that publishes again is joined as it publishes itself, whatever the cluster trusts", () => {
    const trusted = () => ({ fault: "was asked" });
    expect(resolvePeers(OWN, [{ peer: PEER, published }], trusted)).toEqual(resolve(published));
  });

  it("of which the cluster's trust was changed by hand is a problem as long as nothing is published", () => {
    expect(resolvePeers(OWN, [{ peer: PEER, published: undefined }], () => ({ fault: "changed" }))).toEqual({
      joined: [],
      kept: [],
      pending: [],
      problems: [{ path: "peers", message: "changed" }],
    });
  });

  it("may publish its roots, or not, as earlier releases do", () => {
    expect(resolve({ ...published, roots: ca.pem }).joined[0]?.peer).toHaveProperty("roots", ca.pem);
    expect(resolve(published).joined[0]?.peer).not.toHaveProperty("roots");
  });

  it("of a later release may publish more, as long as the version is the same", () => {
    expect(resolve({ ...published, region: "eu" })).toEqual(resolve(published));
  });
});

describe("refused by the name of the stack", () => {
  const spiffe = {
    ...published,
    profile: "https_spiffe",
    endpointSpiffeId: "spiffe://apps.cluster2.example.com/spire/server",
  };
  it.each<[string, unknown, RegExp]>([
    ["a newer version", { ...published, version: 2 }, /version 2, and here it is 1; run the same release/],
    ["no version", { trustDomain: "x" }, /version null/],
    ["what is no object", "https://…", /publishes federation: "https:\/\/…"; it is an object/],
    ["no trust domain", { ...published, trustDomain: undefined }, /federation\.trustDomain: is not set/],
    ["a trust domain that is none", { ...published, trustDomain: "A B" }, /federation\.trustDomain: "A B"/],
    [
      "a URL without TLS",
      { ...published, bundleEndpointUrl: "http://a.example.com" },
      /federation\.bundleEndpointUrl: /,
    ],
    ["a number for a URL", { ...published, bundleEndpointUrl: 1 }, /federation\.bundleEndpointUrl: 1 is not possible/],
    ["no profile", { ...published, profile: undefined }, /federation\.profile: is not set/],
    ["an unknown profile", { ...published, profile: "https" }, /federation\.profile: "https"/],
    [
      "a CA with its private key",
      { ...published, caCertificates: ca.pem + ca.keyPem },
      /caCertificates: holds a private key/,
    ],
    ["roots that are none", { ...published, roots: "abc" }, /federation\.roots: holds no certificate/],
    ["a root with its private key", { ...published, roots: ca.pem + ca.keyPem }, /roots: holds a private key/],
    ["https_spiffe without roots", spiffe, /federation\.caCertificates: /],
    [
      "an endpoint of another trust domain",
      { ...spiffe, caCertificates: ca.pem, endpointSpiffeId: "spiffe://evil.example/x" },
      /federation\.endpointSpiffeId: /,
    ],
    ["this cluster's own trust domain", { ...published, trustDomain: OWN }, /own trust domain/],
  ])("%s", (_, value, message) => {
    const { joined, problems } = resolve(value);
    expect(problems).toEqual([
      { path: "peers", message: expect.stringMatching(/^(stack|peer) "cluster2" /) as unknown },
    ]);
    expect(problems[0]?.message).toMatch(message);
    // What is refused is not handed on as a peer, unless only its neighbours speak against it.
    expect(joined.filter(({ peer }) => peer.trustDomain !== OWN)).toEqual([]);
  });

  it("two peers with one trust domain, both named", () => {
    const { problems } = resolvePeers(OWN, [
      { peer: PEER, published },
      { peer: third, published },
    ]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(/"cluster3".*"cluster2"/);
  });

  it("all peers at once", () => {
    const { problems } = resolvePeers(OWN, [
      { peer: PEER, published: { ...published, version: 9 } },
      { peer: third, published: { ...published, trustDomain: OWN } },
    ]);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("cluster2"),
      expect.stringContaining("cluster3"),
    ]);
  });
});

it("never throws and never joins what was not checked, whatever is published", () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        version: fc.constantFrom(1, "1", 2),
        trustDomain: fc.oneof(fc.constant("apps.cluster2.example.com"), fc.jsonValue()),
        bundleEndpointUrl: fc.oneof(fc.constant("https://a.example.com"), fc.webUrl(), fc.jsonValue()),
        profile: fc.oneof(fc.constantFrom("https_web", "https_spiffe"), fc.jsonValue()),
        endpointSpiffeId: fc.oneof(fc.constant("spiffe://apps.cluster2.example.com/spire/server"), fc.jsonValue()),
        caCertificates: fc.oneof(fc.constant(ca.pem), fc.jsonValue()),
        roots: fc.oneof(fc.constant(ca.pem), fc.jsonValue()),
      },
      { requiredKeys: ["version"] },
    ),
  );
  fc.assert(
    fc.property(value, (given) => {
      const { joined, pending, problems } = resolve(given);
      expect(joined.length + pending.length + (problems.length > 0 ? 1 : 0)).toBe(1);
      for (const { peer } of joined) {
        expect(peer.bundleEndpointUrl).toMatch(/^https:\/\//i);
        expect(peer.profile === "https_spiffe").toBe(peer.endpointSpiffeId !== undefined);
      }
    }),
    { numRuns: 1000 },
  );
});
