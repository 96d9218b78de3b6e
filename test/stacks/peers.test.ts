/** Entries of `peers` that are objects: trust domains that no stack of ours runs, and stacks with more to say of them. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolvePeers } from "../../stacks/contract";
import { parseConfig } from "../../stacks/config";
import { readBundleFile } from "../../stacks/bundleFile";
import { issue, root, rootKey } from "../components/issue";
import { configOf, refusalsOf, SELF } from "./fixtures";

const DOMAIN = "partner.example.org";
const its = root(DOMAIN);
const fingerprint = its.certificate.fingerprint256;
const jwks = JSON.stringify({ keys: [rootKey(its)] });
const web = { name: "partner", trustDomain: DOMAIN, bundleEndpointUrl: "https://spire.partner.example.org" };
const spiffe = { ...web, profile: "https_spiffe", bundle: jwks };
const HOUR = 3600 * 1000;

const peersOf = (...peers: unknown[]): unknown => configOf({ peers }).peers;
const described = {
  name: "partner",
  id: "organization/spire-federation/cluster1#partner",
  rebootstrap: 0,
  publication: { version: 1, trustDomain: DOMAIN, bundleEndpointUrl: web.bundleEndpointUrl, profile: "https_web" },
};

describe("a peer that is no stack", () => {
  it("is what a stack would publish, beside peers that are stacks", () => {
    expect(peersOf("cluster2", web)).toEqual([
      { name: "cluster2", id: "organization/spire-federation/cluster2", rebootstrap: 0 },
      described,
    ]);
  });

  it("is taken as JSON too, the way Pulumi gives it", () => {
    expect(configOf({ peers: JSON.stringify([{ ...web, rebootstrap: 2 }]) }).peers).toEqual([
      { ...described, rebootstrap: 2 },
    ]);
  });

  it("with https_spiffe has the usual SPIFFE ID, and its bundle's roots vouch for its endpoint", () => {
    const publication = {
      ...described.publication,
      profile: "https_spiffe",
      endpointSpiffeId: `spiffe://${DOMAIN}/spire/server`,
      caCertificates: its.certificate.toString(),
      bundle: jwks,
    };
    expect(peersOf(spiffe)).toEqual([{ ...described, publication }]);
    expect(peersOf({ ...spiffe, bundle: JSON.parse(jwks) as unknown })).toEqual([{ ...described, publication }]);
    const endpointSpiffeId = `spiffe://${DOMAIN}/federation`;
    expect(peersOf({ ...spiffe, endpointSpiffeId })).toMatchObject([{ publication: { endpointSpiffeId } }]);
  });

  it("keeps the name that its object has, as a peer that is a stack does", () => {
    const objectName = "to-partner";
    expect(peersOf({ ...web, objectName }, { stack: "cluster2", objectName: "to-cluster2" })).toMatchObject([
      { name: "partner", objectName },
      { name: "cluster2", objectName: "to-cluster2" },
    ]);
    expect(refusalsOf({ peers: [{ ...web, objectName: "No Name" }] })).toEqual([
      expect.stringMatching(/^peers\[0\]\.objectName: "No Name" is not a name/),
    ]);
    expect(refusalsOf({ peers: ["cluster2", { ...web, objectName: "cluster2-federation" }] })).toEqual([
      'peers[1]: "partner" and "cluster2" would both have object cluster2-federation; rename one of them',
    ]);
    expect(refusalsOf({ peers: ["cluster2", { ...web, objectName: "cluster2" }] })).toEqual([
      expect.stringMatching(/^peers\[1\]: objects cluster2-federation .* and cluster2 .* too much alike/),
    ]);
    const [joined] = resolvePeers(
      "apps.cluster1.example.com",
      configOf({ peers: [{ ...web, objectName }] }).peers.map((peer) => ({ peer, published: peer.publication })),
    ).joined;
    expect(joined?.peer).toMatchObject({ stack: "partner", objectName });
  });

  it("may have its roots pinned, in any writing of a SHA-256", () => {
    const pins = [fingerprint.replaceAll(":", "").toLowerCase()];
    for (const written of [fingerprint, ...pins]) {
      expect(peersOf({ ...web, fingerprints: [written] })).toMatchObject([{ publication: { fingerprints: pins } }]);
    }
  });

  it("joins at once: nothing is waited for", () => {
    const [peer] = configOf({ peers: [{ ...web, fingerprints: [fingerprint] }] }).peers;
    if (peer === undefined) throw new Error("no peer");
    const { joined, pending, problems } = resolvePeers("apps.cluster1.example.com", [
      { peer, published: peer.publication },
    ]);
    expect([pending, problems]).toEqual([[], []]);
    expect(joined[0]?.peer).toEqual({
      stack: "partner",
      trustDomain: DOMAIN,
      bundleEndpointUrl: web.bundleEndpointUrl,
      profile: "https_web",
      fingerprints: [fingerprint.replaceAll(":", "").toLowerCase()],
    });
  });

  it("is refused beside a stack of the same trust domain, and in a cluster of that trust domain", () => {
    const described2 = configOf({ peers: ["cluster2", { ...web, trustDomain: "apps.cluster2.example.com" }] }).peers;
    const published = { ...described.publication, trustDomain: "apps.cluster2.example.com" };
    const readings = described2.map((peer) => ({ peer, published: peer.publication ?? published }));
    expect(resolvePeers("apps.cluster1.example.com", readings)).toMatchObject({
      joined: [{ peer: { stack: "partner" } }],
      faulty: [{ name: "cluster2", fault: expect.stringContaining('which is peer "partner"') as unknown }],
      problems: [],
    });
    const inItself = resolvePeers("apps.cluster2.example.com", readings);
    expect(inItself.faulty).toHaveLength(1);
    expect(inItself.problems.map(({ message }) => message)).toEqual([expect.stringContaining('peer "partner"')]);
  });

  it("with a bundle whose roots have expired is no fault of the config: SPIRE has followed it since", () => {
    const old = root(DOMAIN, { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) });
    expect(refusalsOf({ peers: [{ ...spiffe, bundle: JSON.stringify({ keys: [rootKey(old)] }) }] })).toEqual([]);
  });
});

it("a peer of either kind may be trusted one way", () => {
  expect(peersOf({ stack: "cluster2", trust: "oneway" }, { ...web, trust: "oneway" })).toEqual([
    { name: "cluster2", id: "organization/spire-federation/cluster2", rebootstrap: 0, oneWay: true },
    { ...described, oneWay: true },
  ]);
  expect(peersOf({ stack: "cluster2", trust: "mutual" })).toEqual(peersOf("cluster2"));
});

it("a stack may be pinned to roots, too, in either spelling", () => {
  const sha256 = fingerprint.replaceAll(":", "").toLowerCase();
  const peers = [{ stack: "cluster2", fingerprints: [fingerprint] }];
  expect(peersOf(...peers)).toEqual([
    { name: "cluster2", id: "organization/spire-federation/cluster2", rebootstrap: 0, fingerprints: [sha256] },
  ]);
  const published = { version: 1, trustDomain: DOMAIN, bundleEndpointUrl: web.bundleEndpointUrl, profile: "https_web" };
  const readings = configOf({ peers }).peers.map((peer) => ({ peer, published }));
  expect(resolvePeers("apps.cluster1.example.com", readings).joined[0]?.peer.fingerprints).toEqual([sha256]);
});

describe("refused, with its path", () => {
  it.each<[string, unknown, string]>([
    ["no name", { ...web, name: undefined }, "peers[0].name: is not set"],
    ["a name that no object can have", { ...web, name: "Partner Inc." }, 'peers[0].name: "Partner Inc." is not a name'],
    ["no trust domain", { ...web, trustDomain: "" }, "peers[0].trustDomain: is not set"],
    ["a trust domain that is none", { ...web, trustDomain: "A" }, 'peers[0].trustDomain: "A" is not a trust domain'],
    ["no endpoint", { ...web, bundleEndpointUrl: null }, "peers[0].bundleEndpointUrl: is not set"],
    ["an endpoint without TLS", { ...web, bundleEndpointUrl: "http://a.example.org" }, "peers[0].bundleEndpointUrl: "],
    ["an unknown profile", { ...web, profile: "https" }, "peers[0].profile: "],
    ["an unknown trust", { ...web, trust: "twoway" }, "peers[0].trust: "],
    ["an unknown key", { ...web, url: "x" }, "peers[0].url: unknown key"],
    ["a SPIFFE ID with https_web", { ...web, endpointSpiffeId: `spiffe://${DOMAIN}/x` }, "peers[0].endpointSpiffeId: "],
    ["a SPIFFE ID of another", { ...spiffe, endpointSpiffeId: "spiffe://evil/x" }, "peers[0].endpointSpiffeId: "],
    ["a CA that is none", { ...web, caCertificates: "x" }, "peers[0].caCertificates: holds no certificate"],
    [
      "a CA's private key",
      { ...web, caCertificates: its.pem + its.keyPem },
      "peers[0].caCertificates: holds a private",
    ],
    ["a CA with https_spiffe", { ...spiffe, caCertificates: its.pem }, "peers[0].caCertificates: is given with"],
    ["a fingerprint that is none", { ...web, fingerprints: ["ab:cd"] }, 'peers[0].fingerprints[0]: "ab:cd" is not'],
    [
      "a fingerprint of a stack that is none",
      { stack: "cluster2", fingerprints: ["ab:cd"] },
      'peers[0].fingerprints[0]: "ab:cd" is not',
    ],
    ["a fingerprint outside a list", { ...web, fingerprints: fingerprint }, "peers[0].fingerprints: "],
    [
      "https_spiffe without a bundle",
      { ...spiffe, bundle: undefined },
      'peers[0].bundle: is not set; with https_spiffe trust begins with a bundle from its owner: "spire-server bundle show',
    ],
    ["a bundle and a file", { ...spiffe, bundleFile: "partner.json" }, "peers[0].bundleFile: is given beside bundle"],
    ["what is no bundle", { ...spiffe, bundle: "<html>" }, "peers[0].bundle: is not a JWKS"],
    [
      "another trust domain's bundle",
      { ...spiffe, bundle: JSON.stringify({ keys: [rootKey(root("evil.example.com"))] }) },
      "peers[0].bundle.keys[0].x5c: is of spiffe://evil.example.com",
    ],
    [
      "a root that is not pinned",
      { ...spiffe, fingerprints: [issue("other").certificate.fingerprint256] },
      `peers[0].fingerprints: lack keys of the bundle: root sha256 ${fingerprint.replaceAll(":", "").toLowerCase()}`,
    ],
    ["neither a stack nor a name", {}, "peers[0].name: is not set"],
    ["itself as a stack", { stack: "cluster1", trust: "oneway" }, 'peers[0]: "cluster1" is this very stack'],
    ["no name of a stack", { stack: "a/b/c/d" }, 'peers[0].stack: "a/b/c/d" is not the name'],
    ["an endpoint of a stack", { stack: "cluster2", bundleEndpointUrl: "https://a" }, "peers[0].bundleEndpointUrl: "],
  ])("%s", (_, peer, message) => {
    // A missing key is reported before the values are judged.
    expect(refusalsOf({ peers: [peer] })[0]).toMatch(new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")}`));
  });

  it("a name that another peer has, whatever each of them is", () => {
    expect(refusalsOf({ peers: ["cluster2", { ...web, name: "cluster2" }] })).toEqual([
      expect.stringMatching(/^peers\[1\]: .*cluster1#cluster2 and .*\/cluster2 would both be called "cluster2"/),
    ]);
    expect(refusalsOf({ peers: [web, web] })).toEqual(['peers[1]: "partner" is there twice; take one out']);
  });

  it("everything of all entries together", () => {
    const peers = ["a/b/c/d", { ...web, profile: "x" }, { ...web, name: "X", bundleEndpointUrl: "http://x" }];
    expect(refusalsOf({ peers }).map((refusal) => refusal.split(": ")[0])).toEqual([
      "peers[0]",
      "peers[1].profile",
      "peers[2].name",
      "peers[2].bundleEndpointUrl",
    ]);
  });
});

describe("a file with a bundle", () => {
  let dir: string;
  beforeAll(() => (dir = mkdtempSync(join(tmpdir(), "bundle-file-"))));
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });
  const from = (bundleFile: string): (() => unknown) => {
    const raw = { trustDomain: "apps.cluster1.example.com", peers: [{ ...spiffe, bundle: undefined, bundleFile }] };
    return () => parseConfig(raw, SELF, [], (path) => readBundleFile(dir, path)).peers[0]?.publication?.bundle;
  };

  it("is read from the project's folder", () => {
    writeFileSync(join(dir, "partner.json"), jwks);
    expect(from("partner.json")()).toBe(jwks);
    expect(from(join(dir, "partner.json"))()).toBe(jwks);
  });

  it("is refused when it is missing, no file, a device, or larger than any bundle", () => {
    writeFileSync(join(dir, "large.json"), "");
    truncateSync(join(dir, "large.json"), 10_000_000);
    expect(from("none.json")).toThrow(/peers\[0\]\.bundleFile: "none\.json" cannot be used: ENOENT/);
    expect(from(".")).toThrow(/it is not a regular file/);
    expect(from("/dev/zero")).toThrow(/it is not a regular file/);
    expect(from("large.json")).toThrow(/it has 10000000 bytes; a bundle has 1048576 at most/);
  });
});
