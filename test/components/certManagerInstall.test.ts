import { CertManagerInstall, type CertManagerInstallArgs } from "../../components/certManagerInstall";
import type { Cluster, KubeObject } from "../../components/cluster/cluster";
import { readiness } from "../../components/shared/gate";
import { named, record, type Seen } from "../mocks";
import { ready, silentCluster } from "./given";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";
import { stops } from "./stops";

jest.mock("../../components/shared/stopProgram", () => jest.requireActual<object>("./stops"));

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));

const args: CertManagerInstallArgs = { context: "c1" };

/** What it makes beside its provider. */
const install = async (
  changed: Partial<CertManagerInstallArgs> = {},
  cluster: Cluster = silentCluster(),
): Promise<Seen[]> => {
  useCluster(cluster);
  const seen = await record(() => new CertManagerInstall("cm", { ...args, ...changed }), { stalls: true });
  return seen.filter(({ name }) => name !== "cm-cluster");
};

/** A Subscription of the operator; with a stack's name it is that stack's. */
const subscription = (namespace: string, name: string, stack?: string): KubeObject => ({
  apiVersion: "operators.coreos.com/v1alpha1",
  kind: "Subscription",
  metadata: { namespace, name, ...(stack !== undefined && { annotations: { "spire-federation/stack": stack } }) },
  ...{ spec: { name: "openshift-cert-manager-operator" } },
});
const group = (namespace: string): KubeObject => ({
  apiVersion: "operators.coreos.com/v1",
  kind: "OperatorGroup",
  metadata: { namespace, name: "openshift-cert-manager-operator" },
});
const controller: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: "pki", name: "cert-manager" },
};
const ours = [
  group("cert-manager-operator"),
  subscription("cert-manager-operator", "openshift-cert-manager-operator", "cluster1"),
];

it("has OLM ask for approval where the config says so", async () => {
  const seen = await install({ installPlanApproval: "Manual" });
  expect(named(seen, "cm-subscription").inputs["spec"]).toMatchObject({ installPlanApproval: "Manual" });
});

beforeEach(() => {
  stops.length = 0;
});

it.each([
  ["is not there", clusterOf()],
  ["is this stack's already", clusterOf(...ours)],
])("makes the procedure's three objects when the operator %s", async (_, cluster) => {
  const seen = await install({ wait: { timeoutSeconds: 0 } }, cluster);
  expect(seen.map(({ type }) => type)).toEqual([
    "spire-federation:index:CertManagerInstall",
    "kubernetes:core/v1:Namespace",
    "kubernetes:operators.coreos.com/v1:OperatorGroup",
    "kubernetes:operators.coreos.com/v1alpha1:Subscription",
  ]);
  expect(named(seen, "cm-namespace").inputs).toMatchObject({ metadata: { name: "cert-manager-operator" } });
  expect(named(seen, "cm-group").inputs).toMatchObject({
    metadata: { name: "openshift-cert-manager-operator", namespace: "cert-manager-operator" },
    spec: { upgradeStrategy: "Default" },
  });
  expect(named(seen, "cm-subscription").inputs).toMatchObject({
    metadata: {
      name: "openshift-cert-manager-operator",
      namespace: "cert-manager-operator",
      annotations: {
        "spire-federation/stack": "cluster1",
        "pulumi.com/skipAwait": "true",
        "pulumi.com/patchForce": "true",
      },
    },
  });
  expect(named(seen, "cm-subscription").inputs["spec"]).toEqual({
    source: "redhat-operators",
    sourceNamespace: "openshift-marketplace",
    name: "openshift-cert-manager-operator",
    channel: "stable-v1",
  });
});

it("takes channel and catalog from its arguments", async () => {
  const seen = await install({ channel: "stable-v1.18", source: "mirror", sourceNamespace: "catalogs" });
  expect(named(seen, "cm-subscription").inputs["spec"]).toEqual({
    source: "mirror",
    sourceNamespace: "catalogs",
    name: "openshift-cert-manager-operator",
    channel: "stable-v1.18",
  });
});

describe("what others have installed", () => {
  const others: [string, Cluster, RegExp][] = [
    ["through OLM", clusterOf(group("a"), subscription("a", "cm")), /Subscription a\/cm.*set install to false/],
    ["without OLM", clusterOf(controller), /namespace pki.*set install to false/],
  ];

  it.each(others)("%s is waited for with install: false, and nothing is declared", async (_, cluster) => {
    const seen = await install({ install: false, wait: { timeoutSeconds: 0 } }, cluster);
    expect(seen.map(({ name }) => name)).toEqual(["cm"]);
    expect(stops).toEqual([expect.stringMatching(/^cert-manager: /)]); // it waits, and nothing is ready here
  });

  it.each(others)("%s gets no second operator beside it", async (_, cluster, message) => {
    expect((await install({}, cluster)).map(({ name }) => name)).toEqual(["cm"]);
    expect(stops).toEqual([expect.stringMatching(message)]);
  });

  it("is missed with install: false where there is nothing", async () => {
    await install({ install: false }, clusterOf());
    expect(stops).toEqual([expect.stringContaining("cert-manager is not installed")]);
  });
});

it("makes the Subscription last, and keeps all of it on destroy", async () => {
  const seen = await install();
  expect(named(seen, "cm-group").dependencies).toEqual(["cm-namespace"]);
  expect(named(seen, "cm-subscription").dependencies).toEqual(["cm-group"]);
  expect(seen.slice(1).map(({ retainOnDelete }) => retainOnDelete)).toEqual([true, true, true]);
});

it("is ready once cert-manager runs, and not before", async () => {
  let ended = false;
  useCluster(silentCluster());
  await record(
    () => {
      void readiness(new CertManagerInstall("cm", args)).then(() => (ended = true));
    },
    { stalls: true },
  );
  expect(ended).toBe(false);
  useCluster(ready);
  await record(async () => {
    await readiness(new CertManagerInstall("cm", args));
  });
});

it("refuses names that are none, all at once", async () => {
  await record(() => {
    expect(
      () => new CertManagerInstall("cm", { ...args, channel: "Stable v1", source: "", sourceNamespace: "A" }),
    ).toThrow(/channel: "Stable v1"[^]*source: ""[^]*sourceNamespace: "A"/);
  });
});
