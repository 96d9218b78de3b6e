import { type ClusterReader, Forbidden } from "../../components/cluster/cluster";
import { AccessError } from "../../components/cluster/kubeconfig";
import type { Peer } from "../../components/bundle/peer";
import { withFreshRoots } from "../../stacks/freshRoots";
import { root } from "../components/issue";
import { clusterOf, spireCluster } from "../components/readers";

const trustDomain = "apps.cluster2.example.com";
const HOUR = 3600 * 1000;
const times = { notBefore: new Date(Date.now() - 48 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const [published, rotated] = [root(trustDomain, times), root(trustDomain)];
const spiffe: Peer = {
  stack: "cluster2",
  trustDomain,
  bundleEndpointUrl: `https://federation.${trustDomain}`,
  profile: "https_spiffe",
  endpointSpiffeId: `spiffe://${trustDomain}/spire/server`,
  caCertificates: published.pem,
};
const access = { kubeconfig: "~/kubeconfig", context: "cluster2" };
const freshIn = (cluster: ClusterReader, peer = spiffe): ReturnType<typeof withFreshRoots> =>
  withFreshRoots(peer, access, () => cluster);

it("a peer has the roots of its own cluster, which is asked by the given context", async () => {
  const asked: unknown[] = [];
  const fresh = await withFreshRoots(spiffe, access, (of) => {
    asked.push(of);
    return spireCluster(trustDomain, published.pem + rotated.pem);
  });
  expect(asked).toEqual([access]);
  expect(fresh).toEqual({ peer: { ...spiffe, caCertificates: published.pem + rotated.pem }, fresh: true });
});

it("a peer with https_web has them for its first bundle, and keeps the CA of its endpoint", async () => {
  const web: Peer = { stack: "cluster2", trustDomain, bundleEndpointUrl: "https://x.example", profile: "https_web" };
  const ca = root("ca.example.com").pem;
  expect(await freshIn(spireCluster(trustDomain, rotated.pem), { ...web, caCertificates: ca, roots: "old" })).toEqual({
    peer: { ...web, caCertificates: ca, roots: rotated.pem },
    fresh: true,
  });
});

const failing = (error: Error): ClusterReader => ({ ...clusterOf(), get: () => Promise.reject(error) });

it.each<[string, ClusterReader, string]>([
  ["of another trust domain", spireCluster("apps.cluster9.example.com", rotated.pem), "apps.cluster9.example.com"],
  ["without ZTWIM", clusterOf(), 'context "cluster2" leads to trust domain none'],
  ["whose SPIRE server has not run", spireCluster(trustDomain, ""), "has not written its roots yet"],
  ["whose roots have expired", spireCluster(trustDomain, published.pem), "no root that is valid"],
  ["whose roots are another trust domain's", spireCluster(trustDomain, root("evil.example").pem), "evil.example"],
  ["that may not be read", failing(new Forbidden("cannot read ConfigMap")), "cannot read ConfigMap"],
])("a peer stays as published beside a cluster %s, and it is said why", async (_, cluster, why) => {
  expect(await freshIn(cluster)).toEqual({ peer: spiffe, unread: expect.stringContaining(why) as string });
});

it("a machine need not have the contexts of all clusters", async () => {
  const open = (): never => {
    throw new AccessError("context", "is not in the kubeconfig");
  };
  expect(await withFreshRoots(spiffe, access, open)).toEqual({ peer: spiffe });
});
