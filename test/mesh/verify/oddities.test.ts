/** Whatever a cluster, a peer or a log has in it, everybody gets a verdict, and only its owner another one. */
import fc from "fast-check";
import { verifyExit } from "../../../mesh/verify/verification";
import { type Health, subjectsOf, type Verification } from "../../../mesh/verify/verification";
import { printSummary } from "../../../mesh/verify/summaryText";
import { id } from "../members/given";
import { root } from "../../components/issue";
import { type Cluster, look, memberNamed, objectIn, trustDomainOf } from "./fixture";

const one = "cluster1";

const changed = (change: (cluster: Cluster) => void): Promise<Verification> =>
  look({
    change: (clusters) => {
      change(clusters[one] as Cluster);
    },
  });

describe("an oddity costs its own row, and no other", () => {
  const served = (key: object) => (cluster: Cluster) => {
    if (cluster.presented instanceof Error) return;
    const { keys, ...rest } = JSON.parse(cluster.presented.body) as { keys: object[] };
    cluster.presented = { ...cluster.presented, body: JSON.stringify({ ...rest, keys: [...keys, key] }) };
    cluster.ownRefuses = new Error("no right");
  };
  test.each<[string, (cluster: Cluster) => void]>([
    ["a JWT key that is on no curve", served({ use: "jwt-svid", kid: "r", kty: "EC", crv: "P-256", x: "AA", y: "AA" })],
    ["a JWT key without a key", served({ use: "jwt-svid", kid: "r" })],
    [
      "nine thousand brackets",
      (cluster) => {
        if (cluster.presented instanceof Error) return;
        const nested = "[".repeat(9000) + "]".repeat(9000);
        const body = cluster.presented.body.replace(/}$/, `,"x":${nested}}`);
        cluster.presented = { ...cluster.presented, body };
        cluster.ownRefuses = new Error("no right");
      },
    ],
    [
      "a ConfigMap that is no YAML",
      (cluster) => {
        const map = objectIn(cluster, "ConfigMap", "spire-controller-manager") as unknown as { data: object };
        map.data = { "controller-manager-config.yaml": "a: [b\n: c: {" };
      },
    ],
    ["a date that is none", set("Certificate", "status", { renewalTime: "soon", notBefore: "then", notAfter: "x" })],
    ["a federation without anything in it", set("SpireServer", "spec", { federation: {} })],
    ["conditions that are no list", set("SpireServer", "status", { conditions: { a: 1 } })],
    [
      "a root that is no certificate",
      (cluster) => {
        for (const bundle of [cluster.own, ...cluster.bundles]) bundle.roots = [Buffer.from("no certificate")];
      },
    ],
  ])("%s", async (_, change) => {
    const [well, odd] = await Promise.all([look(), changed(change)]);
    expect(untouched(odd)).toEqual(untouched(well));
    expect(odd.members).toHaveLength(3);
    expect(odd.pairs).toHaveLength(6);
  });

  test("a check that breaks is unknown, and says so", async () => {
    const odd = await changed((cluster) => {
      const map = objectIn(cluster, "ConfigMap", "spire-controller-manager") as unknown as { data: object };
      map.data = { "controller-manager-config.yaml": "a: [b\n: c: {" };
    });
    const [check] = odd.members.flatMap(({ checks }) => checks.filter(({ state }) => state === "unknown"));
    expect(check).toMatchObject({ code: "MESH108", evidence: expect.stringMatching(/^this check broke: /) as string });
    expect(verifyExit(odd)).toBe(3);
  });
});

test("a peer whose file somebody broke is a pair that is unknown, with the reason", async () => {
  const members = ["cluster1", "cluster2"].map((name) => memberNamed(name));
  const unread = new Map([[id("cluster3"), "Pulumi.cluster3.yaml: is no YAML"]]);
  const seen = await look({ members: [...members], chosen: ["cluster1"], unread });
  expect(seen.pairs.map(({ peer, health }) => [peer, health])).toEqual([
    ["cluster2", "healthy"],
    ["cluster3", "unknown"],
  ]);
  expect(JSON.stringify(seen.pairs[1])).toContain("Pulumi.cluster3.yaml: is no YAML");
  expect(verifyExit(seen)).toBe(3);
});

test.each([1, 8])(
  "a root that a peer makes while others are read, %d at once, is nobody's strange root",
  async (parallel) => {
    const seen = await look({
      parallel,
      change: ({ cluster1, cluster2 }) => {
        if (cluster1 === undefined || cluster2 === undefined) return;
        cluster2.slow = async () => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          const added = root(trustDomainOf("cluster1")).certificate.raw;
          cluster1.own = { ...cluster1.own, roots: [...cluster1.own.roots, added] };
          cluster2.bundles = cluster2.bundles.map((held) =>
            held.trustDomain === trustDomainOf("cluster1") ? { ...held, roots: cluster1.own.roots } : held,
          );
        };
      },
    });
    const pair = seen.pairs.find(({ member, peer }) => member === "cluster2" && peer === "cluster1");
    expect(pair?.checks.find(({ code }) => code === "MESH211")).toMatchObject({ state: "ok" });
  },
);

function set(kind: string, key: string, value: unknown): (cluster: Cluster) => void {
  return (cluster) => {
    (objectIn(cluster, kind) as Record<string, unknown>)[key] = value;
  };
}

/** Verdicts in which cluster1 has no part. */
const untouched = ({ members, pairs }: Verification): unknown => [
  members.filter(({ member }) => member !== one).map(({ member, checks }) => [member, checks.map(briefly)]),
  pairs
    .filter(({ member, peer }) => member !== one && peer !== one)
    .map(({ member, peer, checks }) => [member, peer, checks.map(briefly)]),
];

const briefly = ({ code, state }: { code: string; state: string }): string => `${code} ${state}`;

const RANK: Record<Health, number> = { healthy: 3, pending: 2, unknown: 1, unhealthy: 0 };

/** Each value in it that holds no other one, and each that does, by the way to it. */
function places(value: unknown, way: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) return [way];
  if (Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value)) return [way];
  const inside = Object.entries(value).flatMap(([key, part]) => places(part, [...way, key]));
  return way.length === 0 ? inside : [way, ...inside];
}

function put(root: unknown, way: readonly (string | number)[], value: unknown): void {
  const last = way.at(-1);
  const parent = way.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root);
  if (last === undefined) return;
  if (value === GONE) Reflect.deleteProperty(parent as object, last);
  else (parent as Record<string, unknown>)[last] = value;
}

const GONE = Symbol("it is not there");
const ODD: readonly unknown[] = [
  GONE,
  null,
  "",
  "\u0000\u001b[31m",
  "{",
  "a: [b\n: c: {",
  `${"[".repeat(9000)}${"]".repeat(9000)}`,
  '{"keys":[{"use":"jwt-svid","kid":"r","kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}',
  0,
  -1,
  1e300,
  NaN,
  true,
  [],
  {},
  [null],
  [{}],
  { seen: null },
  Buffer.from("no certificate"),
  new Date(NaN),
];

/** In the texts, as the objects that they are. */
const asData = (cluster: Cluster): Record<string, unknown> => {
  const { objects, own, signing, bundles, relationships, log, agentLogs, servedInside, presented, program, verbs } =
    cluster;
  return { objects, own, signing, bundles, relationships, log, agentLogs, servedInside, presented, program, verbs };
};

test("any value of a cluster may be anything: all others keep their verdict, and nobody gets a better one", async () => {
  const well = await look();
  const before = untouched(well);
  const ill = await look({ change: fault });
  const healths = (seen: Verification): Health[] => [...seen.members, ...seen.pairs].map(({ health }) => health);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(...ODD), fc.boolean(), async (nth, value, isIll) => {
      const odd = await look({
        change: (clusters) => {
          if (isIll) fault(clusters);
          const cluster = clusters[one] as Cluster;
          const data = asData(cluster);
          const ways = places(data);
          put(data, ways[nth % ways.length] ?? [], value);
          Object.assign(cluster, data);
        },
      });
      expect(subjectsOf(odd).length).toBeGreaterThanOrEqual(9);
      expect(() => printSummary(odd)).not.toThrow();
      if (!isIll) expect(untouched(odd)).toEqual(before);
      const base = healths(isIll ? ill : well);
      healths(odd).forEach((health, index) => {
        const [now, then] = [RANK[health], RANK[base[index] as Health]];
        if (then > 1) expect(now).toBeLessThanOrEqual(then);
      });
      expect(verifyExit(odd) === 0 && isIll).toBe(false);
    }),
    { numRuns: Number(process.env["ODDITIES"] ?? 300), seed: 28 },
  );
});

/** cluster2 does not hold the present keys of cluster3. */
function fault(clusters: Record<string, Cluster>): void {
  const cluster = clusters["cluster2"] as Cluster;
  cluster.bundles = cluster.bundles.filter(({ trustDomain }) => !trustDomain.includes("cluster3"));
}
