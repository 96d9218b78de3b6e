/** Everything that asks something over https, through a real proxy that counts what it connects. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createProxy, type Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchNow } from "../../../components/bundle/bundleFetch";
import { connect } from "../../../components/cluster/connect";
import { proxyAgent, proxyFor } from "../../../components/cluster/proxy";
import { lookAtSpiffeEndpoint } from "../../../components/bundle/spiffeEndpoint";
import { spireServer } from "../../../mesh/spire/spireServer";
import { presentedAt } from "../../../mesh/verify/presented";
import { issue, root } from "../issue";
import { peerBundle } from "../given";

describe("NO_PROXY", () => {
  const at = (noProxy: string, host: string): string | undefined =>
    proxyFor(`https://${host}`, { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: noProxy });

  it.each([
    ["*", "api.example.com"],
    ["example.com", "example.com"],
    ["example.com", "api.example.com:6443"],
    [".example.com", "api.example.com"],
    ["*.example.com", "api.example.com"],
    ["api.example.com:6443", "api.example.com:6443"],
    ["other.example.com, API.example.com", "api.example.com"],
    ["10.0.0.0/8", "10.1.2.3:6443"],
    ["10.1.2.3", "10.1.2.3"],
    ["fd00::/8", "[fd01::1]:6443"],
    ["fd01::1", "[fd01::1]"],
    ["", "localhost:6443"],
    ["", "127.0.0.1"],
    ["", "[::1]"],
  ])('"%s" excepts %s', (noProxy, host) => {
    expect(at(noProxy, host)).toBeUndefined();
  });

  it.each([
    ["", "api.example.com"],
    ["example.com", "notexample.com"],
    ["api.example.com:443", "api.example.com:6443"],
    ["10.0.0.0/8", "11.1.2.3"],
    ["10.0.0.0/99", "10.1.2.3"],
    ["0.0.0.0/0", "api.example.com"],
    ["1.2.3", "10.1.2.3"],
  ])('"%s" doesn\'t except %s', (noProxy, host) => {
    expect(at(noProxy, host)).toBe("http://proxy:3128");
  });

  it("is of no meaning without a proxy, which is for https alone, and may lack its scheme", () => {
    expect(proxyFor("https://api.example.com", {})).toBeUndefined();
    expect(proxyFor("http://api.example.com", { HTTPS_PROXY: "http://proxy:3128" })).toBeUndefined();
    expect(proxyFor("https://api.example.com", { https_proxy: "proxy:3128" })).toBe("http://proxy:3128");
  });
});

const HOST = "federation.apps.cluster1.test";
const ID = "spiffe://apps.cluster1.test/spire/server";
const ca = issue("internal CA", { ca: true });
const leaf = issue(HOST, { dnsNames: [HOST], issuer: ca });
const spireRoot = root("apps.cluster1.test");
const svid = issue("spire-server", { uris: [ID], issuer: spireRoot });
const servers: (Server | HttpServer)[] = [];
const tunnels: Socket[] = [];
/** What the proxy was asked to connect to. */
let connected: string[];
let folder: string;
let url: string;
let kubeconfig: string;

function listen(server: Server | HttpServer): Promise<number> {
  servers.push(server);
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      done((server.address() as AddressInfo).port);
    });
  });
}

/** An API server in which a command ends at once, with a version on stdout. */
function answerExec(key: string, socket: Socket): void {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  lines.push(`Sec-WebSocket-Accept: ${accept}`, "Sec-WebSocket-Protocol: v4.channel.k8s.io", "", "");
  socket.write(lines.join("\r\n"));
  const frame = (channel: number, text: string): Buffer => {
    const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
    return Buffer.concat([Buffer.from([0x82, payload.length]), payload]);
  };
  socket.write(frame(1, '{"bundles": []}'));
  socket.write(frame(3, '{"status": "Success"}'));
  socket.on("error", () => undefined);
}

beforeAll(async () => {
  const endpoint = createServer({ cert: leaf.pem, key: leaf.keyPem }, (request, response) => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "here" } };
    const resources = { resources: [{ kind: "Namespace", name: "namespaces", namespaced: false }] };
    const table: Record<string, object> = { "/api/v1": resources, "/api/v1/namespaces/here": namespace };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(table[request.url ?? ""] ?? peerBundle));
  });
  endpoint.on("upgrade", (request, socket: Socket) => {
    answerExec(request.headers["sec-websocket-key"] ?? "", socket);
  });
  const spiffe = createServer({ cert: svid.pem, key: svid.keyPem }, (_, response) => response.end("{}"));
  const ports = [await listen(endpoint), await listen(spiffe)];
  const proxy = createProxy();
  // The name is known to the proxy alone: who doesn't ask it reaches nobody.
  proxy.on("connect", ({ url: target = "" }, socket: Socket) => {
    connected.push(target);
    const through = dial(ports[target.endsWith(":8443") ? 1 : 0] ?? 0, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      through.pipe(socket).pipe(through);
    });
    for (const end of [through, socket]) end.on("error", () => undefined);
    tunnels.push(through, socket);
  });
  process.env["HTTPS_PROXY"] = `http://127.0.0.1:${await listen(proxy)}`;
  url = `https://${HOST}`;
  folder = mkdtempSync(join(tmpdir(), "proxy-"));
  kubeconfig = join(folder, "kubeconfig");
  const cluster = { server: `${url}:6443`, "certificate-authority-data": Buffer.from(ca.pem).toString("base64") };
  const config = {
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "admin", context: { cluster: "c", user: "u" } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
});
beforeEach(() => {
  connected = [];
});
afterEach(() => {
  delete process.env["NO_PROXY"];
});
afterAll(() => {
  delete process.env["HTTPS_PROXY"];
  rmSync(folder, { recursive: true });
  for (const tunnel of tunnels) tunnel.destroy();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

const ask: [string, () => Promise<unknown>, unknown, string][] = [
  [
    "curl fetches a peer's bundle",
    async () => {
      const endpoint = { trustDomain: "apps.cluster1.test", bundleEndpointUrl: url, caCertificates: ca.pem };
      return (await fetchNow(endpoint)).includes('"keys"');
    },
    true,
    `${HOST}:443`,
  ],
  [
    "the own https_spiffe endpoint is asked",
    () => lookAtSpiffeEndpoint(`${url}:8443`, ID, spireRoot.pem),
    { state: "ready" },
    `${HOST}:8443`,
  ],
  [
    "verify looks at what an endpoint presents",
    async () => (await presentedAt(url, ca.pem)).certificate.fingerprint256,
    leaf.certificate.fingerprint256,
    `${HOST}:443`,
  ],
  [
    "the API server is read",
    async () => (await connect({ kubeconfig }).get("v1", "Namespace", "here"))?.metadata?.name,
    "here",
    `${HOST}:6443`,
  ],
  ["commands run in the SPIRE server", () => spireServer({ kubeconfig }).bundles(), [], `${HOST}:6443`],
];

describe("through the proxy", () => {
  it.each(ask)("%s", async (_, request, answer, target) => {
    expect(await request()).toEqual(answer);
    expect([...new Set(connected)]).toEqual([target]);
  });

  it("an API server is read again over the same connection", async () => {
    const reader = connect({ kubeconfig });
    for (let i = 0; i < 3; i++) await reader.get("v1", "Namespace", "here");
    expect(connected).toEqual([`${HOST}:6443`]);
  });
});

it.each(ask)("with NO_PROXY past it: %s", async (_, request, answer) => {
  process.env["NO_PROXY"] = ".cluster1.test";
  // Nobody but the proxy knows the name.
  const outcome = await request().catch((error: unknown) => (error as Error).message);
  expect(outcome).not.toEqual(answer);
  expect(connected).toEqual([]);
});

it("a kind of proxy through which endpoints can't be asked is refused", () => {
  const before = process.env["HTTPS_PROXY"];
  process.env["HTTPS_PROXY"] = "socks5://127.0.0.1:1";
  expect(() => proxyAgent("https://a.example.com", 1000)).toThrow(/HTTPS_PROXY is of the kind socks5; /);
  process.env["HTTPS_PROXY"] = before;
});
