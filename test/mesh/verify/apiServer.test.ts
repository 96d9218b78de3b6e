/** What is asked of an API server, by what arrives there. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiServer } from "../../../mesh/verify/apiServer";
import { issue } from "../../components/issue";

const asked: URL[] = [];
let server: Server;
const dir = mkdtempSync(join(tmpdir(), "api-"));
const kubeconfig = join(dir, "config");

beforeAll(async () => {
  const { pem, keyPem } = issue("localhost", { addresses: ["127.0.0.1"] });
  server = createServer({ cert: pem, key: keyPem }, ({ url = "" }, response) => {
    asked.push(new URL(url, "https://api"));
    response.setHeader("content-type", "text/plain").end("a line");
  }).listen(0, "127.0.0.1");
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
