import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { fetchNow } from "../../../components/bundle/bundleFetch";
import { lookAtSpiffeEndpoint } from "../../../components/bundle/spiffeEndpoint";
import { notOffered } from "../../../components/bundle/tlsOffer";
import { presentedAt } from "../../../mesh/verify/presented";
import { issue } from "../../components/issue";

const ca = issue("CA", { ca: true });
const leaf = issue("endpoint", { dnsNames: ["elsewhere.example.com"], issuer: ca });
let server: Server;
let url: string;

beforeAll((done) => {
  server = createServer({ key: leaf.keyPem, cert: leaf.pem }, (request, response) => {
    if (request.url === "/silent") return;
    response.writeHead(request.url === "/" ? 200 : 503).end("the bundle");
  }).listen(0, "127.0.0.1", () => {
    url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    done();
  });
});
afterAll((done) => {
  server.closeAllConnections();
  server.close(done);
});

test("what is presented and served is seen, whoever vouches for it and whatever its name is", async () => {
  const presented = await presentedAt(url, ca.pem);
  expect(presented).toMatchObject({ status: 200, body: "the bundle", refused: undefined });
  expect(presented.certificate.fingerprint256).toBe(leaf.certificate.fingerprint256);
});

test("whether these CAs vouch for it is said beside it", async () => {
  const { refused, status } = await presentedAt(`${url}/error`, issue("other CA", { ca: true }).pem);
  expect(refused).toBe("UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
  expect(status).toBe(503);
});

test("a certificate that comes with intermediates is judged by what is at the end of the chain", async () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const spire = issue("SPIRE Server CA", { ca: true, issuer: upstream });
  const svid = issue("endpoint", { uris: ["spiffe://apps.cluster1.example.com/spire/server"], issuer: spire });
  server.setSecureContext({ key: svid.keyPem, cert: svid.pem + spire.pem });
  expect(await presentedAt(url, upstream.pem)).toMatchObject({ refused: undefined });
  expect(await presentedAt(url, spire.pem)).toMatchObject({ refused: undefined });
  expect(await presentedAt(url, ca.pem)).toMatchObject({ refused: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" });
  server.setSecureContext({ key: leaf.keyPem, cert: leaf.pem });
});

test("an endpoint that is not there is an error", async () => {
  await expect(presentedAt("https://127.0.0.1:1", undefined)).rejects.toThrow("ECONNREFUSED");
});

test("one that demands a group which this machine does not offer says nothing of the endpoint", async () => {
  const strict = createServer({ key: leaf.keyPem, cert: leaf.pem, ecdhCurve: "secp256k1", minVersion: "TLSv1.3" });
  await new Promise<void>((done) => strict.listen(0, "127.0.0.1", done));
  const at = `https://127.0.0.1:${String((strict.address() as AddressInfo).port)}`;
  const endpoint = { trustDomain: "apps.cluster1.example.com", bundleEndpointUrl: at, caCertificates: ca.pem };
  const seen = await Promise.all([
    presentedAt(at, ca.pem).catch(String),
    fetchNow(endpoint).catch(String),
    lookAtSpiffeEndpoint(at, "spiffe://apps.cluster1.example.com/spire/server", ca.pem).then(JSON.stringify),
  ]);
  await new Promise((done) => strict.close(done));
  for (const said of seen) expect(said).toMatch(/this machine cannot offer .*X25519MLKEM768/);
});

test("with an OpenSSL that offers every group, and of other alerts, nothing is said of this machine", () => {
  const refused = new Error("ssl3_read_bytes:sslv3 alert handshake failure:SSL alert number 40");
  expect(notOffered(refused, [3, 0])).toBeDefined();
  expect([notOffered(refused, [3, 5]), notOffered(refused, [4, 0])]).toEqual([undefined, undefined]);
  expect(notOffered(new Error("tlsv1 alert internal error:SSL alert number 80"), [3, 0])).toBeUndefined();
});

test("one that accepts and says nothing is given up", async () => {
  await expect(presentedAt(`${url}/silent`, ca.pem)).rejects.toThrow("no answer within");
});

test("without CAs of its own those of NODE_EXTRA_CA_CERTS are believed", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "presented-")), "ca.pem");
  writeFileSync(file, ca.pem);
  const script = `require("./dist/mesh/verify/presented.js").presentedAt("${url}").then(({ refused }) => console.log(refused ?? "believed"))`;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: file };
  const { stdout } = await promisify(execFile)("node", ["--eval", script], { env });
  expect(stdout).toBe("believed\n");
  rmSync(dirname(file), { recursive: true });
});
