/** CronJob `nudge`: which Stacks it asks the operator to run. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SCRIPT = join(__dirname, "..", "..", "deploy", "pko", "nudge.js");
const REQUEST = "pulumi.com/reconciliation-request";
const STACKS = "/apis/pulumi.com/v1/namespaces/mesh/stacks";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "nudge-"));
  await writeFile(join(dir, "token"), "of-nudge\n");
});
afterAll(() => rm(dir, { recursive: true }));

interface Nudged {
  code: unknown;
  /** What changes something, in order. */
  asked: string[];
  err: string;
}

/** Runs it against an API server that has these Stacks, and answers requests whose path has `refused` in it with 403. */
async function nudge(items: readonly object[], refused?: string): Promise<Nudged> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    if (method !== "GET") asked.push(`${method} ${url.split("?")[0] ?? ""}`);
    const isRefused = headers.authorization !== "Bearer of-nudge" || (refused !== undefined && url.includes(refused));
    response.statusCode = isRefused ? 403 : method === "DELETE" ? 404 : 200;
    request.resume().on("end", () => response.end(JSON.stringify({ items })));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const env = {
    ...process.env,
    API_SERVER: `http://127.0.0.1:${String(port)}`,
    TOKEN_FILE: join(dir, "token"),
    NAMESPACE: "mesh",
  };
  const child = spawn(process.execPath, [SCRIPT], { env, stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr.on("data", (text: Buffer) => (err += text.toString()));
  const [code] = (await once(child, "close")) as unknown[];
  server.close();
  server.closeAllConnections();
  return { code, asked, err };
}

const condition = (type: string, reason: string): object => ({ type, status: "True", reason });
const stack = (name: string, outputs: object, conditions: readonly object[] = [], requested?: Date): object => ({
  metadata: { name, ...(requested && { annotations: { [REQUEST]: requested.toISOString() } }) },
  status: { outputs, conditions },
});
const published = stack("cluster2", { federation: { version: 1 }, pendingPeers: [] });
const waiting = (...conditions: object[]): object => stack("cluster1", { pendingPeers: ["cluster2"] }, conditions);
const stalled = (reason: string, minutesAgo?: number): object =>
  stack(
    "cluster1",
    {},
    [condition("Stalled", reason)],
    minutesAgo === undefined ? undefined : new Date(Date.now() - minutesAgo * 60_000),
  );
const RUN = `PATCH ${STACKS}/cluster1`;

test.each<[string, object[], string[]]>([
  ["a pending peer has published", [waiting(), published], [RUN]],
  ["a pending peer has published nothing", [waiting(), stack("cluster2", {})], []],
  ["a pending peer is not of this cluster", [waiting()], []],
  ["the operator runs it already", [waiting(condition("Reconciling", "StackProcessing")), published], []],
  ["nothing is pending", [published], []],
  ["it has never run", [{ metadata: { name: "cluster1" } }], []],
  ["it is stalled after failures", [stalled("UpdateFailed")], [RUN]],
  ["it is stalled, and was asked to run 9 minutes ago", [stalled("UpdateFailed", 9)], []],
  ["it is stalled, and was asked to run 11 minutes ago", [stalled("UpdateFailed", 11)], [RUN]],
  ["it is stalled for what no run cures", [stalled("SpecInvalid")], []],
  [
    "its workspace has failed, and its pod is gone already",
    [stalled("WorkspaceFailed")],
    [RUN, "DELETE /api/v1/namespaces/mesh/pods/cluster1-workspace-0"],
  ],
])("%s", async (_, items, asked) => {
  expect(await nudge(items)).toEqual({ code: 0, asked, err: "" });
});

test("a right that is missing is said, and fails the job", async () => {
  const { code, err } = await nudge([stalled("UpdateFailed")], "stacks/cluster1");
  expect(code).toBe(1);
  expect(err).toContain(`PATCH ${STACKS}/cluster1`);
  expect(err).toContain("403");
});
