import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { endpointBundle } from "../../../mesh/spire/endpointBundle";
import type { Contract } from "../../../stacks/contract";
import { issue, root, rootKey } from "../../components/issue";
import { type Endpoint, serve } from "./endpoint";

const ca = issue("CA", { ca: true });
const spireRoot = root("peer.example.com");
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwt = { use: "jwt-svid", kid: "a", ...publicKey.export({ format: "jwk" }) };

let endpoint: Endpoint;
let peer: Contract;
let status = 200;

beforeAll(async () => {
  const body = { keys: [rootKey(spireRoot), jwt] };
  endpoint = await serve(issue("web", { dnsNames: ["localhost"], issuer: ca }), () => ({ status, body }));
  peer = {
    version: 1,
    trustDomain: "peer.example.com",
    bundleEndpointUrl: endpoint.url,
    profile: "https_web",
    caCertificates: ca.pem,
  };
});
afterAll(() => endpoint.close());

test("the keys are those that SPIRE would take from there", async () => {
  const { trustDomain, roots, jwtKeys } = await endpointBundle(peer);
  expect(trustDomain).toBe("peer.example.com");
  expect(roots).toEqual([spireRoot.certificate.raw]);
  expect(
    jwtKeys.map((key) => createPublicKey({ key: key.publicKey, format: "der", type: "spki" }).equals(publicKey)),
  ).toEqual([true]);
});

test("an endpoint that nobody vouches for, that answers with an error or is of somebody else, is not believed", async () => {
  const { pem } = issue("other CA", { ca: true });
  await expect(endpointBundle({ ...peer, caCertificates: pem })).rejects.toThrow(/certificate/);
  status = 503;
  await expect(endpointBundle(peer)).rejects.toThrow(/503/);
  status = 200;
  await expect(endpointBundle({ ...peer, trustDomain: "other.example.com" })).rejects.toThrow(/other\.example\.com/);
});

test("with https_spiffe nobody but a SPIRE server could verify it", async () => {
  await expect(endpointBundle({ ...peer, profile: "https_spiffe" })).rejects.toThrow("https_spiffe");
});
