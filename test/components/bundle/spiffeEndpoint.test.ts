import { execFile } from "node:child_process";
import { createServer, type Server } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  lookAtSpiffeEndpoint,
  readOwnRoots,
  refusalOfSpiffeEndpoint,
  requireOwnRoots,
} from "../../../components/bundle/spiffeEndpoint";
import { issue, root } from "../issue";
import { NAMESPACE } from "../given";
import { clusterOf } from "../readers";

const ID = "spiffe://apps.cluster1.example.com/spire/server";
const spireRoot = root("apps.cluster1.example.com");
const other = root("apps.cluster1.example.com");

let server: Server;
let url: string;
let status = 200;

/** The server's SVID, with the name that is asked for. */
function svid(uri: string): { cert: string; key: string } {
  const { pem, keyPem } = issue("spire-server", { uris: [uri], issuer: spireRoot });
  return { cert: pem, key: keyPem };
}

beforeAll((done) => {
  server = createServer(svid(ID), (_, response) => response.writeHead(status).end("{}"));
  server.listen(0, "localhost", () => {
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
    done();
  });
});
afterAll((done) => {
  server.close(done);
});

const look = (roots?: string): ReturnType<typeof lookAtSpiffeEndpoint> => lookAtSpiffeEndpoint(url, ID, roots);

it("is ready when the endpoint presents the server's SVID, whose name is no host", async () => {
  expect(await look(spireRoot.pem)).toEqual({ state: "ready" });
  expect(await look(`${other.pem}${spireRoot.pem}`)).toEqual({ state: "ready" });
});

it("is verified whatever the environment says", async () => {
  const asked = JSON.stringify([url, ID, other.pem]);
  // Only a process of its own can be given that variable.
  const program = `
    const client = require(${JSON.stringify(join(process.cwd(), "dist/components/bundle/spiffeEndpoint.js"))});
    Promise.all([client.lookAtSpiffeEndpoint(...${asked}), client.refusalOfSpiffeEndpoint(...${asked})]).then(
      ([{ state }, refusal]) => console.log(state, refusal));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], {
    env: { NODE_TLS_REJECT_UNAUTHORIZED: "0", NODE_NO_WARNINGS: "1" },
  });
  expect(stdout).toMatch(/^waiting .*certificate/);
});

describe("with an upstream CA", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const policy = issue("Corporate Policy CA", { ca: true, issuer: upstream });
  const spire = issue("SPIRE Server CA", { ca: true, uris: ["spiffe://apps.cluster1.example.com"], issuer: policy });
  const leaf = issue("spire-server", { uris: [ID], issuer: spire });

  beforeAll(() => {
    server.setSecureContext({ cert: leaf.pem + spire.pem + policy.pem, key: leaf.keyPem });
  });
  afterAll(() => {
    server.setSecureContext(svid(ID));
  });

  it("is ready when the SVID comes with the intermediates up to the root", async () => {
    expect(await look(upstream.pem)).toEqual({ state: "ready" });
    expect(await look(spireRoot.pem)).toMatchObject({ state: "waiting" });
  });

  it("is ready when that PKI gives an intermediate for its root, as SPIRE takes it", async () => {
    expect(await look(policy.pem)).toEqual({ state: "ready" });
  });

  it("waits while an intermediate is missing", async () => {
    server.setSecureContext({ cert: leaf.pem, key: leaf.keyPem });
    expect(await look(upstream.pem)).toMatchObject({ state: "waiting" });
  });
});

it("says what may be in the way of a connection that is cut, and not of a certificate that is wrong", async () => {
  const cutting = createTcpServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => cutting.listen(0, "localhost", resolve));
  const cut = await lookAtSpiffeEndpoint(
    `https://localhost:${(cutting.address() as AddressInfo).port}`,
    ID,
    spireRoot.pem,
  );
  cutting.close();
  const inTheWay = expect.stringMatching(/NetworkPolicy or service mesh.*8443/) as string;
  expect(cut).toEqual({ state: "waiting", because: inTheWay });
  expect(await look(other.pem)).not.toMatchObject({ because: inTheWay });
});

it.each<[string, () => ReturnType<typeof look>, string]>([
  ["there are no roots yet", () => look(), "has not written its roots"],
  ["the SVID is of another root", () => look(other.pem), "does not answer"],
  [
    "the SVID is of another name",
    () => {
      server.setSecureContext(svid(`${ID}x`));
      return look(spireRoot.pem);
    },
    `URI:${ID}x`,
  ],
  [
    "the endpoint answers with an error",
    () => {
      server.setSecureContext(svid(ID));
      status = 503;
      return look(spireRoot.pem);
    },
    "HTTP status 503",
  ],
  ["nothing listens", () => lookAtSpiffeEndpoint("https://localhost:1", ID, spireRoot.pem), "ECONNREFUSED"],
])("waits while %s", async (_, verdict, because) => {
  expect(await verdict()).toEqual({ state: "waiting", because: expect.stringContaining(because) as string });
});

describe("what speaks against roots", () => {
  const refusal = (roots: string, at = url): Promise<string | undefined> => refusalOfSpiffeEndpoint(at, ID, roots);

  it("is a certificate that they do not verify, or that has another name", async () => {
    expect(await refusal(spireRoot.pem)).toBeUndefined();
    expect(await refusal(other.pem)).toEqual(expect.stringMatching(/certificate/));
    server.setSecureContext(svid(`${ID}x`));
    expect(await refusal(spireRoot.pem)).toBe(`it presents URI:${ID}x, not ${ID}`);
    server.setSecureContext(svid(ID));
  });

  it("is not an endpoint that nobody reaches, nor one that answers with an error", async () => {
    expect(await refusal(other.pem, "https://localhost:1")).toBeUndefined();
    status = 503;
    expect(await refusal(spireRoot.pem)).toBeUndefined();
    status = 200;
  });
});

describe("the server's own roots", () => {
  const bundle = (name: string): object => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: NAMESPACE },
    data: { "bundle.crt": `roots of ${name}` },
  });
  const ztwim = (bundleConfigMap: string): object => ({
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "ZeroTrustWorkloadIdentityManager",
    metadata: { name: "cluster" },
    spec: { bundleConfigMap },
  });

  it.each<[object[], string | undefined]>([
    [[bundle("spire-bundle")], "roots of spire-bundle"],
    [[bundle("spire-bundle"), bundle("renamed"), ztwim("renamed")], "roots of renamed"],
    [[], undefined],
  ])("are read where the product writes them: %j", async (objects, expected) => {
    expect(await readOwnRoots(clusterOf(...objects))).toBe(expected);
  });

  it("are an error where they are needed and not there", async () => {
    expect(await requireOwnRoots(clusterOf(bundle("spire-bundle")))).toBe("roots of spire-bundle");
    await expect(requireOwnRoots(clusterOf())).rejects.toThrow("ConfigMap spire-bundle");
  });
});
