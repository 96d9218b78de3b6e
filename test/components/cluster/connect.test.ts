/**
 * The real reader, as a process of its own, against an API server of a few answers.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issue } from "../issue";

let server: Server;
let folder: string;
let kubeconfig: string;
const requests: string[] = [];
let handshakes = 0;
const authorizations: (string | undefined)[] = [];

const resources = (...kinds: [string, string][]): object => ({
  resources: kinds.map(([kind, name]) => ({ kind, name, namespaced: kind !== "Ingress" })),
});

function answer(path: string): object | undefined {
  if (/\/flaky-/.test(path)) return { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "flaky" } };
  const table: Record<string, object> = {
    "/api/v1": resources(["ConfigMap", "configmaps"]),
    "/apis/config.openshift.io/v1": resources(["Ingress", "ingresses"]),
    "/apis/config.openshift.io/v1/ingresses/cluster": {
      apiVersion: "config.openshift.io/v1",
      kind: "Ingress",
      metadata: { name: "cluster" },
      spec: { domain: "apps.cluster1.example.com" },
    },
    "/api/v1/namespaces/ns/configmaps": {
      kind: "ConfigMapList",
      apiVersion: "v1",
      items: [{ metadata: { name: "here" } }],
    },
    "/api/v1/namespaces/ns/services/https%3Aspire-server%3A8443/proxy/": { keys: [] },
  };
  return table[path];
}

beforeAll((done) => {
  const ca = issue("API server CA", { ca: true });
  const { pem, keyPem } = issue("localhost", { dnsNames: ["localhost"], issuer: ca });
  server = createServer({ cert: pem, key: keyPem }, (request, response) => {
    const url = new URL(request.url ?? "", "https://localhost");
    authorizations.push(request.headers.authorization);
    requests.push(`${request.method ?? ""} ${url.pathname}${url.search}`);
    if (/forbidden$|guarded/.test(url.pathname)) {
      const what = url.pathname.endsWith("/forbidden") ? "configmaps" : "services/proxy";
      const status = { kind: "Status", apiVersion: "v1", message: `${what} is forbidden` };
      response.writeHead(403, { "content-type": "application/json" }).end(JSON.stringify(status));
      return;
    }
    if (url.pathname.endsWith("/expired")) {
      const status = { kind: "Status", apiVersion: "v1", message: "Unauthorized" };
      response.writeHead(401, { "content-type": "application/json" }).end(JSON.stringify(status));
      return;
    }
    // As the API server does it: the client leaves a slash at the end of a path out.
    if (url.pathname.endsWith("/proxy")) {
      response.writeHead(301, { location: `${url.pathname}/` }).end();
      return;
    }
    if (url.pathname.endsWith("/silent")) return;
    const [, fails = "", times = "0"] = /\/flaky-(\w+)-(\d)$/.exec(url.pathname) ?? [];
    if (fails !== "" && requests.filter((one) => one.endsWith(url.pathname)).length <= Number(times)) {
      if (fails === "reset") {
        request.socket.destroy();
        return;
      }
      const message = fails === "500" ? "etcdserver: leader changed" : "not now";
      response
        .writeHead(Number(fails), {
          "content-type": "application/json",
          ...(fails === "429" && { "retry-after": "0" }),
        })
        .end(JSON.stringify({ kind: "Status", apiVersion: "v1", message }));
      return;
    }
    const body = answer(url.pathname);
    response
      .writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" })
      .end(JSON.stringify(body ?? { kind: "Status", apiVersion: "v1", message: "not found" }));
  });
  server.on("secureConnection", () => handshakes++);
  server.listen(0, "localhost", () => {
    folder = mkdtempSync(join(tmpdir(), "connect-"));
    kubeconfig = join(folder, "config");
    const at = (port: number): object => ({
      server: `https://localhost:${port}`,
      "certificate-authority-data": Buffer.from(ca.pem).toString("base64"),
    });
    const port = (server.address() as AddressInfo).port;
    const config = {
      clusters: [
        { name: "up", cluster: at(port) },
        { name: "down", cluster: at(1) },
        { name: "stranger", cluster: { server: `https://localhost:${port}` } },
      ],
      users: [{ name: "me", user: {} }],
      contexts: ["up", "down", "stranger"].map((name) => ({ name, context: { cluster: name, user: "me" } })),
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    // As an installer writes it: the same name as in the other file, for another cluster.
    const admin = { name: "down", context: { cluster: "up", user: "me" } };
    writeFileSync(join(folder, "own"), JSON.stringify({ ...config, contexts: [admin] }));
    done();
  });
});
afterAll((done) => {
  rmSync(folder, { recursive: true });
  server.close(done);
});

function run(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, KUBECONFIG: kubeconfig, ...environment };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 1, stdout, stderr });
    });
  });
}

it("reads objects as they are, takes what is missing for missing and explains every other failure", async () => {
  const script = `
    const { connect } = require("./dist/components/cluster/connect.js");
    const up = connect({ context: "up" });
    const error = (promise) => promise.then(() => "none", ({ message, constructor }) => constructor.name + " " + message);
    (async () => console.log(JSON.stringify({
      ingress: (await up.get("config.openshift.io/v1", "Ingress", "cluster")).spec,
      noObject: (await up.get("v1", "ConfigMap", "gone", "ns")) ?? "missing",
      noKind: (await up.get("v1", "Secret", "x", "ns")) ?? "missing",
      noGroup: (await up.get("route.openshift.io/v1", "Route", "x", "ns")) ?? "missing",
      list: await up.list("v1", "ConfigMap", "ns", "a=b"),
      listOfNoGroup: await up.list("route.openshift.io/v1", "Route"),
      forbidden: await error(up.get("v1", "ConfigMap", "forbidden", "ns")),
      expired: await error(up.get("v1", "ConfigMap", "expired", "ns")),
      stranger: await error(connect({ context: "stranger" }).get("v1", "ConfigMap", "x", "ns")),
      down: await error(connect({ context: "down" }).get("v1", "ConfigMap", "x", "ns")),
      own: (await connect({ kubeconfig: process.env.OWN }).list("v1", "ConfigMap", "ns")).length,
      ownForbidden: await error(connect({ kubeconfig: process.env.OWN }).get("v1", "ConfigMap", "forbidden", "ns")),
      asked: await up.ask("spire-server", 8443, "ns"),
      noService: (await up.ask("gone", 8443, "ns")) ?? "missing",
      mayNotAsk: await error(up.ask("guarded", 8443, "ns")),
      unknown: await error((async () => connect({ context: "elsewhere" }))()),
    })))();
  `;
  const { stdout, stderr } = await run(["--eval", script], { OWN: join(folder, "own") });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    ingress: { domain: "apps.cluster1.example.com" },
    noObject: "missing",
    noKind: "missing",
    noGroup: "missing",
    list: [{ metadata: { name: "here" } }],
    listOfNoGroup: [],
    forbidden: expect.stringMatching(
      /^Forbidden context "up" .*cannot read ConfigMap forbidden: .*403, configmaps is forbidden$/,
    ) as string,
    expired: expect.stringMatching(
      /answers 401, Unauthorized; the login has expired or was revoked: oc login https:\/\/localhost:\d+$/,
    ) as string,
    stranger: expect.stringMatching(
      /; does the kubeconfig have the certificate-authority of this cluster\?$/,
    ) as string,
    down: expect.stringMatching(
      /^Unreachable context "down" \(https:\/\/localhost:1\): cannot read ConfigMap \w+: (connect )?ECONNREFUSED[^;]*; .*reachable from here/,
    ) as string,
    own: 1,
    ownForbidden: expect.stringMatching(/^Forbidden context "down" of .*\/own \(https:.*forbidden$/) as string,
    asked: '{"keys":[]}',
    noService: "missing",
    mayNotAsk: expect.stringMatching(
      /^Forbidden context "up" .*cannot ask Service guarded on port 8443: .*403, services\/proxy is forbidden$/,
    ) as string,
    unknown: expect.stringMatching(
      /^AccessError context "elsewhere" is not in the kubeconfig .*\(\$KUBECONFIG\); it has up, down, stranger$/,
    ) as string,
  });
  expect(requests).toContain("GET /api/v1/namespaces/ns/configmaps?labelSelector=a%3Db");
  expect(requests).toContain("GET /api/v1/namespaces/ns/services/https%3Aspire-server%3A8443/proxy/");
});

it("reads again what fails in passing, three times at most, and nothing else", async () => {
  const script = `
    const { connect } = require("./dist/components/cluster/connect.js");
    const up = connect({ context: "up" });
    const read = (name) => up.get("v1", "ConfigMap", name, "ns").then(({ metadata }) => metadata.name, ({ message }) => message);
    (async () => {
      const names = ["flaky-429-2", "flaky-503-1", "flaky-502-1", "flaky-504-2", "flaky-500-1", "flaky-reset-1", "flaky-503-3", "flaky-409-1"];
      console.log(JSON.stringify(await Promise.all(names.map(read))));
    })();
  `;
  const { stdout, stderr } = await run(["--eval", script]);
  expect(stderr).toBe("");
  const answers = JSON.parse(stdout) as string[];
  expect(answers.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => "flaky"));
  expect(answers[6]).toMatch(/cannot read ConfigMap flaky-503-3: the API server answers 503/);
  expect(answers[7]).toMatch(/answers 409/);
  expect(requests.filter((request) => request.endsWith("flaky-503-3"))).toHaveLength(3);
  expect(requests.filter((request) => request.endsWith("flaky-409-1"))).toHaveLength(1);
});

it("gives up what is under way at a signal, and begins nothing more", async () => {
  const script = `
    const { connect } = require("./dist/components/cluster/connect.js");
    const { runIn } = require("./dist/mesh/spire/serverExec.js");
    const stop = new AbortController();
    const up = connect({ context: "up" }, stop.signal);
    const error = (promise) => promise.then(() => "none", ({ message }) => message);
    (async () => {
      const silent = error(up.get("v1", "ConfigMap", "silent", "ns"));
      setTimeout(() => stop.abort(), 500);
      const later = () => error(up.get("v1", "ConfigMap", "later", "ns"));
      const program = () => error(runIn({ context: "up" }, stop.signal)("/spire-server", ["bundle", "list"]));
      console.log(JSON.stringify([await silent, await later(), await program()]));
    })();
  `;
  const { stdout, stderr } = await run(["--eval", script]);
  expect(stderr).toBe("");
  const interrupted = expect.stringMatching(/: interrupted$/) as string;
  expect(JSON.parse(stdout)).toEqual([interrupted, interrupted, interrupted]);
  expect(requests.filter((request) => request.endsWith("/silent"))).toHaveLength(1);
  expect(requests.filter((request) => /later|exec/.test(request))).toEqual([]);
});

it("waits as long as it may and no longer, whatever is collected as garbage meanwhile", async () => {
  const script = `
    const { connect } = require("./dist/components/cluster/connect.js");
    setInterval(gc, 200).unref();
    const reading = connect({ context: "up" }, new AbortController().signal, 2000).get("v1", "ConfigMap", "silent", "ns");
    reading.catch(({ message }) => console.log(message));
  `;
  const { stdout } = await run(["--expose-gc", "--eval", script]);
  expect(stdout).toMatch(/cannot read ConfigMap silent: no answer within 2 s; is the cluster up/);
});

it("asks again over the same connection, until the credentials are others", async () => {
  const { pem, keyPem } = issue("me");
  const script = `
    const { CoreV1Api } = require("./dist/components/cluster/kubernetesClient.js");
    const config = require("./dist/components/cluster/connect.js").kubeConfig({ context: "up" });
    const read = () => config.makeApiClient(CoreV1Api).listNamespacedConfigMap({ namespace: "ns" });
    (async () => {
      await read();
      await read();
      const [certData, keyData] = ${JSON.stringify([pem, keyPem])}.map((text) => Buffer.from(text).toString("base64"));
      Object.assign(config.getCurrentUser(), { certData, keyData });
      await read();
    })();
  `;
  handshakes = 0;
  expect((await run(["--eval", script])).stderr).toBe("");
  expect(handshakes).toBe(2);
});

describe("the credential plugin of a kubeconfig", () => {
  /** A plugin that counts its runs, and reads many objects by several clients at once. */
  async function reading(plugin: string): Promise<{ answers: string[]; runs: number; info: string; stderr: string }> {
    const runs = join(folder, "runs");
    const info = join(folder, "info");
    const command = join(folder, "plugin");
    rmSync(runs, { force: true });
    writeFileSync(command, `#!/bin/sh\necho run >>${runs}\necho "$KUBERNETES_EXEC_INFO" >${info}\n${plugin}\n`, {
      mode: 0o755,
    });
    const own = JSON.parse(readFileSync(kubeconfig, "utf8")) as { users: object[] };
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command,
      args: ["get-token"],
      provideClusterInfo: true,
    };
    const file = join(folder, "exec");
    writeFileSync(file, JSON.stringify({ ...own, users: [{ name: "me", user: { exec } }] }));
    const script = `
      const { connect } = require("./dist/components/cluster/connect.js");
      const read = () => connect({ context: "up" }).list("v1", "ConfigMap", "ns").then(() => "read", ({ message }) => message);
      (async () => {
        const first = await Promise.all([read(), read(), read()]);
        console.log(JSON.stringify([...first, await read()]));
      })();
    `;
    const { stdout, stderr } = await run(["--eval", script], { KUBECONFIG: file });
    const lines = readFileSync(runs, "utf8").trim().split("\n");
    return { answers: JSON.parse(stdout) as string[], runs: lines.length, info: readFileSync(info, "utf8"), stderr };
  }
  const credential = (status: object): string => `echo '${JSON.stringify({ kind: "ExecCredential", status })}'`;

  it("runs once for all requests, and is told of the cluster as kubectl tells it", async () => {
    authorizations.length = 0;
    const { answers, runs, info } = await reading(credential({ token: "t1" }));
    expect(answers).toEqual(["read", "read", "read", "read"]);
    expect(runs).toBe(1);
    expect(new Set(authorizations)).toEqual(new Set(["Bearer t1"]));
    expect(JSON.parse(info)).toMatchObject({
      apiVersion: "client.authentication.k8s.io/v1",
      spec: { interactive: false, cluster: { server: expect.stringMatching(/^https:\/\/localhost:/) as string } },
    });
  });

  it("runs again once its credential has expired", async () => {
    const { runs } = await reading(credential({ token: "t1", expirationTimestamp: "2020-01-01T00:00:00Z" }));
    expect(runs).toBeGreaterThan(1);
  });

  it("that fails is asked once, and every request says why, without its arguments", async () => {
    const { answers, runs } = await reading("echo log in first >&2; exit 3");
    expect(runs).toBe(1);
    for (const answer of answers) {
      expect(answer).toMatch(
        /cannot list ConfigMap: (Failed[^:]*: )?the credential plugin .*\/plugin .* ended with 3: log in first/,
      );
      expect(answer).not.toMatch(/get-token|reachable/);
    }
  });

  it("that hangs is given up, though a program of its own goes on", async () => {
    const pidFile = join(folder, "hanging.pid");
    const script = `
      const { withExecCredential } = require("./dist/components/cluster/execCredential.js");
      const { KubeConfig } = require("./dist/components/cluster/kubernetesClient.js");
      const config = new KubeConfig();
      config.loadFromOptions({
        clusters: [{ name: "c", server: "https://localhost", skipTLSVerify: false }],
        users: [{ name: "me", exec: { command: "sh", args: ["-c", "sleep 600 & echo $! >${pidFile}; wait"] } }],
        contexts: [{ name: "c", cluster: "c", user: "me" }],
        currentContext: "c",
      });
      withExecCredential(config, 3000).applyToHTTPSOptions({}).catch(({ message }) => console.log(message));
    `;
    const { stdout } = await run(["--eval", script]);
    expect(stdout).toMatch(/credential plugin sh .* gave no credential within 3 s/);
    // It is there still, so nobody has waited for it; else this is an error.
    process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
  });
});
