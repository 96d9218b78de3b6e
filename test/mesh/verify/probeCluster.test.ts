/** Members with probe: cluster, whose endpoints cannot be reached from where verify runs. */
import { notOffered } from "../../../components/bundle/tlsOffer";
import { Forbidden } from "../../../components/cluster/cluster";
import { isWorthWaiting, waitsFor } from "../../../mesh/verify/patience";
import { verifyExit } from "../../../mesh/verify/verification";
import type { Contract } from "../../../stacks/contract";
import { root } from "../../components/issue";
import {
  bundleOf,
  type Cluster,
  faults,
  hostOf,
  look,
  memberNamed,
  NAMES,
  presentedOf,
  trustDomainOf,
} from "./fixture";

const members = NAMES.map((name) => memberNamed(name, { probe: "cluster" }));
const cutOff = (clusters: Record<string, Cluster>): void => {
  for (const cluster of Object.values(clusters)) cluster.presented = new Error("connect ETIMEDOUT");
};
const seen = async (change: (clusters: Record<string, Cluster>) => void): ReturnType<typeof look> =>
  look({ members, change });

test("what only the endpoint shows is skipped, and a mesh that is otherwise well is healthy", async () => {
  const found = await seen(cutOff);
  expect(faults(found)).toEqual([]);
  const [{ checks } = { checks: [] }] = found.members;
  const outcome = (code: string) => checks.find((check) => check.code === code);
  expect(outcome("MESH143")).toMatchObject({
    state: "skipped",
    evidence: "cannot be seen from here: spire-federation:probe is cluster (connect ETIMEDOUT)",
  });
  for (const code of ["MESH144", "MESH145", "MESH146", "MESH147", "MESH148", "MESH149"])
    expect(outcome(code)).toBeUndefined();
  expect(outcome("MESH150")).toMatchObject({ state: "ok" });
  expect(verifyExit(found)).toBe(0);
});

test("without an answer from inside it is unknown, and ends with 3", async () => {
  const found = await seen((clusters) => {
    cutOff(clusters);
    for (const cluster of Object.values(clusters)) cluster.servedInside = new Forbidden("services/proxy is forbidden");
  });
  expect(faults(found)).toEqual(NAMES.map((name) => `${name} MESH150 unknown`));
  expect(verifyExit(found)).toBe(3);
});

test("it is not waited for, unlike what else is unknown", async () => {
  const found = await seen(cutOff);
  expect([isWorthWaiting(found), waitsFor(found)]).toEqual([false, ""]);
  const refused = await seen((clusters) => {
    cutOff(clusters);
    for (const cluster of Object.values(clusters)) cluster.serverRefuses = new Error("no answer within 10 s");
  });
  expect(isWorthWaiting(refused)).toBe(true);
});

test("where the peer's SPIRE server may not be asked, what it serves inside its cluster says which keys it has", async () => {
  const keysOf = async (change: (cluster2: Cluster) => void): Promise<(string | undefined)[]> => {
    const found = await seen((clusters) => {
      cutOff(clusters);
      const { cluster2 } = clusters as Record<"cluster2", Cluster>;
      cluster2.serverRefuses = new Error("403");
      change(cluster2);
    });
    const pair = found.pairs.find(({ member, peer }) => member === "cluster1" && peer === "cluster2");
    return ["MESH211", "MESH212", "MESH213"].map((code) => pair?.checks.find((check) => check.code === code)?.state);
  };
  expect(await keysOf(() => undefined)).toEqual(["ok", "ok", "ok"]);
  expect(
    await keysOf((cluster2) => {
      const other = bundleOf("cluster2", root(trustDomainOf("cluster2")), "other");
      cluster2.servedInside = presentedOf(other, hostOf("cluster2")).body;
    }),
  ).toEqual(["failed", "failed", "ok"]);
});

test("an endpoint that can be reached all the same is judged as any other", async () => {
  const found = await seen(() => undefined);
  expect(faults(found)).toEqual([]);
  expect(verifyExit(found)).toBe(0);
  const broken = await seen(({ cluster1 }) => {
    if (cluster1 && !(cluster1.presented instanceof Error)) cluster1.presented = { ...cluster1.presented, status: 503 };
  });
  expect(faults(broken)).toEqual(["cluster1 MESH143 failed"]);
});

test.each<[string, string | Error, "failed" | "unknown"]>([
  ["no ready pod is behind the Service", new Error("503, no endpoints available"), "failed"],
  ["another trust domain's bundle is served", "of cluster2", "failed"],
  ["the right to ask is missing", new Forbidden("services/proxy is forbidden"), "unknown"],
])("where %s, that is said of the member, and nothing of its peers' polls", async (_, inside, state) => {
  const found = await seen((clusters) => {
    cutOff(clusters);
    const { cluster1, cluster2 } = clusters as Record<"cluster1" | "cluster2", Cluster>;
    cluster1.servedInside = inside === "of cluster2" ? cluster2.servedInside : inside;
  });
  expect(faults(found)).toEqual([`cluster1 MESH150 ${state}`]);
  const held = found.pairs.filter(({ peer }) => peer === "cluster1").flatMap(({ checks }) => checks);
  expect(held.find(({ code }) => code === "MESH213")).toMatchObject({ state: "skipped", needs: "MESH147" });
});

test("a peer of another project that publishes roots, and cannot be reached from here, is unknown", async () => {
  const published: Contract = {
    version: 1,
    trustDomain: "apps.other.example.com",
    bundleEndpointUrl: "https://federation.apps.other.example.com",
    profile: "https_web",
  };
  const outside = async (contract: Contract): Promise<string[]> => {
    const member = memberNamed("cluster1", { peers: ["organization/other/prod"] });
    const found = await look({ members: [member], chosen: ["cluster1"], published: () => contract });
    return found.peers.flatMap(({ checks }) => checks.map(({ code, state }) => `${code} ${state}`));
  };
  expect(await outside(published)).toEqual(["MESH143 failed"]);
  expect(await outside({ ...published, roots: root("apps.other.example.com").pem })).toEqual(["MESH143 unknown"]);
});

test("an endpoint that demands what this machine cannot offer is unknown, and not down", async () => {
  const refused = new Error(notOffered(new Error("sslv3 alert handshake failure"), [3, 0]));
  const found = await look({ change: ({ cluster1 }) => cluster1 && (cluster1.presented = refused) });
  const outcome = found.members[0]?.checks.find(({ code }) => code === "MESH143");
  expect(outcome).toMatchObject({
    state: "unknown",
    cure: expect.stringContaining("process.versions.openssl") as string,
  });
});

test("nothing is said of the inside where the endpoint itself is seen, or has to be", async () => {
  for (const found of [await seen(() => undefined), await look({ change: cutOff })])
    expect(found.members.flatMap(({ checks }) => checks.filter(({ code }) => code === "MESH150"))).toEqual([]);
  expect(faults(await look({ change: cutOff }))).toEqual(NAMES.map((name) => `${name} MESH143 failed`));
});
