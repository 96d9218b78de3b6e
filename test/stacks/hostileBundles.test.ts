/** Bundles that must not be trusted: each is refused by name, from an endpoint as from a file, before anything changes. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleMark, type TrustObject } from "../../components/bundle/bundleMark";
import { federatedTrustDomainSpec } from "../../components/bundle/peer";
import { readBundleFile } from "../../stacks/bundleFile";
import { parseConfig } from "../../stacks/config";
import { resolvePeers } from "../../stacks/contract";
import { judgeFirstBundles } from "../../stacks/firstBundle";
import { ConfigError } from "../../stacks/refusal";
import { issue, root, rootKey } from "../components/issue";
import { judgeServedBundles } from "../../stacks/servedBundle";
import { configOf, SELF } from "./fixtures";

const DOMAIN = "partner.example.org";
const OWN = "apps.cluster1.example.com";
const HOUR = 3600 * 1000;
const ca = issue("internal CA", { ca: true });
const certificate = issue("localhost", { dnsNames: ["localhost"], issuer: ca });
const its = root(DOMAIN);
const expired = root(DOMAIN, { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) });
const jwks = (...keys: unknown[]): string => JSON.stringify({ keys });
const good = jwks(rootKey(its));

let dir: string;
let server: Server;
let url: string;
let answer: { status: number; body: string; headers?: Record<string, string> };

beforeAll((done) => {
  dir = mkdtempSync(join(tmpdir(), "hostile-"));
  server = createServer({ cert: certificate.pem, key: certificate.keyPem }, (_, response) => {
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  server.listen(0, "localhost", () => {
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
    done();
  });
});
afterAll((done) => {
  rmSync(dir, { recursive: true });
  server.close(done);
});

/** What an up says of the bundle that the endpoint serves, before it declares anything; undefined when it is taken. */
async function fromEndpoint(
  more: Record<string, unknown> = {},
  trust: TrustObject[] = [],
): Promise<string | undefined> {
  const described = { name: "partner", trustDomain: DOMAIN, bundleEndpointUrl: url, caCertificates: ca.pem, ...more };
  const readings = configOf({ peers: [described] }).peers.map((peer) => ({ peer, published: peer.publication }));
  const problems = await judgeServedBundles(configOf(), resolvePeers(OWN, readings).joined, trust);
  return problems.map(({ message }) => message)[0];
}

/** What an up says of a bundle in a file, before it declares anything; undefined when it is taken. */
function fromFile(body: string): string | undefined {
  writeFileSync(join(dir, "partner.json"), body);
  const described = { name: "partner", trustDomain: DOMAIN, bundleEndpointUrl: url, profile: "https_spiffe" };
  const raw = { trustDomain: OWN, peers: [{ ...described, bundleFile: "partner.json" }] };
  try {
    const config = parseConfig(raw, SELF, [], (path) => readBundleFile(dir, path));
    const readings = config.peers.map((peer) => ({ peer, published: peer.publication }));
    const { joined, problems } = resolvePeers(OWN, readings);
    return [...problems, ...judgeFirstBundles(joined, [], new Date())].map(({ message }) => message)[0];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`).join("\n");
  }
}

const withMember = (more: object): string => jwks({ ...rootKey(its), ...more });

const HOSTILE: [string, string, RegExp, RegExp?][] = [
  ["another trust domain's", jwks(rootKey(root("evil.example.com"))), /of spiffe:\/\/evil\.example\.com; .*must be of/],
  ["one with a private key", withMember({ d: "AAAA" }), /private key material \(d\)/],
  ["a page", "<html>It works!</html>", /is not a JWKS/, /something that is no bundle/],
  ['a page that has the word "keys"', '<html>"keys"</html>', /is not a JWKS/],
  ["a truncated one", good.slice(0, -30), /is not a JWKS/],
  ["an expired one", jwks(rootKey(expired)), /has no root that is valid at/],
  ["one with a root twice", jwks(rootKey(its), rootKey(its)), /has the same certificate as bundle\.keys\[0\]/],
  [
    "one with two lists of keys, of which the last counts",
    good.replace(/}$/, ',"keys":[]}'),
    /bundle\.keys: is empty|bundle\.keys is empty/,
  ],
  ["10,000 keys", jwks(...Array.from({ length: 10_000 }, (_, kid) => ({ kid }))), /has 10000 keys; at most 500/],
  [
    "10 MB",
    jwks({ ...rootKey(its), more: "x".repeat(10_000_000) }),
    /has 10000\d+ bytes; a bundle has/,
    /more than 1048576 bytes/,
  ],
];

test("a good one is taken, from an endpoint as from a file", async () => {
  answer = { status: 200, body: good };
  expect([await fromEndpoint(), fromFile(good)]).toEqual([undefined, undefined]);
});

test.each(HOSTILE)("%s is refused from a file", (_, body, message) => {
  expect(fromFile(body)).toMatch(message);
});

test.each(HOSTILE)("%s is refused from an endpoint", async (_, body, message, served = message) => {
  answer = { status: 200, body };
  expect(await fromEndpoint()).toMatch(served);
});

test("a redirect is not followed, wherever it leads", async () => {
  answer = { status: 302, body: good, headers: { location: `${url}/other` } };
  expect(await fromEndpoint()).toContain("HTTP status 302");
});

test("a root that is not pinned is refused by its SHA-256", async () => {
  answer = { status: 200, body: good };
  const pin = its.certificate.fingerprint256;
  expect(await fromEndpoint({ fingerprints: [pin] })).toBeUndefined();
  const sha256 = pin.replaceAll(":", "").toLowerCase();
  expect(await fromEndpoint({ fingerprints: ["00".repeat(32)] })).toContain(`root sha256 ${sha256}`);
});

test("a JWT key that is not pinned is refused beside a pinned root, by its id and its SHA-256", async () => {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  const spki = key.export({ type: "spki", format: "der" });
  const sha256 = createHash("sha256").update(spki).digest("hex");
  answer = {
    status: 200,
    body: jwks(rootKey(its), { use: "jwt-svid", kid: "thief", ...key.export({ format: "jwk" }) }),
  };
  const pin = its.certificate.fingerprint256;
  expect(await fromEndpoint({ fingerprints: [pin] })).toContain(`JWT key "thief" sha256 ${sha256}`);
  expect(await fromEndpoint({ fingerprints: [pin, sha256] })).toBeUndefined();
});

test("an endpoint whose certificate nobody vouches for is refused", async () => {
  answer = { status: 200, body: good };
  expect(await fromEndpoint({ caCertificates: issue("other CA", { ca: true }).pem })).toMatch(
    /unable to get local issuer certificate/,
  );
});

test("a peer that the cluster trusts already is not asked again: SPIRE follows it", async () => {
  answer = { status: 503, body: "" };
  const spec = federatedTrustDomainSpec({
    stack: "partner",
    trustDomain: DOMAIN,
    bundleEndpointUrl: url,
    profile: "https_web",
  });
  const annotations = { "spire-federation/bundle": bundleMark("new/x", spec) };
  const trusted: TrustObject = {
    ...{ apiVersion: "spire.spiffe.io/v1alpha1", kind: "ClusterFederatedTrustDomain" },
    metadata: { name: "partner-federation", annotations },
    spec,
  };
  expect(await fromEndpoint({}, [trusted])).toBeUndefined();
  expect(await fromEndpoint()).toContain("503");
});
