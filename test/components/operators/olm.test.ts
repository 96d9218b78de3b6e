import {
  isCertManagerVersion,
  lookAtOperator,
  operatorReadiness,
  type OperatorState,
  type Subscription,
} from "../../../components/operators/olm";
import { clusterOf } from "../readers";

const where = { namespace: "cert-manager-operator", name: "openshift-cert-manager-operator" };
const csv = "cert-manager-operator.v1.18.1";
const spec = {
  name: where.name,
  channel: "stable-v1",
  source: "redhat-operators",
  sourceNamespace: "openshift-marketplace",
};
const subscription: Subscription = {
  apiVersion: "operators.coreos.com/v1alpha1",
  kind: "Subscription",
  metadata: where,
  spec,
  status: { state: "AtLatestKnown", currentCSV: csv },
};
const group = { apiVersion: "operators.coreos.com/v1", kind: "OperatorGroup", metadata: where };
const version = { metadata: { name: csv, namespace: where.namespace }, status: { phase: "Succeeded" } };
const installed: OperatorState = { subscription, groups: [group], version };

function withCondition(type: string, reason: string, message: string): OperatorState {
  return {
    ...installed,
    subscription: { ...subscription, status: { conditions: [{ type, status: "True", reason, message }] } },
    version: undefined,
  };
}

it("is ready when the version that was chosen has succeeded", () => {
  expect(operatorReadiness(where, installed)).toEqual({ state: "ready" });
});

describe("an InstallPlan that waits for approval", () => {
  const pending = (installedCSV?: string): Subscription => ({
    ...subscription,
    status: {
      currentCSV: "cert-manager-operator.v1.19.0",
      ...(installedCSV !== undefined && { installedCSV }),
      installPlanRef: { name: "install-abcde" },
      conditions: [{ type: "InstallPlanPending", status: "True", reason: "RequiresApproval" }],
    },
  });
  const [older] = [{ apiVersion: "operators.coreos.com/v1alpha1", kind: "ClusterServiceVersion", ...version }];

  it("is named, with the command that approves it", () => {
    const access = { kubeconfig: "~/c1", context: "admin" };
    expect(operatorReadiness(where, { ...installed, subscription: pending() }, access)).toEqual({
      state: "failed",
      because:
        "InstallPlan install-abcde in namespace cert-manager-operator waits for approval, as the Subscription asks: " +
        "oc --kubeconfig ~/c1 --context admin patch installplans.operators.coreos.com install-abcde " +
        `-n cert-manager-operator --type merge -p '{"spec":{"approved":true}}'`,
      settleSeconds: 15,
    });
  });

  it("stops nobody where it is an upgrade: the version before still runs", async () => {
    expect(await lookAtOperator(clusterOf(pending(csv), group, older), where)).toEqual({ state: "ready" });
    expect(await lookAtOperator(clusterOf(pending(csv), group), where)).toMatchObject({
      because: expect.stringContaining(`ClusterServiceVersion ${csv} is not there`) as string,
    });
  });
});

it("warns, and is ready, where the version runs and any catalog of the cluster does not answer", () => {
  const state = withCondition(
    "ResolutionFailed",
    "ErrorPreventedResolution",
    "failed to populate resolver cache from source certified-operators/openshift-marketplace",
  );
  const subscriptionOf = (installedCSV: string): Subscription => ({
    ...state.subscription,
    status: { ...state.subscription?.status, currentCSV: csv, installedCSV },
  });
  expect(operatorReadiness(where, { ...installed, subscription: subscriptionOf(csv) })).toEqual({
    state: "ready",
    warning: expect.stringMatching(/runs, but OLM cannot resolve .*certified-operators/) as string,
  });
  const upgrading = operatorReadiness(where, {
    ...installed,
    subscription: subscriptionOf("cert-manager-operator.v1.17.0"),
  });
  expect(upgrading.state).toBe("failed");
});

// The messages are OLM 0.38's own.
it.each<[string, OperatorState, string]>([
  ["no OperatorGroup", { ...installed, groups: [] }, "has no OperatorGroup"],
  [
    "two OperatorGroups, by name",
    { ...installed, groups: [group, { metadata: { name: "another" } }] },
    "another, openshift-cert-manager-operator",
  ],
  ["no Subscription", { ...installed, subscription: undefined }, "is not there"],
  [
    "a wrong channel",
    withCondition(
      "ResolutionFailed",
      "ConstraintsNotSatisfiable",
      "no operators found in channel stable-v9 of package",
    ),
    'channel stable-v1 of openshift-cert-manager-operator in catalog openshift-marketplace/redhat-operators: ResolutionFailed=True (ConstraintsNotSatisfiable): no operators found in channel stable-v9 of package. "oc get packagemanifest -n openshift-marketplace openshift-cert-manager-operator',
  ],
  [
    "a catalog that is not there",
    withCondition("CatalogSourcesUnhealthy", "UnhealthyCatalogSourceFound", "targeted catalogsource x/nope missing"),
    "targeted catalogsource x/nope missing",
  ],
  [
    "an InstallPlan that somebody must approve",
    withCondition("InstallPlanPending", "RequiresApproval", ""),
    "waits for approval, as the Subscription asks: oc patch installplans.operators.coreos.com <name>",
  ],
  ["a version that was deleted", { ...installed, version: undefined }, `ClusterServiceVersion ${csv} is not there`],
  [
    "a version that failed",
    {
      ...installed,
      version: { status: { phase: "Failed", reason: "InstallCheckFailed", message: "install timeout" } },
    },
    "is Failed (InstallCheckFailed): install timeout",
  ],
])("fails, once it has settled, with %s", (_, state, because) => {
  // A fault is named within seconds; only between the choice of a version and the version lies the InstallPlan.
  const chosen = state.subscription?.status?.currentCSV !== undefined && state.groups.length === 1;
  expect(operatorReadiness(where, state)).toEqual({
    state: "failed",
    because: expect.stringContaining(because) as string,
    settleSeconds: chosen && state.version === undefined ? 120 : 15,
  });
});

it.each<[string, OperatorState, string]>([
  [
    "while OLM resolves",
    { ...installed, subscription: { ...subscription, status: {} } },
    "OLM is resolving channel stable-v1",
  ],
  [
    "while the Subscription says AtLatestKnown already and the version is Pending",
    { ...installed, version: { status: { phase: "Pending", reason: "RequirementsUnknown" } } },
    `ClusterServiceVersion ${csv} is Pending (RequirementsUnknown)`,
  ],
])("waits %s", (_, state, because) => {
  expect(operatorReadiness(where, state)).toEqual({
    state: "waiting",
    because: expect.stringContaining(because) as string,
  });
});

it("reads the Subscription, the groups beside it and the version that it chose", async () => {
  const read = { ...version, apiVersion: "operators.coreos.com/v1alpha1", kind: "ClusterServiceVersion" };
  expect(await lookAtOperator(clusterOf(subscription, group, read), where)).toEqual({ state: "ready" });
  expect(await lookAtOperator(clusterOf(subscription, group), where)).toMatchObject({ state: "failed" });
  expect(await lookAtOperator(clusterOf(subscription, read), where)).toMatchObject({ state: "failed" });
});

it.each<[string, object, boolean]>([
  [csv, {}, true],
  ["openshift-cert-manager.v1.7.1", {}, true],
  ["renamed", { labels: { "operators.coreos.com/openshift-cert-manager-operator.ns": "" } }, true],
  [csv, { labels: { "olm.copiedFrom": "ns" } }, false],
  ["cert-manager.v1.16.5", {}, false],
  ["other-cert-manager-operator.v1.0.0", {}, false],
])("knows whether %s with %j is the operator's own version", (name, metadata, expected) => {
  expect(isCertManagerVersion({ metadata: { name, ...metadata } })).toBe(expected);
});

it("does not take OLM's copy for the operator's version", () => {
  expect(isCertManagerVersion({ metadata: { name: csv }, status: { reason: "Copied" } })).toBe(false);
});
