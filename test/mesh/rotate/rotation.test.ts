/** Keys are replaced so that nobody loses trust, from wherever an earlier run has stopped. */
import fc from "fast-check";
import type { Kind } from "../../../mesh/spire/authorities";
import { type Leaving, type RotatedKey, rotation } from "../../../mesh/rotate/rotation";
import { HOUR, LIFETIME, World } from "./spire";

interface Ended {
  keys: RotatedKey[];
  said: string[];
}

/** @param until aborted after that many looks, as by Ctrl-C */
async function run(world: World, leaving: Leaving, { until = Infinity, timeoutMs = 2 * HOUR } = {}): Promise<Ended> {
  const said: string[] = [];
  const ctrlC = new AbortController();
  let looks = 0;
  const keys = await rotation(leaving, world.rotationWorld(), {
    timeoutMs,
    signal: ctrlC.signal,
    note: (line) => said.push(line),
    did: (what) => said.push(what),
    clock: {
      now: () => new Date(world.now),
      pause: (ms) => {
        world.pass(ms);
        looks += 1;
        if (looks >= until) ctrlC.abort();
        return Promise.resolve();
      },
    },
  });
  return { keys, said };
}

const activeKeys = (world: World): Record<Kind, string> => ({ x509: world.active("x509"), jwt: world.active("jwt") });
const states = ({ keys }: Ended): string[] => keys.map(({ kind, state }) => `${kind} ${state}`);

/** Who still holds a key. */
const holders = (world: World, key: string): string[] => [
  ...(["x509", "jwt"] as const).flatMap((kind) => (world.keys[kind].bundle.has(key) ? ["its own server"] : [])),
  ...world.peers.flatMap(({ name, held }) => (held.x509.has(key) || held.jwt.has(key) ? [name] : [])),
];

test("both kinds are replaced, and nobody holds the old keys", async () => {
  const world = new World();
  const old = activeKeys(world);
  const ended = await run(world, old);
  expect(states(ended)).toEqual(["x509 replaced", "jwt replaced"]);
  expect(world.done.filter((one) => one.startsWith("x509"))).toEqual([
    "x509 prepare",
    "x509 activate x509-3",
    "x509 taint x509-1",
    "x509 revoke x509-1",
  ]);
  expect([...holders(world, old.x509), ...holders(world, old.jwt)]).toEqual([]);
  expect(world.harm).toEqual([]);
});

test("one kind leaves the other alone", async () => {
  const world = new World();
  const { jwt } = activeKeys(world);
  expect(states(await run(world, { x509: world.active("x509") }))).toEqual(["x509 replaced"]);
  expect(world.active("jwt")).toBe(jwt);
});

test.each(["unread", "cutOff"] as const)(
  "a peer that is %s keeps the new key from use, and is named",
  async (fault) => {
    const world = new World();
    const [, peer] = world.peers;
    if (peer !== undefined) peer[fault] = true;
    const { keys } = await run(world, { x509: world.active("x509") }, { timeoutMs: HOUR });
    expect(world.done).toEqual(["x509 prepare"]);
    const [key] = keys;
    expect(key).toMatchObject({ state: "waiting", did: [expect.stringMatching(/^prepared/)] });
    expect(key?.because.join("\n")).toMatch(/^c /);
    if (peer !== undefined) peer[fault] = false;
    expect(states(await run(world, { x509: "x509-1" }))).toEqual(["x509 replaced"]);
  },
);

test("a peer that trusts others only after the revocation is waited for at the end", async () => {
  const world = new World(["b"]);
  const [peer] = world.peers;
  for (let i = 0; i < 9 && world.done.length < 3; i += 1) await run(world, { x509: "x509-1" }, { until: 8 });
  expect(world.done.at(-1)).toBe("x509 taint x509-1");
  if (peer !== undefined) peer.cutOff = true;
  const { keys } = await run(world, { x509: "x509-1" }, { timeoutMs: HOUR });
  expect(keys).toMatchObject([{ state: "waiting" }]);
  expect(holders(world, "x509-1")).toEqual(["b"]);
});

describe.each<[Kind, string]>([
  ["x509", "x509-1"],
  ["jwt", "jwt-2"],
])("a key that somebody else has tainted: %s", (kind, key) => {
  test.each(["unread", "cutOff"] as const)("stays while a peer that lacks its successor is %s", async (fault) => {
    const world = new World(["b"]);
    const [peer] = world.peers;
    if (peer !== undefined) peer.cutOff = true;
    // SPIRE has activated the successor by itself meanwhile.
    world.pass((LIFETIME * 5) / 6);
    await world.rotationWorld().server.taint(kind, key);
    if (peer !== undefined) Object.assign(peer, { cutOff: false, [fault]: true });
    const { keys } = await run(world, { [kind]: key }, { timeoutMs: HOUR });
    expect(keys).toMatchObject([{ state: "waiting" }]);
    expect(keys[0]?.because.join("\n")).toMatch(/^b /);
    expect(world.done).toEqual([`${kind} taint ${key}`]);
    if (peer !== undefined) peer[fault] = false;
    expect(states(await run(world, { [kind]: key }))).toEqual([`${kind} replaced`]);
    expect(world.harm).toEqual([]);
  });

  test("leaves those who cannot be asked their five refresh hints, and says all that it waits for", async () => {
    const world = new World([]);
    world.outside = ["partner.example.org"];
    const began = world.now;
    world.prepare(kind);
    world.pass(10_000);
    world.activate(kind, world.keys[kind].next?.id ?? "");
    await world.rotationWorld().server.taint(kind, key);
    const { keys } = await run(world, { [kind]: key }, { until: 2 });
    expect(keys[0]?.because.join("\n")).toMatch(/partner\.example\.org cannot be asked[^]*SVIDs of .* are replaced/);
    expect(states(await run(world, { [kind]: key }))).toEqual([`${kind} replaced`]);
    expect(world.now - began).toBeGreaterThanOrEqual(5 * 300_000);
  });
});

test("an agent that is away keeps the old key until it is back, or its SVID has ended", async () => {
  const world = new World(["b"], ["/spire/agent/one", "/spire/agent/away"]);
  const [, agent] = world.agents;
  if (agent !== undefined) agent.away = true;
  const { said } = await run(world, { x509: "x509-1" });
  expect(said.join("\n")).toMatch(/agent \/spire\/agent\/away has its old SVID until 2026-12-02T11:00Z/);
  expect(world.harm).toEqual([]);
  expect(holders(world, "x509-1")).toEqual([]);
  expect(world.now).toBeGreaterThan(Date.parse("2026-12-02T11:00:00Z"));
});

test.each([false, true])(
  "an agent that renews its SVID before anybody looks is not waited for (answer lost: %s)",
  async (lost) => {
    const world = new World(["b"]);
    world.quickAgents = true;
    const began = world.now;
    if (lost) world.lost = { after: true, of: "x509 taint" };
    expect(states(await run(world, { x509: "x509-1" }))).toEqual(["x509 replaced"]);
    expect(world.now - began).toBeLessThan(300_000);
  },
);

test("a key that is still there from the last rotation goes first: the next preparation would put it out of reach", async () => {
  const world = new World();
  for (let i = 0; i < 9 && world.done.length < 2; i += 1) await run(world, { x509: "x509-1" }, { until: 8 });
  expect(world.active("x509")).toBe("x509-3");
  expect(states(await run(world, { x509: "x509-3" }))).toEqual(["x509 replaced"]);
  expect([...holders(world, "x509-1"), ...holders(world, "x509-3")]).toEqual([]);
  expect(world.harm).toEqual([]);
});

test("JWT-SVIDs live their time before their key goes", async () => {
  const world = new World(["b"]);
  world.jwtLife = HOUR;
  const began = world.now;
  expect(states(await run(world, { jwt: "jwt-2" }))).toEqual(["jwt replaced"]);
  expect(world.now - began).toBeGreaterThan(HOUR);
  expect(world.harm).toEqual([]);
});

test.each<[Kind, string]>([
  ["x509", "x509-1"],
  ["jwt", "jwt-2"],
])("who cannot be asked has five refresh hints to fetch a new key: %s", async (kind, key) => {
  const world = new World(["b"]);
  world.outside = ["partner.example.org"];
  const began = world.now;
  await run(world, { [kind]: key }, { until: 5 * 150 - 1 });
  expect(world.done).toEqual([`${kind} prepare`]);
  expect(states(await run(world, { [kind]: key }))).toEqual([`${kind} replaced`]);
  expect(world.now - began).toBeGreaterThanOrEqual(5 * 300_000);
});

test("a key that SPIRE is about to prepare by itself is used", async () => {
  const world = new World();
  world.pass(LIFETIME / 2 - 120_000);
  expect(states(await run(world, { x509: "x509-1" }))).toEqual(["x509 replaced"]);
  expect(world.done).not.toContain("x509 prepare");
  expect(world.harm).toEqual([]);
});

test.each([LIFETIME, LIFETIME / 6])(
  "an old key that cannot be revoked in time is left to SPIRE, and that is said (caValidity now: %d)",
  async (lifetime) => {
    const world = new World();
    // SPIRE has activated a key by itself, and prepares the next in two minutes.
    world.pass(LIFETIME - 120_000);
    world.lifetime = lifetime;
    const { keys } = await run(world, { x509: "x509-1" });
    expect(keys).toMatchObject([
      { state: "stopped", because: [expect.stringMatching(/SPIRE prepares its next key in/)] },
    ]);
    expect(world.done).toEqual([]);
  },
);

test("an old JWT key is tainted before SPIRE prepares the next, and revoked after that", async () => {
  const world = new World();
  world.pass(LIFETIME - 120_000);
  expect(states(await run(world, { jwt: "jwt-2" }))).toEqual(["jwt replaced"]);
  expect(world.harm).toEqual([]);
});

describe.each<[Kind, string]>([
  ["x509", "x509-1"],
  ["jwt", "jwt-2"],
])("caValidity was raised after the key in use was made: %s", (kind, key) => {
  test("the key is replaced", async () => {
    const world = new World();
    world.pass(HOUR);
    world.lifetime = 30 * LIFETIME;
    const began = world.now;
    expect(states(await run(world, { [kind]: key }))).toEqual([`${kind} replaced`]);
    expect(world.now - began).toBeLessThan(HOUR);
    expect(world.harm).toEqual([]);
  });

  test("the key before it goes", async () => {
    const world = new World();
    world.prepare(kind);
    for (const peer of world.peers) world.poll(peer);
    world.pass(10_000);
    world.activate(kind, world.keys[kind].next?.id ?? "");
    world.lifetime = 30 * LIFETIME;
    expect(states(await run(world, { [kind]: key }))).toEqual([`${kind} replaced`]);
    expect(world.harm).toEqual([]);
  });
});

test("a JWT key that SPIRE seems to be about to replace, and is not, is replaced a minute later", async () => {
  const world = new World();
  world.pass(HOUR);
  // As if the key had been made with it, half of its life ends in a minute.
  world.lifetime = 2 * (LIFETIME - HOUR - 60_000);
  const began = world.now;
  expect(states(await run(world, { jwt: "jwt-2" }))).toEqual(["jwt replaced"]);
  expect(world.now - began).toBeLessThan(HOUR);
});

test("below an upstream CA nothing is begun for X.509, and JWT keys are replaced", async () => {
  const world = new World();
  world.upstream = "c40f";
  const ended = await run(world, activeKeys(world));
  expect(states(ended)).toEqual(["x509 stopped", "jwt replaced"]);
  expect(world.done.filter((one) => one.startsWith("x509"))).toEqual([]);
});

test("a key that a later preparation has put out of reach is named, and when it ends", async () => {
  const world = new World();
  world.prepare("x509");
  world.prepare("x509");
  const { keys } = await run(world, { x509: "x509-3" });
  expect(keys).toMatchObject([{ state: "stopped", because: [expect.stringMatching(/in no slot/)] }]);
});

test("a tainted JWT key that a later preparation has displaced goes once nobody needs it", async () => {
  const world = new World(["b"]);
  world.prepare("jwt");
  for (const peer of world.peers) world.poll(peer);
  world.activate("jwt", world.keys.jwt.next?.id ?? "");
  await world.rotationWorld().server.taint("jwt", "jwt-2");
  world.prepare("jwt");
  expect(states(await run(world, { jwt: "jwt-2" }))).toEqual(["jwt replaced"]);
  expect(world.harm).toEqual([]);
});

/** What happens beside a rotation. */
const events = fc.constantFrom(
  "run",
  "run",
  "run",
  "run long",
  "answer lost after",
  "answer lost before",
  "peer unread",
  "peer back",
  "peer cut off",
  "agent away",
  "agent back",
  "a minute",
  "an hour",
  "half a life",
  "caValidity is raised",
  "caValidity is lowered",
);

test("no interleaving of interruptions, lost answers and late peers loses anybody who was there", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(events, { maxLength: 25 }), fc.nat(12), async (happening, until) => {
      const world = new World(["b", "c"], ["/one", "/two"]);
      const leaving = activeKeys(world);
      const [, peer] = world.peers;
      const [, agent] = world.agents;
      if (peer === undefined || agent === undefined) throw new Error("the world is empty");
      for (const event of happening) {
        if (event === "run") await run(world, leaving, { until: until + 1 });
        if (event === "run long") await run(world, leaving, { timeoutMs: HOUR });
        if (event === "answer lost after") world.lost = { after: true };
        if (event === "answer lost before") world.lost = { after: false };
        if (event === "peer unread") peer.unread = true;
        if (event === "peer cut off") peer.cutOff = true;
        if (event === "peer back") Object.assign(peer, { unread: false, cutOff: false });
        if (event === "agent away") agent.away = true;
        if (event === "agent back") agent.away = false;
        if (event === "a minute") world.pass(60_000);
        if (event === "an hour") world.pass(HOUR);
        if (event === "half a life") world.pass(LIFETIME / 2);
        if (event === "caValidity is raised") world.lifetime *= 2;
        if (event === "caValidity is lowered") world.lifetime = LIFETIME / 2;
      }
      Object.assign(peer, { unread: false, cutOff: false });
      world.pass(120_000);
      const ended = await run(world, leaving, { timeoutMs: 13 * HOUR });
      expect(world.harm).toEqual([]);
      for (const { kind, state, from } of ended.keys) {
        expect(["replaced", "stopped"]).toContain(state);
        if (state === "replaced") expect([kind, ...holders(world, from)]).toEqual([kind]);
      }
    }),
    { numRuns: 150 },
  );
});
