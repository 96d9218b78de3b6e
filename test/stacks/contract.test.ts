import * as fc from "fast-check";
import * as pulumi from "@pulumi/pulumi";
import { type Contract, type Known, resolvePeers } from "../../stacks/contract";
import { declaredIn } from "../../stacks/peerIdentity";
import type { PeerStack } from "../../stacks/peers";
import type { Peer } from "../../components/bundle/peer";
import { root } from "../components/issue";
import { PEER, SELF } from "./fixtures";

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
    expect(resolve(value)).toEqual({ joined: [], kept: [], pending: ["cluster2"], faulty: [], problems: [] });
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
      faulty: [],
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
    expect(resolvePeers(OWN, readings, { trusted: (name) => (name === "cluster3" ? { peer } : undefined) })).toEqual({
      joined: [{ peer, rebootstrap: 2 }],
      kept: ["cluster3"],
      pending: ["cluster2"],
      faulty: [],
      problems: [],
    });
  });

  it("that publishes again is joined as it publishes itself, whatever the cluster trusts", () => {
    const trusted = () => ({ fault: "was asked" });
    expect(resolvePeers(OWN, [{ peer: PEER, published }], { trusted })).toEqual(resolve(published));
  });

  it("of which the cluster's trust was changed by hand is a problem as long as nothing is published", () => {
    expect(
      resolvePeers(OWN, [{ peer: PEER, published: undefined }], { trusted: () => ({ fault: "changed" }) }),
    ).toEqual({
      joined: [],
      kept: [],
      pending: [],
      faulty: [],
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

describe("a stack that publishes another trust domain than it has", () => {
  const bank = { ...published, trustDomain: "bank.example" };
  const identity = /publishes trust domain "bank\.example"/;
  const files: Record<string, string> = {
    "Pulumi.cluster2.yaml": "config:\n  spire-federation:trustDomain: apps.cluster2.example.com\n",
    "Pulumi.cluster3.yaml": "config:\n  spire-federation:trustDomain: bank.example\n",
  };
  const readIn = (there: Record<string, string>) => (path: string) => {
    const text = there[path];
    if (text === undefined) throw new Error("ENOENT");
    return text;
  };
  const declared = declaredIn(SELF, readIn(files));
  const held: Peer = { stack: "cluster2", ...published };

  it.each<[string, Known, Partial<PeerStack>, RegExp]>([
    ["the stack's own file says", { declared }, {}, /Pulumi\.cluster2\.yaml says "apps\.cluster2/],
    [
      "peers says",
      { declared },
      { trustDomain: "apps.c2.example" },
      /entry of cluster2 in peers says "apps\.c2\.example/,
    ],
    ["the cluster trusts", { trusted: () => ({ peer: held }) }, {}, /trusts it as "apps\.cluster2/],
  ])("than %s is not believed", (_, known, more, message) => {
    const { joined, faulty, problems } = resolvePeers(OWN, [{ peer: { ...PEER, ...more }, published: bank }], known);
    expect(faulty).toEqual([{ name: "cluster2", fault: expect.stringMatching(identity) as unknown }]);
    expect(faulty[0]?.fault).toMatch(message);
    expect(problems).toEqual([]);
    // What the cluster trusts already stays as it is.
    expect(joined.map(({ peer }) => peer)).toEqual(known.trusted === undefined ? [] : [held]);
  });

  it.each<[string, Record<string, string>]>([
    ["Pulumi.cluster2.yml", {}],
    ["stacks/Pulumi.cluster2.yaml", { "Pulumi.yaml": "name: spire-federation\nstackConfigDir: stacks\n" }],
    ["stacks/Pulumi.cluster2.yml", { "Pulumi.yml": "name: spire-federation\nconfig: ./stacks\n" }],
    [
      "stacks/Pulumi.cluster2.yaml",
      { "Pulumi.json": '{"stackConfigDir": "stacks"}', "Pulumi.cluster2.yaml": "config: {}" },
    ],
  ])("than %s says, where the project has its files, is not believed", (file, others) => {
    const text = files["Pulumi.cluster2.yaml"] ?? "";
    const known = { declared: declaredIn(SELF, readIn({ ...others, [file]: text })) };
    const { joined, faulty } = resolvePeers(OWN, [{ peer: PEER, published: bank }], known);
    expect(joined).toEqual([]);
    expect(faulty[0]?.fault).toContain(`${file} says "apps.cluster2.example.com"`);
  });

  it("is believed where a project's or a stack's file is none that can be read", () => {
    for (const there of [{ "Pulumi.cluster2.yaml": "config: [" }, { "Pulumi.yaml": "[" }]) {
      const known = { declared: declaredIn(SELF, readIn(there)) };
      expect(resolvePeers(OWN, [{ peer: PEER, published: bank }], known)).toMatchObject({ faulty: [], joined: [{}] });
    }
  });

  it("does not take the trust domain of a peer that has published nothing yet", () => {
    const foreign = { name: "other-cluster4", id: "organization/other/cluster4", rebootstrap: 0 };
    const { joined, faulty, pending } = resolvePeers(
      OWN,
      [
        { peer: foreign, published: bank },
        { peer: third, published: undefined },
      ],
      { declared },
    );
    expect([joined, pending]).toEqual([[], ["cluster3"]]);
    expect(faulty[0]?.fault).toMatch(/which is peer "cluster3"'s by Pulumi\.cluster3\.yaml/);
  });

  it("is believed where its own file says the same, and where nothing is known of it", () => {
    expect(resolvePeers(OWN, [{ peer: PEER, published }], { declared })).toMatchObject({ faulty: [], joined: [{}] });
    expect(resolvePeers(OWN, [{ peer: PEER, published: bank }])).toMatchObject({ faulty: [], joined: [{}] });
  });
});

describe("a stack that publishes no CA any more", () => {
  const peer: Peer = { stack: "cluster2", ...published, caCertificates: ca.pem };
  const trusted = () => ({ peer });

  it("is trusted by the one that the cluster knows", () => {
    const { joined, faulty } = resolvePeers(OWN, [{ peer: PEER, published }], { trusted });
    expect(joined.map((one) => one.peer)).toEqual([peer]);
    expect(faulty[0]?.fault).toMatch(/publishes no CA .*cmctl renew/);
  });

  it("is believed when it says that none is needed", () => {
    const { joined, faulty } = resolvePeers(OWN, [{ peer: PEER, published: { ...published, publicCa: true } }], {
      trusted,
    });
    expect(faulty).toEqual([]);
    expect(joined[0]?.peer).not.toHaveProperty("caCertificates");
  });
});

it("a faulty peer costs the others nothing, and stays trusted as it is", () => {
  const peer = { stack: "cluster2", ...published } as Peer;
  const readings = [
    { peer: PEER, published: { ...published, version: 9 } },
    { peer: third, published: { ...published, trustDomain: "apps.cluster3.example.com" } },
  ];
  const trusted = (name: string) => (name === "cluster2" ? { peer } : undefined);
  const { joined, faulty, problems } = resolvePeers(OWN, readings, { trusted });
  expect([joined.map((one) => one.peer.stack), faulty.map(({ name }) => name), problems]).toEqual([
    ["cluster2", "cluster3"],
    ["cluster2"],
    [],
  ]);
  expect(joined[0]?.peer).toEqual(peer);
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
    ["a number for a URL", { ...published, bundleEndpointUrl: 1 }, /federation\.bundleEndpointUrl: 1 is not allowed/],
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
    const { joined, faulty, problems } = resolve(value);
    expect(faulty).toEqual([{ name: "cluster2", fault: expect.stringMatching(/^stack "cluster2" /) as unknown }]);
    expect(faulty[0]?.fault).toMatch(message);
    expect([joined, problems]).toEqual([[], []]);
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
    const { faulty } = resolvePeers(OWN, [
      { peer: PEER, published: { ...published, version: 9 } },
      { peer: third, published: { ...published, trustDomain: OWN } },
    ]);
    expect(faulty.map(({ name }) => name)).toEqual(["cluster2", "cluster3"]);
  });
});

it("never throws and never joins what was not checked, whatever is published", () => {
  const changed: Record<string, fc.Arbitrary<unknown>> = {
    version: fc.constantFrom(1, "1", 2),
    trustDomain: fc.oneof(fc.constantFrom(OWN, "-", "other.example", "A.example", "a b"), fc.jsonValue()),
    bundleEndpointUrl: fc.oneof(fc.webUrl(), fc.jsonValue()),
    profile: fc.oneof(fc.constantFrom("https_web", "https_spiffe"), fc.jsonValue()),
    endpointSpiffeId: fc.oneof(fc.constant("spiffe://apps.cluster2.example.com/spire/server"), fc.jsonValue()),
    caCertificates: fc.oneof(fc.constant(ca.pem), fc.jsonValue()),
    roots: fc.oneof(fc.constant(ca.pem), fc.jsonValue()),
  };
  const spiffe = { profile: "https_spiffe", endpointSpiffeId: "spiffe://apps.cluster2.example.com/spire/server" };
  const valid = fc.constantFrom(published, { ...published, ...spiffe, caCertificates: ca.pem });
  // Up to two fields of what is joined: with all of them odd at once, nothing ever is.
  const value = fc.oneof(
    { weight: 1, arbitrary: fc.jsonValue() },
    {
      weight: 4,
      arbitrary: fc
        .tuple(valid, fc.subarray(Object.keys(changed), { maxLength: 2 }))
        .chain(([base, keys]) =>
          fc
            .record(Object.fromEntries(keys.map((key) => [key, changed[key] ?? fc.constant(undefined)])))
            .map((fields) => ({ ...base, ...fields })),
        ),
    },
  );
  const outcomes = { joined: 0, faulty: 0 };
  fc.assert(
    fc.property(value, (given) => {
      const { joined, pending, faulty, problems } = resolve(given);
      expect(problems).toEqual([]);
      expect(joined.length + pending.length + faulty.length).toBe(1);
      outcomes.joined += joined.length;
      outcomes.faulty += faulty.length;
      for (const { peer } of joined) {
        // Any other name that SPIFFE allows is the peer's own business, "-" too; this cluster's own name is not.
        expect(peer.trustDomain).toBe((given as { trustDomain: string }).trustDomain);
        expect(peer.trustDomain).toMatch(/^[a-z0-9._-]{1,255}$/);
        expect(peer.trustDomain).not.toBe(OWN);
        expect(peer.bundleEndpointUrl).toMatch(/^https:\/\//i);
        expect(peer.profile === "https_spiffe").toBe(peer.endpointSpiffeId !== undefined);
      }
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(outcomes.joined, outcomes.faulty)).toBeGreaterThan(100);
});
