/** Whatever a cluster, a peer or a log has in it, everybody gets a verdict, and only its owner another one. */
import type { Published } from "../../../mesh/pulumi/workspace";
import { type Verification, verifyExit } from "../../../mesh/verify/verification";
import { id } from "../members/given";
import { root } from "../../components/issue";
import { type Cluster, look, memberNamed, NAMES, objectIn, trustDomainOf } from "./fixture";

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

test("a peer whose file somebody broke is a pair that is unknown, with the reason, and nothing else is", async () => {
  const members = ["cluster1", "cluster2"].map((name) => memberNamed(name));
  const unread = new Map([[id("cluster3"), "Pulumi.cluster3.yaml: is no YAML"]]);
  const trusts = (): Published["peers"] =>
    Object.fromEntries(NAMES.map((name) => [name, { trustDomain: trustDomainOf(name), fingerprints: [] }]));
  const seen = await look({ members: [...members], chosen: ["cluster1"], unread, trusts });
  expect(seen.members.map(({ health }) => health)).toEqual(["healthy"]);
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
