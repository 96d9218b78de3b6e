/** The one client that asks https_web endpoints for bundles, against endpoints on this machine. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { type Endpoint, fetchFirst, fetchNow, lookAtWebEndpoint } from "../../../components/bundle/bundleFetch";
import { issue } from "../issue";
import { peer, peerBundle } from "../given";

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
/** What the endpoint answers next, the last one for ever. */
let answers: Answer[];
const good: Answer = { status: 200, body: JSON.stringify(peerBundle) };

beforeAll((done) => {
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
  server.close(done);
});
beforeEach(() => {
  answers = [good];
});

/** The body; an error is thrown with its message. */
const fetched = (changed: Partial<Endpoint> = {}, seconds = 0): Promise<string> =>
  fetchNow({ trustDomain: DOMAIN, bundleEndpointUrl: url, caCertificates: ca.pem, ...changed }, seconds);

it("gives the bundle of an endpoint that the CA vouches for, judged with the peer's pins", async () => {
  expect(await fetched()).toBe(good.body);
  const one = { ...peer, bundleEndpointUrl: url, caCertificates: ca.pem };
  expect(await fetchFirst(one)).toMatchObject({ fingerprints: [expect.stringMatching(/^[0-9a-f]{64}$/) as string] });
  expect(await fetchFirst({ ...one, fingerprints: ["00"] })).toEqual([
    expect.objectContaining({ path: "fingerprints" }) as unknown,
  ]);
});

it("takes one of several CA certificates", async () => {
  expect(await fetched({ caCertificates: `${otherCa.pem}\n${ca.pem}` })).toBe(good.body);
});

describe("with two CAs of which one is the peer's", () => {
  let theirs: Server;
  beforeAll((done) => {
    const leaf = issue("localhost", { dnsNames: ["localhost"], issuer: otherCa });
    theirs = createServer({ cert: leaf.pem, key: leaf.keyPem }, (_, response) => response.end(good.body));
    theirs.listen(0, "localhost", done);
  });
  afterAll((done) => {
    theirs.close(done);
  });

  it.each<[string, string, boolean]>([
    ["takes the certificate of the peer's", otherCa.pem, true],
    ["refuses that of the other one, although this machine trusts it", ca.pem, false],
  ])("%s", (_, caCertificates, taken) => {
    // Only a process of its own can be given CAs that it trusts for everything.
    const bundleEndpointUrl = `https://localhost:${(theirs.address() as AddressInfo).port}`;
    const folder = mkdtempSync(join(tmpdir(), "trusted-ca-"));
    const trusted = join(folder, "ca.pem");
    writeFileSync(trusted, otherCa.pem);
    const program = `
      const { fetchNow } = require(${JSON.stringify(join(process.cwd(), "dist/components/bundle/bundleFetch.js"))});
      fetchNow(${JSON.stringify({ trustDomain: DOMAIN, bundleEndpointUrl, caCertificates })}).then(
        () => console.log("taken"), (error) => console.log(error.message));`;
    return promisify(execFile)(process.execPath, ["-e", program], {
      env: { NODE_EXTRA_CA_CERTS: trusted, NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" },
    })
      .then(({ stdout }) => {
        if (taken) expect(stdout).toBe("taken\n");
        else expect(stdout).toMatch(/The last error was: .*certificate/);
      })
      .finally(() => {
        rmSync(folder, { recursive: true });
      });
  });
});

it.each<[string, Partial<Endpoint>]>([
  ["another CA signed for", { caCertificates: otherCa.pem }],
  ["no CA of this machine signed for", { caCertificates: undefined }],
])("does not trust an endpoint that %s, and says where a CA belongs", async (_, endpoint) => {
  await expect(fetched(endpoint)).rejects.toThrow(/certificate.*endpointCa/);
});

it("does not trust a certificate of another name", async () => {
  await expect(fetched({ bundleEndpointUrl: url.replace("localhost", "127.0.0.1") })).rejects.toThrow("127.0.0.1");
});

it("speaks nothing but https", async () => {
  await expect(fetched({ bundleEndpointUrl: url.replace("https", "http") })).rejects.toThrow(/[Pp]rotocol/);
});

it("names the URL, the trust domain, the error and what to look at when it gives up", async () => {
  await expect(fetched({ bundleEndpointUrl: "https://localhost:1" })).rejects.toThrow(
    /https:\/\/localhost:1.*apps\.cluster2\.example\.com.*does not answer.*ECONNREFUSED.*router runs/,
  );
});

it("says what can be between the router and the SPIRE server, when a connection is cut before TLS", async () => {
  const cutting = createTcpServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => cutting.listen(0, "localhost", resolve));
  const cut = fetched({ bundleEndpointUrl: `https://localhost:${(cutting.address() as AddressInfo).port}` });
  await expect(cut).rejects.toThrow(/NetworkPolicy or service mesh.*8443/);
  cutting.close();
});

it.each<[string, Answer, string]>([
  ["an error", { status: 503, body: "no server is available" }, "503"],
  ["a Route with nothing behind it", { status: 503, body: "" }, "no NetworkPolicy or service mesh keeps the router"],
  ["a redirect", { status: 302, body: '{"keys":[]}', headers: { location: "https://example.com/" } }, "302"],
  ["a page", { status: 200, body: "<html>" }, "no bundle"],
])("gives up on %s", async (_, answer, message) => {
  answers = [answer];
  await expect(fetched()).rejects.toThrow(message);
});

it("reads no more than a bundle can have, of an answer without end", async () => {
  let sent = 0;
  const endless = createServer({ cert: certificate.pem, key: certificate.keyPem }, (_, response) => {
    const send = (): void => {
      while (!response.destroyed && response.write("x".repeat(65_536))) sent += 65_536;
    };
    response.on("drain", send);
    response.on("error", () => undefined);
    send();
  });
  await new Promise<void>((resolve) => endless.listen(0, "localhost", resolve));
  const bundleEndpointUrl = `https://localhost:${(endless.address() as AddressInfo).port}`;
  await expect(fetched({ bundleEndpointUrl })).rejects.toThrow("more than 1048576 bytes");
  endless.closeAllConnections();
  endless.close();
  expect(sent).toBeLessThan(50_000_000);
});

it("waits no longer than its bound for an answer that drips", async () => {
  const dripping = createServer({ cert: certificate.pem, key: certificate.keyPem }, (_, response) => {
    const drip = setInterval(() => response.write(" "), 200);
    response.on("close", () => {
      clearInterval(drip);
    });
  });
  await new Promise<void>((resolve) => dripping.listen(0, "localhost", resolve));
  const bundleEndpointUrl = `https://localhost:${(dripping.address() as AddressInfo).port}`;
  await expect(fetched({ bundleEndpointUrl })).rejects.toThrow("no answer within 10 s");
  dripping.closeAllConnections();
  dripping.close();
}, 30_000);

it("tries again until the endpoint answers", async () => {
  answers = [{ status: 503, body: "" }, { status: 200, body: "starting" }, good];
  expect(await fetched({}, 60)).toBe(good.body);
});

it("shows nothing of a certificate that a terminal would act on", async () => {
  const evil = issue("evil", { dnsNames: ["x\u001b[2J"], issuer: ca });
  const other = createServer({ cert: evil.pem, key: evil.keyPem });
  await new Promise<void>((resolve) => other.listen(0, "localhost", resolve));
  const bundleEndpointUrl = `https://localhost:${(other.address() as AddressInfo).port}`;
  const error: unknown = await fetched({ bundleEndpointUrl }).catch((thrown: unknown) => thrown);
  other.close();
  expect((error as Error).message).toMatch(/^[\x20-\x7e]+$/);
});

describe("a look at the own endpoint", () => {
  const looked = (changed: Partial<Endpoint> = {}): ReturnType<typeof lookAtWebEndpoint> =>
    lookAtWebEndpoint({ trustDomain: DOMAIN, bundleEndpointUrl: url, caCertificates: ca.pem, ...changed });

  it("is content with its trust domain's bundle, and waits for another", async () => {
    expect(await looked()).toEqual({ state: "ready" });
    expect(await looked({ trustDomain: "other.example.com" })).toMatchObject({
      state: "waiting",
      because: expect.stringMatching(/serves a wrong bundle: .*spiffe:\/\/apps\.cluster2/) as string,
    });
  });

  it("finds a certificate that peers do not trust", async () => {
    expect(await looked({ caCertificates: otherCa.pem })).toMatchObject({
      state: "waiting",
      because: expect.stringMatching(/does not answer: .*certificate/) as string,
    });
  });
});
