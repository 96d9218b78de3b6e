/** The probe's workload as it runs in the pod, with agents and certificates made here: two of them meet on this machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "node:tls";
import { issue, type Issued, root } from "../../../components/issue";
import { type Agent, type Given, startAgent } from "./agent";

const PROGRAM = resolve(__dirname, "..", "..", "..", "..", "mesh", "verify", "probe", "workload", "main.js");
const [EAST, WEST, NORTH] = ["east.example.com", "west.example.com", "north.example.com"];
const idOf = (trustDomain: string): string => `spiffe://${trustDomain}/ns/probe/sa/probe`;

type Line = Record<string, unknown>;

/** A workload that runs, with the agent of its node. */
class Workload {
  private readonly lines: Line[] = [];
  private heard: () => void = () => undefined;

  private constructor(
    readonly agent: Agent,
    private readonly child: ChildProcess,
  ) {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.heard();
    });
  }

  static async start(dir: string, trustDomain: string, port: number, peers: object[]): Promise<Workload> {
    const socket = join(dir, `${trustDomain}.sock`);
    const config = join(dir, `${trustDomain}.json`);
    await writeFile(config, JSON.stringify({ socket, port, id: idOf(trustDomain), peers }));
    const agent = await startAgent(socket);
    return new Workload(agent, spawn(process.execPath, [PROGRAM, config], { stdio: ["ignore", "pipe", "inherit"] }));
  }

  /** The next line that has these fields, or one that was said already. */
  async says(fields: Line): Promise<Line> {
    for (;;) {
      const line = this.lines.find((one) => Object.entries(fields).every(([key, value]) => one[key] === value));
      if (line !== undefined) return line;
      await new Promise<void>((done) => (this.heard = done));
    }
  }

  async stop(): Promise<void> {
    this.child.kill();
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    await this.agent.close();
  }
}

let dir: string;
let east: Workload;
let west: Workload;
let ports: [number, number];
const roots = { [EAST]: root(EAST), [WEST]: root(WEST) } as Record<string, Issued>;
const rootOf = (trustDomain: string): Issued => roots[trustDomain] as Issued;
const svidOf = (trustDomain: string, issuer = rootOf(trustDomain), id = idOf(trustDomain)): Issued =>
  issue("workload", { uris: [id], issuer });

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "probe-"));
  ports = [await freePort(), await freePort()];
  const peer = (trustDomain: string, port: number): object => ({
    name: trustDomain,
    id: idOf(trustDomain),
    host: "localhost",
    port,
  });
  east = await Workload.start(dir, EAST, ports[0], [peer(WEST, ports[1])]);
  west = await Workload.start(dir, WEST, ports[1], [peer(EAST, ports[0]), peer(NORTH, await freePort())]);
});

afterEach(async () => {
  await Promise.all([east.stop(), west.stop()]);
  await rm(dir, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

const given = (trustDomain: string, federated: Record<string, Issued[]>, svid = svidOf(trustDomain)): Given => ({
  svids: [{ id: idOf(trustDomain), svid, bundle: [rootOf(trustDomain)] }],
  federated,
});
const eastGiven = (): Given => given(EAST, { [WEST]: [rootOf(WEST)] });
const westGiven = (): Given => given(WEST, { [EAST]: [rootOf(EAST)] });

test("two that trust each other meet, in both directions", async () => {
  east.agent.give(eastGiven());
  west.agent.give(westGiven());
  expect(await east.says({ event: "identity" })).toEqual({ event: "identity", id: idOf(EAST), bundles: [EAST, WEST] });
  expect(await east.says({ outcome: "met" })).toEqual({ event: "dialed", peer: WEST, outcome: "met", tls: "TLSv1.3" });
  expect(await west.says({ outcome: "met" })).toEqual({ event: "dialed", peer: EAST, outcome: "met", tls: "TLSv1.3" });
});

describe("under one PKI", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const policy = issue("Corporate Policy CA", { ca: true, issuer: upstream });
  const below = (trustDomain: string, peer: string, anchor: Issued, ...between: Issued[]): Given => {
    const server = issue("SPIRE Server CA", { ca: true, uris: [`spiffe://${trustDomain}`], issuer: policy });
    const svid = issue("workload", { uris: [idOf(trustDomain)], issuer: server });
    const intermediates = [server, ...between];
    return {
      svids: [{ id: idOf(trustDomain), svid, intermediates, bundle: [anchor] }],
      federated: { [peer]: [anchor] },
    };
  };

  test.each([
    ["show the intermediates up to the root", upstream, [policy]],
    ["have an intermediate of that PKI for their root", policy, []],
  ])("two meet that %s", async (_, anchor, between) => {
    east.agent.give(below(EAST, WEST, anchor, ...between));
    west.agent.give(below(WEST, EAST, anchor, ...between));
    await east.says({ outcome: "met" });
    await west.says({ outcome: "met" });
  });

  test("one is refused by whoever has another root of its trust domain", async () => {
    east.agent.give(below(EAST, WEST, upstream, policy));
    west.agent.give(westGiven());
    const why = `the certificate of ${idOf(EAST)} is signed by no root that is held of ${EAST} (1 held)`;
    expect(await west.says({ peer: EAST, outcome: "refused", by: "here" })).toMatchObject({ why });
  });
});

test("one that the agent gives no identity says so, and takes it when it comes", async () => {
  expect(await east.says({ event: "no-identity" })).toMatchObject({ why: "PermissionDenied: no identity issued" });
  east.agent.give(eastGiven());
  await east.says({ event: "identity" });
});

test("another identity than its own is none", async () => {
  const other = given(EAST, {});
  east.agent.give({ ...other, svids: other.svids.map((svid) => ({ ...svid, id: `spiffe://${EAST}/other` })) });
  expect(await east.says({ event: "no-identity" })).toMatchObject({ why: `the agent gives spiffe://${EAST}/other` });
});

test("nothing is said to be met where nobody listens", async () => {
  east.agent.give(eastGiven());
  expect(await east.says({ event: "dialed" })).toMatchObject({ outcome: "unreachable" });
});

test("without the peer's bundle it trusts nobody, and does when the bundle comes", async () => {
  east.agent.give(given(EAST, {}));
  west.agent.give(westGiven());
  expect(await east.says({ event: "dialed" })).toMatchObject({
    outcome: "refused",
    by: "here",
    why: `the agent gives no bundle of ${WEST}`,
  });
  // As the one that serves, it refuses west for the same reason, and says so.
  expect(await west.says({ peer: EAST, outcome: "refused" })).toMatchObject({ by: "there" });
  east.agent.give(eastGiven());
  await east.says({ outcome: "met" });
  await west.says({ outcome: "met" });
});

test("keys that the peer no longer has vouch for nothing, on either side", async () => {
  east.agent.give(given(EAST, { [WEST]: [root(WEST)] }));
  west.agent.give(westGiven());
  const why = `the certificate of ${idOf(WEST)} is signed by no root that is held of ${WEST} (1 held)`;
  expect(await east.says({ outcome: "refused" })).toMatchObject({ by: "here", why });
  expect(await west.says({ peer: EAST, outcome: "refused" })).toMatchObject({ by: "there", why });
});

test("a root that is trusted of one peer does not vouch for another's workloads", async () => {
  const north = root(NORTH);
  west.agent.give(given(WEST, { [EAST]: [rootOf(EAST)], [NORTH]: [north] }));
  await west.says({ event: "identity" });
  // TLS itself finds nothing wrong with it: west serves both.
  east.agent.give(given(EAST, { [WEST]: [rootOf(WEST)] }, svidOf(EAST, north)));
  const why = `the certificate of ${idOf(EAST)} is signed by no root that is held of ${EAST} (1 held)`;
  expect(await east.says({ outcome: "refused" })).toMatchObject({ by: "there", why });
});

test.each([
  ["another workload of the peer", `spiffe://${WEST}/ns/other/sa/probe`],
  ["its trust domain's own ID", `spiffe://${WEST}`],
])("%s is not the one that is expected", async (_, id) => {
  east.agent.give(eastGiven());
  west.agent.give(given(WEST, { [EAST]: [rootOf(EAST)] }, svidOf(WEST, rootOf(WEST), id)));
  const why = `the certificate shown is of ${id}, not of ${idOf(WEST)}`;
  expect(await east.says({ outcome: "refused" })).toMatchObject({ by: "here", why });
});

test("an expired certificate is refused", async () => {
  const day = 24 * 3600 * 1000;
  const past = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) };
  east.agent.give(eastGiven());
  west.agent.give(
    given(WEST, { [EAST]: [rootOf(EAST)] }, issue("workload", { uris: [idOf(WEST)], issuer: rootOf(WEST), ...past })),
  );
  const { by, why } = await east.says({ outcome: "refused" });
  expect(by).toBe("here");
  expect(why).toMatch(/CERT_HAS_EXPIRED$/);
});

test("who answers without a SPIFFE ID is no workload: the peer was not reached", async () => {
  const router = issue("*.apps.west.example.com", { dnsNames: ["localhost"] });
  west.agent.give(given(WEST, { [EAST]: [rootOf(EAST)] }, router));
  await west.says({ event: "identity" });
  east.agent.give(eastGiven());
  const why = `localhost:${ports[1]}: the certificate shown has no SPIFFE ID; it is of CN=*.apps.west.example.com`;
  await east.says({ outcome: "unreachable", why });
});

test("who shows no certificate is told so, and not met", async () => {
  east.agent.give(eastGiven());
  await east.says({ event: "identity" });
  await east.says({ event: "dialed" });
  const socket = connect({ host: "localhost", port: ports[0], rejectUnauthorized: false });
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(JSON.parse(answer.toString())).toEqual({ refused: "no certificate is shown" });
});
