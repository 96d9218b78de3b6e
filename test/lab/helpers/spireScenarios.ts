/**
 * What SPIRE's own tests ask of a federation, asked of members of the lab. test/lab/README.md says which of its suites is
 * covered where; here is what no other file asks.
 */
import { type Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { handshake, Workload } from "../../../lab/client/workload";
import { held, pairs } from "../../../lab/client/trust";

interface Relationship {
  trust_domain: string;
  bundle_endpoint_url: string;
  https_web?: object;
}

/** Tests within those of two clusters' workloads. @param members a workload of each, which federates with the other's trust domain */
export function spireScenarios(members: () => Workload[]): void {
  const bothWays = (): [Workload, Workload][] => pairs(members());
  const firstPair = (): [Workload, Workload] => {
    const [pair] = bothWays();
    if (pair === undefined) throw new Error("there are no two workloads");
    return pair;
  };

  test("each SPIRE server has the relationship that its ClusterFederatedTrustDomain asks for", async () => {
    for (const [{ cluster }, { cluster: peer }] of bothWays()) {
      const expected = { trust_domain: peer.trustDomain, bundle_endpoint_url: `https://${peer.host}`, https_web: {} };
      expect(await relationships(cluster)).toContainEqual(expect.objectContaining(expected));
    }
  });

  test("a relationship comes and goes with its object; a younger object for a peer counts for nothing, nor does one that cannot be read", async () => {
    const [{ cluster }, { cluster: peer }] = firstPair();
    const extra = "extra.example.com";
    const made: Manifest[] = [
      trustIn("scenario-younger", peer.trustDomain),
      trustIn("scenario-unreadable", "unreadable.example.com", { trustDomainBundle: "{" }),
      trustIn("scenario-extra", extra),
    ];
    const urls = async (): Promise<Record<string, string>> =>
      Object.fromEntries((await relationships(cluster)).map((one) => [one.trust_domain, one.bundle_endpoint_url]));
    const before = await urls();
    for (const object of made) await cluster.create(object);
    await eventually(async () => {
      expect(await urls()).toEqual({ ...before, [extra]: ELSEWHERE });
    });
    for (const { apiVersion, kind, metadata } of made) await cluster.remove(apiVersion, kind, metadata.name);
    await eventually(async () => {
      expect(await urls()).toEqual(before);
    });
  });

  test("workloads meet as before while both SPIRE servers are away, which come back with their keys and bundles", async () => {
    const clusters = members().map(({ cluster }) => cluster);
    const keys = await Promise.all(clusters.map(async (cluster) => (await cluster.endpoint()).keys));
    const before = await Promise.all(clusters.map(serverPod));
    for (const cluster of clusters)
      await cluster.core.deleteNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
    const met: string[] = [];
    await eventually(async () => {
      const now = await Promise.all(clusters.map(serverPod));
      if (now.every(({ ready, uid }, index) => ready && uid !== before[index]?.uid)) return;
      for (const [from, to] of bothWays()) met.push(await handshake(from, to).catch(String));
      throw new Error("a SPIRE server is not back");
    });
    expect(new Set(met)).toEqual(new Set(bothWays().map(([from, to]) => `${to.id} met ${from.id}`)));
    expect(await Promise.all(clusters.map(async (cluster) => (await cluster.endpoint()).keys))).toEqual(keys);
    for (const [{ cluster }, { cluster: peer }] of bothWays()) await held(cluster, peer);
  });

  test("a workload loses a peer's bundle with the federatesWith of its entry, and gets it back with it", async () => {
    const [from, to] = firstPair();
    const { trustDomain } = to.cluster;
    await Workload.start(from.cluster, from.name, []);
    await eventually(() =>
      expect(handshake(from, to)).rejects.toThrow(`no X.509 bundle for trust domain "${trustDomain}"`),
    );
    await Workload.start(from.cluster, from.name, [trustDomain]);
    await eventually(() => handshake(from, to));
  });

  test("SPIRE does not delete a bundle that an entry federates with, unless it is told what becomes of the entry", async () => {
    for (const [{ cluster }, { cluster: peer }] of bothWays()) {
      const id = `spiffe://${peer.trustDomain}`;
      await expect(cluster.spireServer("bundle", "delete", "-id", id)).rejects.toThrow(
        /cannot delete bundle; federated with \d+ registration entries/,
      );
      await held(cluster, peer);
    }
  });
}

const ELSEWHERE = "https://elsewhere.example.com";

const trustIn = (name: string, trustDomain: string, more: object = {}): Manifest => ({
  apiVersion: "spire.spiffe.io/v1alpha1",
  kind: "ClusterFederatedTrustDomain",
  metadata: { name },
  spec: {
    trustDomain,
    bundleEndpointURL: ELSEWHERE,
    bundleEndpointProfile: { type: "https_web" },
    className: "zero-trust-workload-identity-manager-spire",
    ...more,
  },
});

async function relationships(cluster: Cluster): Promise<Relationship[]> {
  const said = await cluster.spireServer("federation", "list", "-output", "json");
  return (JSON.parse(said) as { federation_relationships: Relationship[] }).federation_relationships;
}

async function serverPod(cluster: Cluster): Promise<{ uid?: string | undefined; ready: boolean }> {
  const pod = (await cluster.pods()).find(({ metadata }) => metadata?.name === "spire-server-0");
  const ready = pod?.status?.containerStatuses?.every((container) => container.ready) ?? false;
  return { uid: pod?.metadata?.uid, ready };
}
