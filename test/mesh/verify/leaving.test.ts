/** A peer that a stack file no longer names, as long as no up has taken it out. */
import { faults, look, memberNamed, NAMES, objectIn, type Otherwise, removeFrom, trustDomainOf } from "./fixture";

const members = NAMES.map((name) => memberNamed(name, name === "cluster1" ? { peers: ["cluster2"] } : {}));
const trusts = (id: string): Record<string, { trustDomain: string; fingerprints: string[] }> =>
  id.endsWith("cluster1")
    ? Object.fromEntries(
        ["cluster2", "cluster3"].map((name) => [name, { trustDomain: trustDomainOf(name), fingerprints: [] }]),
      )
    : {};

test("what its own stack has put there is pending, and nobody deletes it by hand", async () => {
  const found = await look({ members, trusts });
  expect(faults(found)).toEqual(["cluster1 MESH301 pending", "cluster1 MESH302 pending"]);
  const cures = found.members.flatMap(({ checks }) =>
    checks.flatMap((check) => (check.state === "pending" ? [check.cure] : [])),
  );
  expect(cures[0]).toMatch(/up cluster1/);
  expect(cures.join("\n")).not.toMatch(/delete|edit/);
});

test("a bundle alone that the stack is to take out is pending, too", async () => {
  const found = await look({
    members,
    trusts,
    change: ({ cluster1 }) => {
      removeFrom(cluster1, "ClusterFederatedTrustDomain", "cluster3-federation");
      const { federation } = objectIn(cluster1, "SpireServer")["spec"] as unknown as {
        federation: { federatesWith: { trustDomain: string }[] };
      };
      federation.federatesWith = federation.federatesWith.filter(
        (one) => one.trustDomain === trustDomainOf("cluster2"),
      );
    },
  });
  expect(faults(found)).toContain("cluster1 MESH303 pending");
});

const elsewhere: Otherwise["change"] = ({ cluster1 }) => {
  const object = objectIn(cluster1, "ClusterFederatedTrustDomain", "cluster3-federation");
  (object["spec"] as unknown as { trustDomain: string }).trustDomain = "evil.example.com";
};

test("an object of its name that leads elsewhere is foreign", async () => {
  const found = await look({ members, trusts, change: elsewhere });
  expect(faults(found)).toContain("cluster1 MESH301 failed");
});

test("so is one by the name of a peer that no up has trusted yet", async () => {
  const cluster2 = { cluster2: { trustDomain: trustDomainOf("cluster2"), fingerprints: [] } };
  expect(faults(await look({ trusts: () => cluster2, change: elsewhere }))).toContain("cluster1 MESH301 failed");
});

test("a peer that the file names, and that says it has another trust domain now, leaves nobody", async () => {
  const renamed = NAMES.map((name) =>
    memberNamed(name, name === "cluster3" ? { trustDomain: "apps.other.example.com" } : {}),
  );
  const trusted = (): ReturnType<typeof trusts> =>
    Object.fromEntries(NAMES.map((name) => [name, { trustDomain: trustDomainOf(name), fingerprints: [] }]));
  const found = faults(await look({ members: renamed, trusts: trusted }));
  expect(found.filter((line) => line.startsWith("cluster1 "))).toEqual([]);
  expect(found).toContain("cluster1->cluster3 MESH203 failed");
});

test("what neither the file nor the stack names is foreign", async () => {
  expect(faults(await look({ members }))).toEqual(["cluster1 MESH301 failed", "cluster1 MESH302 failed"]);
});

test("whose it is is unknown while the stack cannot be read", async () => {
  const found = await look({
    members,
    trusts: () => {
      throw new Error("no backend");
    },
  });
  expect(faults(found).filter((line) => line.startsWith("cluster1 MESH30"))).toEqual([
    "cluster1 MESH301 unknown",
    "cluster1 MESH302 unknown",
    "cluster1 MESH303 unknown",
  ]);
});
