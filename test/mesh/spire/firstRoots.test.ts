import { createHash, generateKeyPairSync } from "node:crypto";
import { describeKeys, ownRootsOf, rootsOf as firstRoots } from "../../../mesh/spire/firstRoots";
import type { Cluster } from "../../../components/cluster/cluster";
import type { Bootstrap } from "../../../components/bundle/givenBundle";
import type { Peer } from "../../../components/bundle/peer";
import { issue, type Issued, root } from "../../components/issue";
import { peerBundle, peerRoot } from "../../components/given";
import { clusterOf, spireCluster } from "../../components/readers";
import { type Endpoint, serve } from "./endpoint";

const TRUST_DOMAIN = "apps.cluster2.example.com";
const ca = issue("internal CA", { ca: true });
const certificate = issue("localhost", { dnsNames: ["localhost"], issuer: ca });
const sha256 = ({ certificate: { fingerprint256 } }: Issued): string =>
  fingerprint256.replaceAll(":", "").toLowerCase();
const roots = [sha256(peerRoot)];
let endpoint: Endpoint;
let peer: Peer;

const rootsOf = (
  one: Peer,
  bootstrap: Bootstrap = "endpoint",
  cluster?: Cluster | Error,
): ReturnType<typeof firstRoots> =>
  firstRoots({ peer: one, bootstrap, ...(cluster && { access: { context: "cluster2" } }) }, () => {
    if (cluster === undefined || cluster instanceof Error) throw cluster ?? new Error("nobody asks for a cluster");
    return cluster;
  });

beforeAll(async () => {
  endpoint = await serve(certificate, () => ({ body: peerBundle }));
  peer = {
    stack: "cluster2",
    trustDomain: TRUST_DOMAIN,
    bundleEndpointUrl: endpoint.url,
    profile: "https_web",
    caCertificates: ca.pem,
  };
});
afterAll(() => endpoint.close());

test("are those that the endpoint serves", async () => {
  expect(await rootsOf(peer)).toEqual({ roots, certificates: [peerRoot.pem] });
});

test("come with the JWT keys that the endpoint serves", async () => {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  const keys = [...peerBundle.keys, { use: "jwt-svid", kid: "k1", ...key.export({ format: "jwk" }) }];
  const withJwt = await serve(certificate, () => ({ body: { keys } }));
  const fingerprint = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
  const jwtKeys = [{ id: "k1", fingerprint }];
  const known = await rootsOf({ ...peer, bundleEndpointUrl: withJwt.url });
  await withJwt.close();
  expect(known).toEqual({ roots, jwtKeys, certificates: [peerRoot.pem] });
  expect(describeKeys({ roots, jwtKeys })).toBe(`root sha256 ${roots.join()}, JWT key "k1" sha256 ${fingerprint}`);
});

test("are those that the stack has published, where the endpoint presents an SVID", async () => {
  expect(await rootsOf({ ...peer, profile: "https_spiffe", caCertificates: peerRoot.pem })).toEqual({
    roots,
    certificates: [peerRoot.pem],
  });
});

test("are those that the stack has published, with bootstrap: stack, or are not known", async () => {
  const cut = { ...peer, bundleEndpointUrl: "https://localhost:1" };
  expect(await rootsOf({ ...cut, roots: peerRoot.pem }, "stack")).toEqual({ roots, certificates: [peerRoot.pem] });
  expect(await rootsOf(cut, "stack")).toEqual({
    rootsUnknown: expect.stringMatching(/^stack "cluster2" publishes no bundle/) as string,
  });
});

test("are those of the peer's own cluster, where this machine may read it, else those that the stack has published", async () => {
  const spiffe: Peer = { ...peer, profile: "https_spiffe", caCertificates: peerRoot.pem };
  const rotated = root(TRUST_DOMAIN);
  const fresh = await rootsOf(spiffe, "endpoint", spireCluster(TRUST_DOMAIN, rotated.pem));
  expect(fresh).toEqual({ roots: [sha256(rotated)], certificates: [rotated.pem] });
  expect(await rootsOf(spiffe, "endpoint", new Error("no answer"))).toEqual({ roots, certificates: [peerRoot.pem] });
  expect(await rootsOf(peer, "endpoint", new Error("a peer with https_web has an endpoint to ask"))).toEqual({
    roots,
    certificates: [peerRoot.pem],
  });
});

test("are not known from an endpoint that nobody vouches for", async () => {
  expect(await rootsOf({ ...peer, caCertificates: issue("other CA", { ca: true }).pem })).toEqual({
    rootsUnknown: expect.stringMatching(/certificate/) as string,
  });
});

test("are not known from an endpoint of another trust domain", async () => {
  expect(await rootsOf({ ...peer, trustDomain: "apps.cluster3.example.com" })).toEqual({
    rootsUnknown: expect.stringMatching(/apps\.cluster3\.example\.com/) as string,
  });
});

test("of a member itself are those that its SPIRE server writes for the agents, as far as they can be read", async () => {
  const bundle = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "spire-bundle", namespace: "zero-trust-workload-identity-manager" },
    data: { "bundle.crt": ca.pem + peerRoot.pem },
  };
  const trimmed = (all: string[]): string[] => all.map((pem) => pem.trim());
  expect(await ownRootsOf(() => clusterOf(bundle))).toEqual(trimmed([ca.pem, peerRoot.pem]));
  expect(await ownRootsOf(() => clusterOf())).toEqual([]);
  const unknown = (): never => {
    throw new Error("the kubeconfig has no such context");
  };
  expect(await ownRootsOf(unknown)).toEqual([]);
});
