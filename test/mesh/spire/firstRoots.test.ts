import { ownRootsOf, rootsOf } from "../../../mesh/spire/firstRoots";
import type { Peer } from "../../../components/peer";
import { issue } from "../../components/certificates";
import { peerBundle, peerRoot } from "../../components/given";
import { clusterOf } from "../../components/readers";
import { type Endpoint, serve } from "./endpoint";

const TRUST_DOMAIN = "apps.cluster2.example.com";
const ca = issue("internal CA", { ca: true });
const certificate = issue("localhost", { dnsNames: ["localhost"], issuer: ca });
const roots = [peerRoot.certificate.fingerprint256.replaceAll(":", "").toLowerCase()];
let endpoint: Endpoint;
let peer: Peer;

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
  expect(await rootsOf(peer, "endpoint")).toEqual({ roots, certificates: [peerRoot.pem] });
});

test("are those that the stack has published, where the endpoint presents an SVID", async () => {
  expect(await rootsOf({ ...peer, profile: "https_spiffe", caCertificates: peerRoot.pem }, "endpoint")).toEqual({
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

test("are not known from an endpoint that nobody vouches for", async () => {
  expect(await rootsOf({ ...peer, caCertificates: issue("other CA", { ca: true }).pem }, "endpoint")).toEqual({
    rootsUnknown: expect.stringMatching(/certificate/) as string,
  });
});

test("are not known from an endpoint of another trust domain", async () => {
  expect(await rootsOf({ ...peer, trustDomain: "apps.cluster3.example.com" }, "endpoint")).toEqual({
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
