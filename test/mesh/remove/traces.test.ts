import { Forbidden } from "../../../components/cluster";
import { readAsked, readUsers } from "../../../mesh/remove/traces";
import { clusterOf } from "../../components/readers";

const SPIRE = { apiVersion: "spire.spiffe.io/v1alpha1" };
const CLASS = "zero-trust-workload-identity-manager-spire";
const trust = (name: string, trustDomain: string, className?: string) => ({
  ...SPIRE,
  kind: "ClusterFederatedTrustDomain",
  metadata: { name },
  spec: { trustDomain, className },
});

test("what makes SPIRE fetch a bundle is an object of the controller's class, or an entry of the SpireServer", async () => {
  const server = {
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    spec: { federation: { federatesWith: [{ trustDomain: "c" }] } },
  };
  const objects = [trust("b-federation", "b", CLASS), trust("ignored", "x"), trust("other", "y", "another-class")];
  expect(await readAsked(clusterOf(...objects, server))).toEqual([
    { object: "ClusterFederatedTrustDomain b-federation", trustDomain: "b" },
    { object: "SpireServer cluster (spec.federation.federatesWith)", trustDomain: "c" },
  ]);
  expect(await readAsked(clusterOf())).toEqual([]);
});

test("workloads' objects are those that federate with somebody", async () => {
  const user = (kind: string, federatesWith?: string[]) => ({
    ...SPIRE,
    kind,
    metadata: { name: "shop" },
    spec: { federatesWith },
  });
  const cluster = clusterOf(
    user("ClusterSPIFFEID", ["b", "c"]),
    user("ClusterSPIFFEID"),
    user("ClusterStaticEntry", ["c"]),
  );
  const users = [
    { object: "ClusterSPIFFEID shop", trustDomain: "b" },
    { object: "ClusterSPIFFEID shop", trustDomain: "c" },
    { object: "ClusterStaticEntry shop", trustDomain: "c" },
  ];
  expect(await readUsers(cluster)).toEqual({ users, unlisted: [] });
});

test("who may not list them is not stopped, and who cannot reach the cluster is", async () => {
  const failing = (error: Error) => ({ ...clusterOf(), list: () => Promise.reject(error) });
  expect(await readUsers(failing(new Forbidden("may not")))).toEqual({
    users: [],
    unlisted: ["ClusterSPIFFEID", "ClusterStaticEntry"],
  });
  await expect(readUsers(failing(new Error("no answer")))).rejects.toThrow("no answer");
});
