/** The fetch as Pulumi's command plugin runs it: a shell, the script on stdin, the arguments in the environment. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchCommand, readFetched } from "../../../components/bundle/bundleFetch";
import { issue } from "../issue";
import { peerBundle } from "../given";

const DOMAIN = "apps.cluster2.example.com";
const ca = issue("internal CA", { ca: true });
const otherCa = issue("other CA", { ca: true });
const certificate = issue("localhost", { dnsNames: ["localhost"], issuer: ca });

interface Answer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

let server: Server;
let url: string;
let home: string;
/** What the endpoint answers next, the last one for ever. */
let answers: Answer[];
const good: Answer = { status: 200, body: JSON.stringify(peerBundle) };

beforeAll((done) => {
  home = mkdtempSync(join(tmpdir(), "fetch-bundle-"));
  // A .curlrc must not be able to switch the verification off.
  writeFileSync(join(home, ".curlrc"), "insecure\nlocation\n");
  server = createServer({ cert: certificate.pem, key: certificate.keyPem }, (_, response) => {
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? good;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  server.listen(0, "localhost", () => {
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
    done();
  });
});
afterAll((done) => {
  rmSync(home, { recursive: true });
  server.close(done);
});
beforeEach(() => {
  answers = [good];
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function fetch(endpoint: { url?: string; ca?: string; trustDomain?: string; seconds?: number }): Promise<Ended> {
  const args = fetchCommand(
    {
      trustDomain: endpoint.trustDomain ?? DOMAIN,
      bundleEndpointUrl: endpoint.url ?? url,
      ...(endpoint.ca !== undefined && { caCertificates: endpoint.ca }),
    },
    endpoint.seconds ?? 0,
    [],
  );
  const child = spawn("/bin/sh", ["-c", args.create as string], {
    env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home, ...(args.environment as Record<string, string>) },
  });
  const ended: Ended = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => (ended.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (ended.stderr += text.toString()));
  child.stdin.end(args.stdin as string);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      resolve({ ...ended, code });
    });
  });
}

it("prints the time and the bundle of an endpoint that the CA vouches for", async () => {
  const { code, stdout, stderr } = await fetch({ ca: ca.pem });
  expect([code, stderr]).toEqual([0, ""]);
  expect(readFetched(stdout, DOMAIN)).toMatchObject({
    fingerprints: [expect.stringMatching(/^[0-9a-f]{64}$/) as string],
  });
});

it("takes one of several CA certificates", async () => {
  expect((await fetch({ ca: `${otherCa.pem}\n${ca.pem}` })).code).toBe(0);
});

it.each<[string, { url?: string; ca?: string }, string]>([
  ["another CA signed for", { ca: otherCa.pem }, "certificate"],
  ["no CA of this machine signed for", {}, "certificate"],
])("does not trust an endpoint that %s, whatever a .curlrc says", async (_, endpoint, message) => {
  const { code, stdout, stderr } = await fetch(endpoint);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(message);
});

it("does not trust a certificate of another name", async () => {
  const { code, stderr } = await fetch({ ca: ca.pem, url: url.replace("localhost", "127.0.0.1") });
  expect(code).toBe(1);
  expect(stderr).toContain("127.0.0.1");
});

it("speaks nothing but https", async () => {
  const plain = createHttpServer((_, response) => response.end(good.body));
  await new Promise<void>((resolve) => plain.listen(0, "localhost", resolve));
  const { code, stdout } = await fetch({ url: `http://localhost:${(plain.address() as AddressInfo).port}` });
  plain.close();
  expect([code, stdout]).toEqual([1, ""]);
});

it("names the URL, the trust domain, curl's error and what to look at when it gives up", async () => {
  const { code, stderr } = await fetch({ ca: ca.pem, url: "https://localhost:1" });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /https:\/\/localhost:1.*apps\.cluster2\.example\.com.*does not answer.*curl: \(7\).*router runs/,
  );
});

it("says what can be between the router and the SPIRE server, when a connection is cut before TLS", async () => {
  const cutting = createTcpServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => cutting.listen(0, "localhost", resolve));
  const { stderr } = await fetch({ ca: ca.pem, url: `https://localhost:${(cutting.address() as AddressInfo).port}` });
  cutting.close();
  expect(stderr).toMatch(/curl: \(35\)[^]*NetworkPolicy or service mesh.*8443/);
});

it("says where a CA that is not public belongs", async () => {
  expect((await fetch({})).stderr).toMatch(/curl: \(60\)[^]*endpointCa/);
});

it.each<[string, Answer, string]>([
  ["an error", { status: 503, body: "no server is available" }, "503"],
  ["a Route with nothing behind it", { status: 503, body: "" }, "no NetworkPolicy or service mesh keeps the router"],
  ["a redirect", { status: 302, body: '{"keys":[]}', headers: { location: "https://example.com/" } }, "302"],
  ["a page", { status: 200, body: "<html>" }, "no bundle"],
])("gives up on %s", async (_, answer, message) => {
  answers = [answer];
  const { code, stdout, stderr } = await fetch({ ca: ca.pem });
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(message);
});

it("tries again until the endpoint answers", async () => {
  answers = [{ status: 503, body: "" }, { status: 200, body: "starting" }, good];
  expect((await fetch({ ca: ca.pem, seconds: 60 })).code).toBe(0);
});

it("never runs what it is given", async () => {
  const mark = join(home, "ran");
  const hostile = `"; touch ${mark}; $(touch ${mark}) \`touch ${mark}\` #`;
  const { stderr } = await fetch({
    ca: `${ca.pem}${hostile}`,
    trustDomain: hostile,
    url: `https://localhost:1/${hostile}`,
  });
  expect(stderr).toContain(`trust domain ${hostile}`);
  expect(readdirSync(home)).toEqual([".curlrc"]);
});

it("leaves no file behind", async () => {
  await fetch({ ca: ca.pem });
  await fetch({ ca: otherCa.pem });
  expect(readdirSync(home)).toEqual([".curlrc"]);
});
