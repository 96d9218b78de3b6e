import { type ClusterReader, Forbidden, type KubeObject } from "../../../components/cluster/cluster";
import { describeRelease, readZtwimRelease } from "../../../components/spireServer/ztwimRelease";
import { clusterOf } from "../readers";

const NAMESPACE = "zero-trust-workload-identity-manager";
const OLM_API = "operators.coreos.com/v1alpha1";

const crd = (...fields: string[]): KubeObject & { spec: object } => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "spireservers.operator.openshift.io" },
  spec: {
    versions: [
      {
        schema: {
          openAPIV3Schema: {
            properties: { spec: { properties: Object.fromEntries(fields.map((name) => [name, {}])) } },
          },
        },
      },
    ],
  },
});
const subscription = (installedCSV?: string, name = "openshift-zero-trust-workload-identity-manager") => ({
  apiVersion: OLM_API,
  kind: "Subscription",
  metadata: { name, namespace: NAMESPACE },
  spec: { name },
  status: { installedCSV, currentCSV: "zero-trust-workload-identity-manager.v9.9.9" },
});
const csv = (version: string, phase = "Succeeded") => ({
  apiVersion: OLM_API,
  kind: "ClusterServiceVersion",
  metadata: { name: `zero-trust-workload-identity-manager.v${version}`, namespace: NAMESPACE },
  status: { phase },
});
const deployment = (value: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "zero-trust-workload-identity-manager-controller-manager", namespace: NAMESPACE },
  spec: { template: { spec: { containers: [{ env: [{ name: "OPERATOR_VERSION", value }] }] } } },
});
const statefulSet = (version: string) => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "spire-server", namespace: NAMESPACE, labels: { "app.kubernetes.io/version": version } },
});

it.each<[string, KubeObject[], object, string]>([
  [
    "the version that OLM has installed, though it has chosen the next one",
    [crd("upstreamAuthority"), subscription("zero-trust-workload-identity-manager.v1.1.0"), deployment("1.0.0")],
    { upstreamAuthority: true, version: "1.1.0", from: "csv" },
    "1.1.0",
  ],
  [
    "the version that is installed without a Subscription, not the one that is being installed",
    [crd("federation"), csv("1.1.0", "Pending"), csv("1.0.1")],
    { upstreamAuthority: false, version: "1.0.1", from: "csv" },
    "1.0.1",
  ],
  [
    "the operator's own word without OLM, whoever else is subscribed to",
    [crd("federation"), subscription("other.v3.0.0", "other"), deployment("1.0.0"), statefulSet("1.14.7")],
    { upstreamAuthority: false, version: "1.0.0", from: "deployment" },
    "1.0.0",
  ],
  [
    "1.0 from the operands",
    [crd("federation"), deployment("latest"), statefulSet("1.13.3")],
    { upstreamAuthority: false, version: "1.0", from: "statefulset" },
    "1.0",
  ],
  [
    "1.1 from the operands",
    [crd("upstreamAuthority"), statefulSet("1.14.7")],
    { upstreamAuthority: true, version: "1.1", from: "statefulset" },
    "1.1",
  ],
  [
    "no version, but what the CRD takes",
    [crd("upstreamAuthority"), statefulSet("1.15.0")],
    { upstreamAuthority: true },
    "1.1 or newer",
  ],
  ["nothing on a cluster without ZTWIM", [], { upstreamAuthority: false }, "older than 1.1"],
])("tells %s", async (_, objects, expected, shown) => {
  const release = await readZtwimRelease(clusterOf(...objects));
  expect(release).toEqual(expected);
  expect(describeRelease(release)).toBe(shown);
});

describe("a reader without rights", () => {
  const objects = clusterOf(crd("upstreamAuthority"), subscription("zero-trust-workload-identity-manager.v1.1.0"));
  const without = (...kinds: string[]): ClusterReader => {
    const refuse = (kind: string): void => {
      if (kinds.includes(kind)) throw new Forbidden(`may not read ${kind}`);
    };
    return {
      access: {},
      get: async <T extends KubeObject>(...what: Parameters<ClusterReader["get"]>) => {
        refuse(what[1]);
        return await objects.get<T>(...what);
      },
      list: async <T extends KubeObject>(...what: Parameters<ClusterReader["list"]>) => {
        refuse(what[1]);
        return await objects.list<T>(...what);
      },
    };
  };

  it("does not know what it may not read, and knows the rest", async () => {
    expect(await readZtwimRelease(without("CustomResourceDefinition"))).toEqual({
      upstreamAuthority: "unknown",
      version: "1.1.0",
      from: "csv",
    });
    expect(await readZtwimRelease(without("Subscription", "ClusterServiceVersion"))).toEqual({
      upstreamAuthority: true,
    });
  });

  it("says so", async () => {
    const release = await readZtwimRelease(
      without("CustomResourceDefinition", "Subscription", "ClusterServiceVersion", "Deployment", "StatefulSet"),
    );
    expect(describeRelease(release)).toBe("unknown");
  });
});

it("does not take a failure for an answer", async () => {
  const down: ClusterReader = {
    access: {},
    get: () => Promise.reject(new Error("connection refused")),
    list: () => Promise.reject(new Error("connection refused")),
  };
  await expect(readZtwimRelease(down)).rejects.toThrow("connection refused");
});
