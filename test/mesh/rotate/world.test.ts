/** What a rotation sees of the members: whoever cannot be asked lags, and is never absent. */
import { readLives, rotationWorld } from "../../../mesh/rotate/world";
import type { Authorities, Kind } from "../../../mesh/spire/authorities";
import { clusterOf } from "../../components/readers";
import type { MeshMember } from "../../../mesh/members/members";
import { configOf, SELF } from "../../stacks/fixtures";
import { memberOf } from "../members/given";

const keys = (id: string): Record<Kind, string[]> => ({ x509: [id], jwt: [`${id}-jwt`] });

/** SPIRE servers by the trust domains whose bundles they hold; undefined: no answer. */
function serverHolding(held: Record<string, string> | undefined): Authorities {
  const refused = (): Promise<never> => Promise.reject(new Error("no answer"));
  return {
    slots: () => Promise.resolve({ active: { id: "one", upstream: "" } }),
    own: () => Promise.resolve({ x509: [{ id: "one", tainted: false }], jwt: [] }),
    held: () =>
      held === undefined
        ? refused()
        : Promise.resolve(new Map(Object.entries(held).map(([trustDomain, id]) => [trustDomain, keys(id)]))),
    agents: () => Promise.resolve([]),
    entries: () => Promise.resolve({ count: 3, longestJwt: 900 }),
    prepare: refused,
    activate: refused,
    taint: refused,
    revoke: refused,
    refresh: refused,
  };
}

const member = (name: string, peers: (string | object)[]): MeshMember => {
  const raw = { context: name, trustDomain: `${name}.example.com`, ...(peers.length > 0 && { peers }) };
  return memberOf(configOf(raw, { ...SELF, stack: name }));
};

const [a, b, c, d] = [member("a", ["b"]), member("b", ["a"]), member("c", ["a"]), member("d", [])];
const of = ({ config }: MeshMember): string => config.trustDomain;

const lives = { hint: 60, lifetime: 86_400_000, jwtLife: 300_000 };

async function sight(
  servers: Record<string, Record<string, string> | undefined>,
): ReturnType<Awaited<ReturnType<typeof rotationWorld>>["sight"]> {
  const world = await rotationWorld(a, [b, c, d], ({ name }) => serverHolding(servers[name]), lives);
  return world.sight();
}

test("members that trust it count by what they hold, those that do not are left out", async () => {
  const { x509, jwt } = await sight({ a: {}, b: { [of(a)]: "one" }, c: {}, d: { [of(a)]: "two" } });
  expect(x509.peers).toEqual([
    { member: "b", holds: ["one"] },
    { member: "d", holds: ["two"] },
  ]);
  expect(jwt.peers[0]).toEqual({ member: "b", holds: ["one-jwt"] });
});

test("a member that is to trust it and cannot be asked is there; another one is nobody's peer", async () => {
  const { x509 } = await sight({ a: {}, b: undefined, c: undefined, d: undefined });
  expect(x509.peers).toEqual([
    { member: "b", because: "no answer" },
    { member: "c", because: "no answer" },
  ]);
});

test("who is trusted and is no member cannot be asked", async () => {
  const { x509 } = await sight({ a: { [of(b)]: "b", "partner.example.org": "p" }, b: {}, c: {}, d: {} });
  expect(x509.outside).toEqual(["partner.example.org"]);
  expect(x509.timing).toMatchObject({ hint: 60, jwtLife: 900_000, entries: 3 });
});

test.each<[string, object | string, Record<string, string>, string[]]>([
  [
    "described in the config",
    { name: "partner", trustDomain: "p.example.org", bundleEndpointUrl: "https://p.example.org" },
    {},
    ["p.example.org"],
  ],
  [
    "a stack, and the config says its trust domain",
    { stack: "other/far", trustDomain: "far.example.org" },
    {},
    ["far.example.org"],
  ],
  ["a stack that is trusted since the last up", "other/far", { "other-far": "far.example.org" }, ["far.example.org"]],
  ["a stack that was never trusted, by its label", "other/far", {}, ["other/far"]],
  ["not one that need not trust back", { stack: "other/far", trust: "oneway" }, {}, []],
])("a partner whose bundle is not held now counts: %s", async (_, peer, trusted, outside) => {
  const own = member("a", ["b", peer]);
  const trusts = Object.fromEntries(
    Object.entries(trusted).map(([name, trustDomain]) => [name, { trustDomain, fingerprints: [] }]),
  );
  const world = await rotationWorld(own, [b], () => serverHolding({}), lives, trusts);
  expect((await world.sight()).x509.outside).toEqual(outside);
});

test("a partner whose bundle is held counts once", async () => {
  const own = member("a", [{ stack: "other/far", trustDomain: "far.example.org" }]);
  const world = await rotationWorld(own, [], () => serverHolding({ "far.example.org": "far" }), lives);
  expect((await world.sight()).x509.outside).toEqual(["far.example.org"]);
});

describe("lives of keys, and the refresh hint", () => {
  const server = (spec: object): object => ({
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    spec,
  });
  const set = (replicas: number): object => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "spire-server", namespace: "zero-trust-workload-identity-manager" },
    spec: { replicas },
  });

  test("are those of the SpireServer, or the operator's own", async () => {
    const federation = { bundleEndpoint: { profile: "https_spiffe", refreshHint: 3600 } };
    const given = clusterOf(server({ caValidity: "48h0m0s", defaultJWTValidity: "10m0s", federation }), set(1));
    expect(await readLives("a", given)).toEqual({ hint: 3600, lifetime: 48 * 3_600_000, jwtLife: 600_000 });
    const usual = { hint: 300, lifetime: 24 * 3_600_000, jwtLife: 300_000 };
    expect(await readLives("a", clusterOf(server({}), set(1)))).toEqual(usual);
  });

  test("several SPIRE servers have keys of their own each, and nothing is begun", async () => {
    await expect(readLives("a", clusterOf(server({}), set(2)))).rejects.toThrow(/a: its SPIRE server has 2 replicas/);
  });
});
