import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { endpointBundle } from "../../../mesh/spire/endpointBundle";
import type { Contract } from "../../../stacks/contract";
import { issue, type Issued, root, rootKey } from "../../components/certificates";

const ca = issue("CA", { ca: true });
const spireRoot = root("peer.example.com");
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwt = { use: "jwt-svid", kid: "a", ...publicKey.export({ format: "jwk" }) };

let server: Server;
let peer: Contract;
let status = 200;

const certificate = ({ pem, keyPem }: Issued): { cert: string; key: string } => ({ cert: pem, key: keyPem });

beforeAll((done) => {
  const body = JSON.stringify({ keys: [rootKey(spireRoot), jwt] });
  server = createServer(certificate(issue("web", { dnsNames: ["localhost"], issuer: ca })), (_, response) =>
    response.writeHead(status).end(body),
  );
  server.listen(0, "localhost", () => {
    const bundleEndpointUrl = `https://localhost:${(server.address() as AddressInfo).port}`;
    peer = {
      version: 1,
      trustDomain: "peer.example.com",
      bundleEndpointUrl,
      profile: "https_web",
      caCertificates: ca.pem,
    };
    done();
  });
});
afterAll((done) => {
  server.close(done);
});

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
