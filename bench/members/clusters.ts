/**
 * Simulated clusters: each an API server, a SPIRE server behind its exec, and a bundle endpoint, as far as `verify` and a
 * preview ask them. All API servers are one server, told apart by the first part of the path; all endpoints are one, told apart by
 * SNI, and reached through a proxy, so that no name has to resolve.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { createSecureContext } from "node:tls";
import { WebSocketServer } from "ws";
import type { KubeObject } from "../../components/cluster/cluster";
import { OPERAND_NAMESPACE } from "../../components/shared/names";
import type { HeldBundle } from "../../mesh/spire/bundle";
import { issue } from "../../test/components/issue";
import { type Cluster, clusterNamed, hostOf } from "../../test/mesh/verify/fixture";
import { freshCluster } from "../../test/stacks/fixtures";
import { spireServerCrd } from "../../test/stacks/spireServerCrd";

/** Where they listen, and how to trust the endpoints. */
export interface Clusters {
  apiServer: (name: string) => string;
  proxy: string;
  /** PEM. */
  endpointCa: string;
  /** Requests to API servers until now. */
  requests: () => number;
  close: () => void;
}

/** @param peersOf whom each cluster trusts, by its name */
export async function simulate(peersOf: ReadonlyMap<string, readonly string[]>): Promise<Clusters> {
  const ca = issue("bench CA", { ca: true });
  const certificates = new Map(
    [...peersOf.keys()].map((name) => [hostOf(name), issue(hostOf(name), { dnsNames: [hostOf(name)], issuer: ca })]),
  );
  const clusters = new Map<string, Cluster>();
  const serverCrd = spireServerCrd();
  for (const [name, peers] of peersOf) {
    const { objects, ...rest } = clusterNamed(name, peers, certificates.get(hostOf(name))?.certificate);
    const { crd, ingressClass, version } = freshCluster(name);
    const labels = { "app.kubernetes.io/managed-by": OPERAND_NAMESPACE };
    const labelled = objects.map((one) =>
      one.kind === "Route" ? { ...one, metadata: { ...one.metadata, labels } } : one,
    );
    clusters.set(name, {
      ...rest,
      objects: [...labelled, serverCrd, crd, ingressClass, version].map((one) => ({ ...one })),
    });
  }
  let requests = 0;

  const api = createServer((request, response) => {
    requests += 1;
    request.resume();
    const { cluster, path, query } = placeOf(request, clusters);
    answer(response, cluster === undefined ? undefined : found(cluster, path, query, request.method));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "v4.channel.k8s.io" });
  api.on("upgrade", (request: IncomingMessage, socket, head) => {
    requests += 1;
    const { cluster, query } = placeOf(request, clusters);
    if (cluster === undefined) return socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (open) => {
      open.send(Buffer.concat([STDOUT, Buffer.from(said(cluster, query.getAll("command").slice(1)))]));
      open.send(Buffer.concat([STATUS, Buffer.from(JSON.stringify({ status: "Success" }))]));
      open.close();
    });
  });

  const endpoints = createTlsServer({
    SNICallback: (host, done) => {
      const issued = certificates.get(host);
      done(null, issued && createSecureContext({ cert: issued.pem, key: issued.keyPem }));
    },
  });
  endpoints.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const name = [...clusters.keys()].find((one) => hostOf(one) === request.headers.host);
    const { presented } = clusters.get(name ?? "") ?? {};
    response.end(presented !== undefined && "body" in presented ? presented.body : "");
  });

  const [apiPort, endpointsPort] = [await listen(api), await listen(endpoints)];
  const proxy = createServer();
  proxy.on("connect", (_request, socket) => {
    const upstream = connect(endpointsPort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
    };
    socket.on("error", end);
    upstream.on("error", end);
  });
  const proxyPort = await listen(proxy);
  return {
    apiServer: (name) => `http://127.0.0.1:${apiPort}/${name}`,
    proxy: `http://127.0.0.1:${proxyPort}`,
    endpointCa: ca.pem,
    requests: () => requests,
    close: () => {
      for (const server of [api, endpoints, proxy]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** Channels of the exec protocol. */
const [STDOUT, STATUS] = [Buffer.from([1]), Buffer.from([3])];

function placeOf({ url = "" }: IncomingMessage, clusters: ReadonlyMap<string, Cluster>) {
  const { pathname, searchParams: query } = new URL(url, "http://bench");
  const [, name = "", ...path] = pathname.split("/");
  return { cluster: clusters.get(name), path, query };
}

const pluralOf = (kind: string): string => kind.toLowerCase() + (kind.endsWith("ss") ? "es" : "s");

/** What the API server has at that path; undefined: 404. */
function found({ objects, ...cluster }: Cluster, path: string[], query: URLSearchParams, method = "GET"): unknown {
  if (path[0] === "version") return { gitVersion: "v1.35.3" };
  const [apiVersion, rest] = path[0] === "api" ? [path[1], path.slice(2)] : [path.slice(1, 3).join("/"), path.slice(3)];
  if (method === "POST" && rest.at(-1) === "localsubjectaccessreviews") return { status: { allowed: true } };
  const ofApi = objects.filter((object) => object.apiVersion === apiVersion);
  if (rest.length === 0) {
    const kinds = new Map(ofApi.map(({ kind = "", metadata }) => [kind, metadata?.namespace !== undefined]));
    const resources = [...kinds].map(([kind, namespaced]) => ({ kind, name: pluralOf(kind), namespaced, verbs: [] }));
    return resources.length === 0 ? undefined : { kind: "APIResourceList", groupVersion: apiVersion, resources };
  }
  const [namespace, [plural = "", name, subresource]] =
    rest[0] === "namespaces" && rest.length > 2 ? [rest[1], rest.slice(2)] : [undefined, rest];
  if (subresource === "log") return name === "spire-server-0" ? cluster.log : "";
  const ofKind = ofApi.filter(
    ({ kind = "", metadata }) =>
      pluralOf(kind) === plural && (namespace === undefined || metadata?.namespace === namespace),
  );
  if (name !== undefined) return ofKind.find(({ metadata }) => metadata?.name === name);
  const [key = "", value] = query.get("labelSelector")?.split("=") ?? [];
  const hasLabel = ({ metadata }: KubeObject): boolean => plural !== "pods" || metadata?.labels?.[key] === value;
  return { kind: "List", apiVersion, metadata: {}, items: key === "" ? ofKind : ofKind.filter(hasLabel) };
}

function answer(response: ServerResponse, body: unknown): void {
  response.statusCode = body === undefined ? 404 : 200;
  response.setHeader("content-type", typeof body === "string" ? "text/plain" : "application/json");
  response.end(typeof body === "string" ? body : JSON.stringify(body ?? { kind: "Status", code: 404 }));
}

/** What `spire-server` prints. */
function said({ own, bundles, relationships }: Cluster, [object, verb]: string[]): string {
  if (object === "bundle") {
    return JSON.stringify(verb === "show" ? bundleJson(own) : { bundles: bundles.map(bundleJson) });
  }
  return object === "federation"
    ? JSON.stringify({ federation_relationships: relationships.map((trust_domain) => ({ trust_domain })) })
    : "1.14.5";
}

const bundleJson = ({ trustDomain, roots, jwtKeys, sequence }: HeldBundle): object => ({
  trust_domain: trustDomain,
  x509_authorities: roots.map((root) => ({ asn1: root.toString("base64") })),
  jwt_authorities: jwtKeys.map(({ id, publicKey }) => ({ key_id: id, public_key: publicKey.toString("base64") })),
  sequence_number: String(sequence),
});

const listen = (server: Server): Promise<number> =>
  new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      done((server.address() as AddressInfo).port);
    });
  });
