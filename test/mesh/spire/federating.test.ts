import * as fc from "fast-check";
import { Forbidden } from "../../../components/cluster/cluster";
import {
  describeFederating,
  type FederatingObject,
  readFederating,
  type WorkloadEffects,
  workloadEffects,
  workloadsThere,
} from "../../../mesh/spire/federating";
import { clusterOf } from "../../components/readers";

const CLASS = "zero-trust-workload-identity-manager-spire";
const workloads = (kind: string, federatesWith?: string[], className = CLASS, podsSelected?: number) => ({
  apiVersion: "spire.spiffe.io/v1alpha1",
  kind,
  metadata: { name: "shop" },
  spec: { className, federatesWith },
  ...(podsSelected !== undefined && { status: { stats: { podsSelected } } }),
});

test("workloads' objects are those of the controller's class that federate with somebody", async () => {
  const cluster = clusterOf(
    workloads("ClusterSPIFFEID", ["b", "c"], CLASS, 3),
    workloads("ClusterSPIFFEID"),
    workloads("ClusterSPIFFEID", ["b"], "another-class"),
    workloads("ClusterStaticEntry", ["c"]),
  );
  expect(await readFederating(cluster)).toEqual({
    objects: [
      { object: "ClusterSPIFFEID shop", pods: 3, trustDomains: ["b", "c"] },
      { object: "ClusterStaticEntry shop", trustDomains: ["c"] },
    ],
    unlisted: [],
  });
});

test("a trust domain may be written as a SPIFFE ID", async () => {
  const cluster = clusterOf(workloads("ClusterSPIFFEID", ["spiffe://b", "b", "spiffe://c/ns/shop"]));
  const { objects } = await readFederating(cluster);
  expect(objects.map(({ trustDomains }) => trustDomains)).toEqual([["b", "c"]]);
});

const failing = (error: Error) => ({ ...clusterOf(), list: () => Promise.reject(error) });

test("who may not list them is not stopped, and who cannot reach the cluster is", async () => {
  expect(await readFederating(failing(new Forbidden("may not")))).toEqual({
    objects: [],
    unlisted: ["ClusterSPIFFEID", "ClusterStaticEntry"],
  });
  await expect(readFederating(failing(new Error("no answer")))).rejects.toThrow("no answer");
});

test("the workloads of a cluster that cannot be read are not known, and it is said why", async () => {
  const there = await workloadsThere(() => failing(new Error("no answer")));
  expect(there).toEqual({ because: "no answer" });
  expect(workloadEffects(there, ["b"])).toEqual({ served: [], refused: [], unknown: ["no answer"] });
});

test("kinds that may not be listed are said, and the others are judged all the same", async () => {
  const shop = workloads("ClusterSPIFFEID", ["b"]);
  const cluster = clusterOf(shop);
  const there = await workloadsThere(() => ({
    ...cluster,
    list: (apiVersion, kind) =>
      kind === "ClusterStaticEntry" ? Promise.reject(new Forbidden("may not")) : cluster.list(apiVersion, kind),
  }));
  expect(workloadEffects(there, ["b"])).toEqual({
    served: [{ object: "ClusterSPIFFEID shop", trustDomains: ["b"] }],
    refused: [],
    unknown: ["you may not list objects of kind ClusterStaticEntry; docs/rbac/auditor.yaml grants it"],
  });
});

describe("a change of trust", () => {
  const shop: FederatingObject = { object: "ClusterSPIFFEID shop", pods: 1, trustDomains: ["b", "c"] };

  const effects = (
    objects: FederatingObject[],
    before: string[],
    gained: string[],
  ): Omit<WorkloadEffects, "unknown"> => {
    const asked = before.map((trustDomain) => ({ object: "SpireServer cluster", trustDomain }));
    const { served, refused } = workloadEffects({ seen: { objects, asked, unlisted: [] } }, gained);
    return { served, refused };
  };

  test("serves objects that have all their bundles only with it", () => {
    expect(effects([shop], ["b"], ["c"])).toEqual({ served: [shop], refused: [] });
    expect(effects([shop], ["b", "c"], [])).toEqual({ served: [], refused: [] });
  });

  test("leaves others without identities, and says whose bundles they lack", () => {
    expect(effects([shop], [], ["b"])).toEqual({ served: [], refused: [{ ...shop, missing: ["c"] }] });
  });

  test("does to each object what SPIRE does: an entry is taken when every bundle is held", () => {
    const domains = fc.subarray(["b", "c", "d"]);
    fc.assert(
      fc.property(domains, domains, domains, (trustDomains, before, gained) => {
        const after = [...new Set([...before, ...gained])];
        const taken = (held: readonly string[]): boolean => trustDomains.every((one) => held.includes(one));
        const { served, refused } = effects([{ object: "x", trustDomains }], before, gained);
        expect(served.length === 1).toBe(!taken(before) && taken(after));
        expect(refused.length === 1).toBe(!taken(after));
      }),
    );
  });
});

test.each([
  [{ object: "ClusterSPIFFEID shop", pods: 1, trustDomains: [] }, "ClusterSPIFFEID shop (1 pod)"],
  [{ object: "ClusterSPIFFEID shop", pods: 3, trustDomains: [] }, "ClusterSPIFFEID shop (3 pods)"],
  [{ object: "ClusterStaticEntry shop", trustDomains: [] }, "ClusterStaticEntry shop"],
])("an object is named with its pods", (one, text) => {
  expect(describeFederating(one)).toBe(text);
});
