/** What a rotation sees of the members: whoever cannot be asked lags, and is never absent. */
import { readLives, rotationWorld } from "../../../mesh/rotate/world";
import type { Authorities, Kind } from "../../../mesh/spire/authorities";
import { clusterOf } from "../../components/readers";
import type { MeshMember } from "../../../mesh/members/members";
import { id } from "../members/given";

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

/** As far as a rotation looks at one. */
const member = (name: string, peers: string[]): MeshMember =>
  ({
    id: id(name),
    name,
    peers: peers.map(id),
    config: { trustDomain: `${name}.example.com` },
  }) as unknown as MeshMember;

const [a, b, c, d] = [member("a", ["b"]), member("b", ["a"]), member("c", ["a"]), member("d", [])];
const of = ({ config }: MeshMember): string => config.trustDomain;

async function sight(
  servers: Record<string, Record<string, string> | undefined>,
): ReturnType<Awaited<ReturnType<typeof rotationWorld>>["sight"]> {
  const lives = { hint: 60, lifetime: 86_400_000, jwtLife: 300_000 };
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
