import type { Cluster, KubeObject } from "../../components/cluster/cluster";
import { PeerCas, type PeerCasArgs } from "../../components/peerCas";
import { lookAtMountedCas, lookAtUnmountedCas } from "../../components/trustedCas/peerCasReadiness";
import { caFingerprintsOf, peerCas } from "../../components/trustedCas/trustedCas";
import { named, record, type Seen } from "../mocks";
import { issue } from "./issue";
import { NAMESPACE, peer } from "./given";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";
import { stops } from "./stops";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
jest.mock("../../components/shared/stopProgram", () => jest.requireActual<object>("./stops"));

const [ca, system] = ["internal CA", "system CA"].map((name) => issue(name, { ca: true }).pem) as [string, string];
const peers = [{ ...peer, caCertificates: ca, caFingerprints: caFingerprintsOf({ caCertificates: ca }) }];
const { name: NAME, pem } = peerCas(system, peers);
const other = { name: "CREATE_ONLY_MODE", value: "false" };

const configMap = (name: string, data: object): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: NAMESPACE },
  ...{ data },
});
const workload = (kind: string, name: string, mounted?: string, generation = 1): KubeObject => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name, namespace: NAMESPACE, generation: 1 },
  ...{
    spec: {
      template: {
        spec: { volumes: mounted === undefined ? [] : [{ name: "trusted-ca-bundle", configMap: { name: mounted } }] },
      },
    },
    status: { observedGeneration: generation, updatedReplicas: 1, readyReplicas: 1, replicas: 1 },
  },
});
const filled = configMap("spire-federation-trusted-cas", { "ca-bundle.crt": system });
const ztwim: KubeObject & { spec?: object } = {
  apiVersion: "operators.coreos.com/v1alpha1",
  kind: "Subscription",
  metadata: { namespace: NAMESPACE, name: "ztwim" },
  ...{ spec: { name: "openshift-zero-trust-workload-identity-manager", config: { env: [other] } } },
};
const own: KubeObject = {
  apiVersion: "operator.openshift.io/v1alpha1",
  kind: "ZeroTrustWorkloadIdentityManager",
  metadata: { name: "cluster" },
  ...{ spec: { trustDomain: "apps.cluster1.example.com" } },
};
const args: PeerCasArgs = {
  kubeconfig: "~/c1",
  context: "admin",
  peers,
  wait: { timeoutSeconds: 0.1, pollMs: 5 },
};

const make = (
  cluster: Cluster = clusterOf(ztwim, own, filled, workload("StatefulSet", "spire-server", NAME)),
  options: { preview?: boolean; stalls?: boolean } = {},
): Promise<Seen[]> => {
  useCluster(cluster);
  return record(() => new PeerCas("cas", args), options);
};

it("gives SPIRE the cluster's own CAs and the peers', and keeps the other variables", async () => {
  const seen = await make();
  expect(named(seen, "cas-roots").inputs).toMatchObject({
    metadata: {
      name: "spire-federation-trusted-cas",
      namespace: NAMESPACE,
      labels: { "config.openshift.io/inject-trusted-cabundle": "true" },
    },
  });
  expect(named(seen, "cas-roots").inputs).not.toHaveProperty("data"); // OpenShift's
  expect(named(seen, "cas-bundle").inputs).toMatchObject({
    metadata: { name: NAME, namespace: NAMESPACE },
    immutable: true,
    data: { "ca-bundle.crt": pem },
  });
  const { type, inputs } = named(seen, "cas-subscription");
  expect(type).toBe("kubernetes:operators.coreos.com/v1alpha1:SubscriptionPatch");
  expect(inputs).toMatchObject({
    metadata: {
      name: "ztwim",
      namespace: NAMESPACE,
      annotations: { "pulumi.com/patchFieldManager": "spire-federation" },
    },
    spec: { config: { env: [other, { name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value: NAME }] } },
  });
});

it("is taken away in the order in which no pod is left without its ConfigMap", async () => {
  const seen = await make();
  const removal = named(seen, "cas-removal");
  expect(removal.inputs).toMatchObject({
    delete: `node --eval "require('spire-federation/remove-peer-cas')"`,
    environment: { KUBE_CONFIG: "~/c1", KUBE_CONTEXT: "admin", OWN_TRUST_DOMAIN: "apps.cluster1.example.com" },
  });
  // The engine deletes what depends on something before that.
  expect(removal.dependencies).toEqual(["cas-subscription"]);
  expect(named(seen, "cas-subscription").dependencies).toContain("cas-bundle");
  expect(named(seen, "cas-bundle").dependencies).toContain("cas-roots");
});

it("previews without the CAs that OpenShift has not written yet, and with them afterwards", async () => {
  const first = await make(clusterOf(ztwim), { preview: true });
  expect(named(first, "cas-bundle").inputs["data"]).not.toEqual({ "ca-bundle.crt": pem });
  const later = await make(undefined, { preview: true });
  expect(named(later, "cas-bundle").inputs).toMatchObject({ metadata: { name: NAME }, data: { "ca-bundle.crt": pem } });
});

it("ends the program where OLM has not installed ZTWIM", async () => {
  const seen = await make(clusterOf(filled), { stalls: true });
  expect(seen.map(({ name }) => name)).not.toContain("cas-subscription");
  expect(stops.splice(0)).toEqual([
    "cas: there is no Subscription of openshift-zero-trust-workload-identity-manager to change",
  ]);
});

describe("a variable that is set already", () => {
  const variable = (value: string): object => ({ name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value });
  const holding = (configMapName: string, cas: string): Cluster => {
    const { name } = ztwim.spec as { name: string };
    const subscription = { ...ztwim, ...{ spec: { name, config: { env: [other, variable(configMapName)] } } } };
    const server = workload("StatefulSet", "spire-server", NAME);
    return clusterOf(subscription, configMap(configMapName, { "ca-bundle.crt": cas }), filled, server);
  };

  it.each([
    ["which lacks the peers' CAs", system, /"corporate-cas" of somebody else, which lacks the CAs of cluster2; /],
    ["which has them", `${system}${ca}`, /"corporate-cas" of somebody else, .*leave/],
  ])("and names somebody else's ConfigMap, %s, ends the program before anything is created", async (_, cas, said) => {
    for (const preview of [true, false]) {
      const seen = await make(holding("corporate-cas", cas), { preview, stalls: true });
      expect(seen.filter(({ type }) => type.startsWith("kubernetes:"))).toEqual([]);
      expect(stops.splice(0)).toEqual([expect.stringMatching(said)]);
    }
  });

  it("and names one of the stack's own is set to the new one", async () => {
    const seen = await make(holding("spire-federation-peer-cas-1", system));
    expect(named(seen, "cas-subscription").inputs["spec"]).toEqual({ config: { env: [other, variable(NAME)] } });
  });
});

describe("SPIRE's pods", () => {
  const all = (mounted?: string, generation?: number) =>
    clusterOf(
      workload("StatefulSet", "spire-server", mounted, generation),
      workload("DaemonSet", "spire-agent", mounted),
      workload("Deployment", "spire-spiffe-oidc-discovery-provider", mounted),
    );

  it("have the ConfigMap once every workload mounts it and the server is rolled out", async () => {
    expect(await lookAtMountedCas(all(NAME), NAME)).toEqual({ state: "ready" });
    expect(await lookAtMountedCas(all("other"), NAME)).toMatchObject({ state: "waiting" });
    expect(await lookAtMountedCas(all(NAME, 0), NAME)).toMatchObject({ state: "waiting" });
  });

  it("need none of the stack's once no workload mounts one", async () => {
    expect(await lookAtUnmountedCas(all(), "spire-federation-peer-cas-")).toEqual({ state: "ready" });
    expect(await lookAtUnmountedCas(all("theirs"), "spire-federation-peer-cas-")).toEqual({ state: "ready" });
    expect(await lookAtUnmountedCas(clusterOf(), "spire-federation-peer-cas-")).toEqual({ state: "ready" });
    expect(await lookAtUnmountedCas(all(NAME), "spire-federation-peer-cas-")).toMatchObject({ state: "waiting" });
    expect(await lookAtUnmountedCas(all(undefined, 0), "spire-federation-peer-cas-")).toMatchObject({
      state: "waiting",
    });
  });
});

it("refuses peers whose CAs vouch for no https_web endpoint: SPIRE roots never enter its store", async () => {
  const web = { stack: "cluster2", trustDomain: "a.example", bundleEndpointUrl: "https://a.example" };
  const caCertificates = issue("CA", { ca: true, permitted: ["a.example"] }).pem;
  const peers = [
    { ...web, profile: "https_spiffe" as const, endpointSpiffeId: "spiffe://a.example/spire/server", caCertificates },
    { ...web, profile: "https_web" as const },
  ];
  const seen = await record(() => {
    expect(() => new PeerCas("cas", { peers })).toThrow(/peers\[0\]: .*https_web.*\n.*peers\[1\]: /);
  });
  expect(seen.map(({ name }) => name)).toEqual(["cas"]);
});

it("refuses a CA that could vouch for other hosts, unless it is pinned", async () => {
  const unpinned = [{ ...peer, caCertificates: ca }];
  const seen = await record(() => {
    expect(() => new PeerCas("cas", { peers: unpinned })).toThrow(/peers\[0\]\.caFingerprints: /);
  });
  expect(seen.map(({ name }) => name)).toEqual(["cas"]);
});

it("creates nothing where it cannot read the cluster, which may be another one than its provider's", async () => {
  const fail = () => Promise.reject(new Error("its provider leads to another cluster"));
  const seen = await make({ access: {}, get: fail, list: fail, ask: fail }, { stalls: true });
  expect(seen.filter(({ type }) => type.startsWith("kubernetes:"))).toEqual([]);
  expect(stops.splice(0)).toContain("its provider leads to another cluster");
});
