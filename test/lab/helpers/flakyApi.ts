/**
 * API servers that fail now and then, as OpenShift's do while one after the other restarts: a proxy in front of each cluster's
 * answers every 20th read, and every 5th command in a container, by itself. It passes tokens on; client certificates end at it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { createServer, request, type RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { IncomingMessage, ServerResponse } from "node:http";
import { KubeConfig } from "../../../components/cluster/kubernetesClient";
import { labState } from "../../../lab/client/project";
import { ADDRESS, certify } from "../../../lab/client/webCertificate";

const EVERY = { read: 20, command: 5 };

const WAYS = {
  "busy, 429": (answer: ServerResponse) => answer.writeHead(429, { "retry-after": "1" }).end("too many requests"),
  "an aggregated server that rolls, 503": (answer: ServerResponse) => answer.writeHead(503).end("service unavailable"),
  "a new leader of etcd, 500": (answer: ServerResponse) =>
    answer
      .writeHead(500, { "content-type": "application/json" })
      .end('{"kind":"Status","apiVersion":"v1","status":"Failure","message":"etcdserver: leader changed","code":500}'),
  "a connection that ends": (answer: ServerResponse) => answer.destroy(),
};

export interface Flaky {
  /** Leads to the proxies; else what it was made from. */
  kubeconfig: string;
  /** What has failed so far: `way: path`. */
  failures: string[];
  close(): void;
}

/**
 * Puts proxies before the clusters of a kubeconfig whose users have tokens.
 *
 * @param dir where to write
 */
export async function flaky(kubeconfig: string, dir: string): Promise<Flaky> {
  await certify(dir);
  const key = await readFile(join(dir, "tls.key"));
  const cert = await readFile(join(dir, "tls.crt"));
  const ca = await readFile(join(labState(), "ca", "web-ca.crt"), "base64");
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const failures: string[] = [];
  const proxies = await Promise.all(
    config.clusters.map(async ({ server, caData = "" }) => {
      const { hostname, port } = new URL(server);
      const proxy = inFrontOf({ hostname, port, ca: Buffer.from(caData, "base64") }, { key, cert }, failures);
      await new Promise<void>((done) => proxy.listen(0, ADDRESS, done));
      return proxy;
    }),
  );
  config.clusters = config.clusters.map((cluster, index) => ({
    ...cluster,
    server: `https://${ADDRESS}:${String((proxies[index]?.address() as AddressInfo).port)}`,
    caData: ca,
  }));
  const file = join(dir, "flaky.kubeconfig");
  await writeFile(file, config.exportConfig(), { mode: 0o600 });
  return {
    kubeconfig: file,
    failures,
    close: () => {
      for (const proxy of proxies) {
        proxy.close();
        proxy.closeAllConnections();
      }
    },
  };
}

function inFrontOf(real: RequestOptions, own: object, failures: string[]): ReturnType<typeof createServer> {
  let [reads, commands] = [0, 0];
  const passOn = ({ method, url, headers }: IncomingMessage): ReturnType<typeof request> =>
    request({ ...real, method, path: url, headers });
  const proxy = createServer(own, (asked, answer) => {
    if (asked.method === "GET" && ++reads % EVERY.read === 0) {
      const ways = Object.entries(WAYS);
      const [way, fail] = ways[(reads / EVERY.read) % ways.length] as (typeof ways)[number];
      failures.push(`${way}: ${asked.url ?? ""}`);
      fail(answer);
      return;
    }
    const passed = passOn(asked).on("error", () => answer.destroy());
    passed.on("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.rawHeaders);
      response.pipe(answer);
    });
    answer.on("close", () => passed.destroy());
    asked.pipe(passed);
  });
  return proxy.on("upgrade", (asked, socket) => {
    if (++commands % EVERY.command === 0) {
      failures.push(`a command, 503: ${asked.url ?? ""}`);
      socket.end("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    const head = ({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string => {
      const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `\r\n${text}: ` : text)).join("");
      return `HTTP/1.1 ${String(statusCode)} ${statusMessage ?? ""}${lines}\r\n\r\n`;
    };
    const passed = passOn(asked).on("error", () => socket.destroy());
    passed.on("upgrade", (response, upstream, first) => {
      socket.write(head(response));
      socket.write(first);
      upstream.on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
      upstream.pipe(socket).pipe(upstream);
    });
    passed.on("response", (response) => {
      socket.write(head(response));
      response.pipe(socket);
    });
    passed.end();
  });
}
