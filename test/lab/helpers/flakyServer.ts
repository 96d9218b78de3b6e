/** An API server that now and then fails a read in passing, as OpenShift's do while they are rolled: a proxy before a real one. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { KubeConfig } from "../../../components/cluster/kubernetesClient";
import { ADDRESS } from "../../../lab/client/webCertificate";

/** Ways in which a read fails in passing: a server that shuts down, one that is busy, and a connection that breaks. */
const FAILURES: ((response: ServerResponse) => void)[] = [
  (response) => response.writeHead(503, { "retry-after": "1" }).end("apiserver is shutting down"),
  (response) => response.writeHead(429, { "retry-after": "1" }).end("too many requests"),
  (response) => response.destroy(),
];

/** In front of the kubeconfig's current cluster; each so-and-so-many-th read fails, in one way after the other. */
export class FlakyServer {
  /** Reads that were failed so far. */
  failed = 0;
  private reads = 0;
  private readonly target: URL;
  private readonly ca: Buffer;
  private readonly server: Server;

  /** @param dir what `certify` has filled */
  constructor(
    kubeconfig: KubeConfig,
    private readonly everyNth: number,
    dir: string,
  ) {
    const { server, caData = "" } = kubeconfig.getCurrentCluster() ?? {};
    this.target = new URL(server ?? "");
    this.ca = Buffer.from(caData, "base64");
    const own = { key: readFileSync(join(dir, "tls.key")), cert: readFileSync(join(dir, "tls.crt")) };
    this.server = createServer(own, (asked, response) => {
      this.answer(asked, response);
    }).on("upgrade", (asked: IncomingMessage, client: Duplex) => {
      this.join(asked, client);
    });
  }

  /** @returns its address */
  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, ADDRESS, done));
    return `https://${ADDRESS}:${String((this.server.address() as AddressInfo).port)}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(asked: IncomingMessage, response: ServerResponse): void {
    if (asked.method === "GET" && ++this.reads % this.everyNth === 0) {
      FAILURES[this.failed++ % FAILURES.length]?.(response);
      return;
    }
    const passedOn = request(
      new URL(asked.url ?? "", this.target),
      { method: asked.method, headers: { ...asked.headers, host: this.target.host }, ca: this.ca },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    passedOn.on("error", () => response.destroy());
    response.on("close", () => passedOn.destroy());
    asked.pipe(passedOn);
  }

  /** Commands in a pod: the same bytes in both directions. */
  private join(asked: IncomingMessage, client: Duplex): void {
    const { hostname: host, port } = this.target;
    const server = connect({ host, port: Number(port), ca: this.ca }, () => {
      const lines = asked.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1] ?? ""}`] : []));
      server.write([`GET ${asked.url ?? ""} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
      server.pipe(client).pipe(server);
    });
    const end = (): void => {
      server.destroy();
      client.destroy();
    };
    server.on("error", end).on("close", end);
    client.on("error", end).on("close", end);
  }
}
