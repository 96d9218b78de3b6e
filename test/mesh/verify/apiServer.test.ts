/** What is asked of an API server, by what arrives there. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Forbidden } from "../../../components/cluster/cluster";
import { runIn } from "../../../mesh/spire/serverExec";
import { apiServer } from "../../../mesh/verify/apiServer";
import { issue } from "../../components/issue";

const asked: URL[] = [];
/** Status codes with which the next requests fail. */
let failures: number[] = [];
let server: Server;
const dir = mkdtempSync(join(tmpdir(), "api-"));
const kubeconfig = join(dir, "config");

beforeAll(async () => {
  const { pem, keyPem } = issue("localhost", { addresses: ["127.0.0.1"] });
  server = createServer({ cert: pem, key: keyPem }, ({ url = "" }, response) => {
    asked.push(new URL(url, "https://api"));
    const failure = failures.shift();
    if (failure === undefined) response.setHeader("content-type", "text/plain").end("a line");
    else response.writeHead(failure).end("not now");
  })
    .on("upgrade", ({ url = "" }, socket) => {
      asked.push(new URL(url, "https://api"));
      socket.end(`HTTP/1.1 ${failures.shift() ?? 403} Refused\r\ncontent-length: 0\r\n\r\n`);
    })
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  const cluster = {
    server: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    "certificate-authority-data": Buffer.from(pem).toString("base64"),
  };
  const context = { cluster: "c", user: "u" };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "c", context }],
    }),
  );
});

afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

test.each([
  ["the SPIRE server", 16_000_000, "serverLog"],
  ["an agent", 2_000_000, "agentLog"],
] as const)("the log of %s comes bounded, in lines and bytes", async (_, bytes, log) => {
  expect(await apiServer({ kubeconfig, context: "c" })[log]("spire-agent-a")).toBe("a line");
  const { searchParams } = asked.at(-1) as URL;
  expect(searchParams.get("limitBytes")).toBe(String(bytes));
  expect(Number(searchParams.get("tailLines"))).toBeGreaterThan(0);
});

test("a log that an API server does not give in passing is asked for again", async () => {
  failures = [503, 429];
  expect(await apiServer({ kubeconfig, context: "c" }).serverLog()).toBe("a line");
});

test("a command that an API server refuses in passing has not run, and is run again", async () => {
  failures = [503, 429];
  const before = asked.length;
  await expect(runIn({ kubeconfig, context: "c" })("/spire-server", ["bundle"])).rejects.toThrow(Forbidden);
  expect(asked.slice(before)).toHaveLength(3);
});
