import type { KubeObject } from "../../../components/cluster/cluster";
import { inspectCertManager } from "../../../components/operators/inspectCertManager";
import { clusterOf } from "../readers";

const NAMESPACE = "cert-manager-operator";
const NAME = "openshift-cert-manager-operator";

const subscription = (namespace = NAMESPACE, name = NAME, stack?: string): KubeObject & { spec: object } => ({
  apiVersion: "operators.coreos.com/v1alpha1",
  kind: "Subscription",
  metadata: { namespace, name, generation: 3, ...(stack && { annotations: { "spire-federation/stack": stack } }) },
  spec: { name: NAME },
});
const group = (namespace = NAMESPACE, name = NAME): KubeObject => ({
  apiVersion: "operators.coreos.com/v1",
  kind: "OperatorGroup",
  metadata: { namespace, name },
});
const version = (metadata: object = {}): KubeObject => ({
  apiVersion: "operators.coreos.com/v1alpha1",
  kind: "ClusterServiceVersion",
  metadata: { namespace: NAMESPACE, name: "cert-manager-operator.v1.18.1", ...metadata },
});
const controller = (namespace: string): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace, name: "cert-manager" },
});
const operand: KubeObject = {
  apiVersion: "operator.openshift.io/v1alpha1",
  kind: "CertManager",
  metadata: { name: "cluster" },
};
const extension = (packageName: string): KubeObject & { spec: object } => ({
  apiVersion: "olm.operatorframework.io/v1",
  kind: "ClusterExtension",
  metadata: { name: "cert-manager" },
  spec: { source: { sourceType: "Catalog", catalog: { packageName } } },
});
const byHand = (labels = {}): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: NAMESPACE, name: "cert-manager-operator-controller-manager", labels },
});
const unrelated = { ...subscription("other", "other"), spec: { name: "other-operator" } };

const inspect = (...objects: KubeObject[]): ReturnType<typeof inspectCertManager> =>
  inspectCertManager(clusterOf(...objects));

it.each<[string, KubeObject[], object]>([
  ["nothing, on an empty cluster", [], { state: "absent" }],
  ["nothing, beside other operators", [unrelated, group("other", "other")], { state: "absent" }],
  ["nothing, when an interrupted run has left its OperatorGroup", [group()], { state: "absent" }],
  ["nothing, when a removed operator has left its pods", [controller("cert-manager"), operand], { state: "absent" }],
  ["ours", [subscription(NAMESPACE, NAME, "cluster1"), group(), version()], { state: "ours", generation: 3 }],
  [
    "ours, with the OperatorGroup deleted by hand: the stack makes it again",
    [subscription(NAMESPACE, NAME, "cluster1")],
    { state: "ours", generation: 3 },
  ],
  [
    "ours, by the name that the stack had before it was renamed",
    [subscription(NAMESPACE, NAME, "former"), group()],
    { state: "ours", generation: 3 },
  ],
  [
    "one that somebody has installed by the same procedure",
    [subscription(), group()],
    { state: "foreign", subscription: { namespace: NAMESPACE, name: NAME } },
  ],
  [
    "an administrator's in another namespace, with an OperatorGroup of any name",
    [subscription("openshift-operators", "cm"), group("openshift-operators", "global")],
    { state: "foreign", subscription: { namespace: "openshift-operators", name: "cm" } },
  ],
  ["cert-manager's own manifests", [controller("cert-manager")], { state: "plain", namespace: "cert-manager" }],
  [
    "what OLM v1 installs, before its pods are there",
    [extension("openshift-cert-manager-operator")],
    { state: "plain", namespace: "cert-manager", extension: "cert-manager" },
  ],
  [
    "what OLM v1 has installed, and not what a removed operator has left",
    [extension("openshift-cert-manager-operator"), controller("cert-manager"), operand],
    { state: "plain", namespace: "cert-manager", extension: "cert-manager" },
  ],
  ["nothing, beside OLM v1's other operators", [extension("other-operator")], { state: "absent" }],
  [
    "an operator that somebody's hand has installed",
    [byHand(), controller("cert-manager"), operand],
    { state: "plain", namespace: "cert-manager" },
  ],
  [
    "nothing, while the Deployment of a removed operator is still going",
    [byHand({ "olm.owner": "cert-manager-operator.v1.18.1" }), controller("cert-manager"), operand],
    { state: "absent" },
  ],
  ["a chart beside what an operator has left", [controller("pki"), operand], { state: "plain", namespace: "pki" }],
])("finds %s", async (_, objects, expected) => {
  expect(await inspect(...objects)).toEqual(expected);
});

it.each<[string, KubeObject[], string[]]>([
  [
    "two Subscriptions",
    [subscription(), subscription("openshift-operators", "cm"), group()],
    [`${NAMESPACE}/${NAME}`, "openshift-operators/cm", "delete all but one"],
  ],
  [
    "two OperatorGroups beside our Subscription",
    [subscription(NAMESPACE, NAME, "cluster1"), group(), group(NAMESPACE, "another")],
    [`another, ${NAME}`, `delete all but ${NAME}`],
  ],
  [
    "two OperatorGroups beside an administrator's Subscription",
    [subscription("a", "cm"), group("a", "x"), group("a", "y")],
    ["namespace a has OperatorGroup x, y", "delete all but one"],
  ],
  [
    "an OperatorGroup to which ours would be the second",
    [group(NAMESPACE, "another")],
    ["another", `${NAME} would be the second`],
  ],
  [
    "a Subscription without OperatorGroup",
    [subscription("a", "cm")],
    ["Subscription cm but no OperatorGroup", "create one"],
  ],
  [
    "a version without Subscription",
    [version(), version({ namespace: "other", labels: { "olm.copiedFrom": NAMESPACE } })],
    [`oc delete clusterserviceversions.operators.coreos.com cert-manager-operator.v1.18.1 -n ${NAMESPACE}`],
  ],
])("refuses %s, with the cure", async (_, objects, messages) => {
  const problems = await inspect(...objects);
  expect(problems).toEqual([{ path: "certManager", message: expect.any(String) as string }]);
  for (const message of messages) {
    expect(JSON.stringify(problems)).toContain(message);
  }
});
