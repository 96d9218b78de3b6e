import {
  lookAtCertManager,
  operandReadiness,
  watchCertManager,
  type OperandState,
} from "../../../components/operators/certManagerReadiness";
import { podsReadiness, rolloutReadiness, type Pod, type Workload } from "../../../components/waiting/workloads";
import { clusterOf } from "../readers";

const deployment = (name: string, changed: Workload["status"] = {}, namespace = "cert-manager"): Workload => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace, generation: 2 },
  spec: { replicas: 1 },
  status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1, ...changed },
});
const pod = (status: Pod["status"], metadata: Pod["metadata"] = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "cert-manager-x", namespace: "cert-manager", ...metadata },
  status: status ?? {},
});
const running = pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] });
const state: OperandState = {
  namespace: "cert-manager",
  deployments: [deployment("cert-manager"), deployment("cert-manager-webhook")],
  pods: [running],
  webhook: { webhooks: [{ clientConfig: { caBundle: "Q0E=" } }] },
  operated: true,
};
const webhook = (caBundle?: string): OperandState["webhook"] => ({
  webhooks: [{ clientConfig: { ...(caBundle && { caBundle }) } }],
});

describe("a rollout", () => {
  it.each<[string, Workload["status"], string]>([
    ["its controller has not seen the specification", { observedGeneration: 1 }, "generation 2, observed 1"],
    ["old replicas are left", { replicas: 2 }, "rolling out"],
    ["no replica is updated", { updatedReplicas: 0 }, "0 are updated"],
    ["no replica is ready", { readyReplicas: 0 }, "0 ready"],
  ])("is not through while %s", (_, changed, because) => {
    expect(rolloutReadiness("Deployment", deployment("x", changed))).toEqual({
      state: "waiting",
      because: expect.stringMatching(new RegExp(`^Deployment x .*${because}`)) as string,
    });
  });

  it("is not through before it has a status", () => {
    expect(rolloutReadiness("Deployment", { metadata: { name: "x", generation: 1 } }).state).toBe("waiting");
  });
});

describe("pods", () => {
  it.each<[string, Pod, string]>([
    [
      "a crash",
      pod({
        phase: "Running",
        containerStatuses: [{ name: "c", state: { terminated: { reason: "Error", exitCode: 1 } } }],
      }),
      "Running, not ready; c: Error",
    ],
    [
      "no room on any node",
      pod({
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }],
      }),
      "0/3 nodes are available",
    ],
    ["no status", pod({}), "not started, not ready"],
  ])("are awaited with %s as the reason", (_, waited, because) => {
    expect(podsReadiness([running, waited], {})).toEqual({
      state: "waiting",
      because: expect.stringContaining(because) as string,
    });
  });

  it.each<[string, object, string]>([
    [
      "cannot be pulled",
      { state: { waiting: { reason: "ErrImagePull", message: "no such image" } } },
      'is Running, not ready; c: ErrImagePull, no such image; "oc describe pod -n cert-manager cert-manager-x" says more',
    ],
    [
      "waits to be started again",
      {
        state: { waiting: { reason: "CrashLoopBackOff" } },
        restartCount: 1,
        lastState: { terminated: { exitCode: 3 } },
      },
      'c: CrashLoopBackOff, last exit code 3; "oc logs -n cert-manager cert-manager-x -c c --previous" says why it ends',
    ],
    [
      "runs once more",
      { state: { running: {} }, restartCount: 2, lastState: { terminated: { exitCode: 3 } } },
      "--previous",
    ],
  ])("are given up, once it has settled, when a container %s", (_, container, because) => {
    const stuck = pod({ phase: "Running", containerStatuses: [{ name: "c", ...container }] });
    expect(podsReadiness([running, stuck], {})).toEqual({
      state: "failed",
      because: expect.stringContaining(because) as string,
      settleSeconds: 30,
    });
  });

  it("are not given up for containers that were restarted long ago, or once", () => {
    const lastState = { terminated: { exitCode: 3 } };
    const statuses = [
      { name: "well", ready: true, restartCount: 7, lastState },
      { name: "once", restartCount: 1, lastState },
    ];
    expect(podsReadiness([pod({ phase: "Running", containerStatuses: statuses })], {}).state).toBe("waiting");
  });

  it("do not count when they are finished or on their way out", () => {
    const leaving = pod({ phase: "Running" }, { deletionTimestamp: "2026-01-01T00:00:00Z" });
    expect(podsReadiness([running, pod({ phase: "Succeeded" }), leaving], {}).state).toBe("ready");
  });
});

describe("cert-manager", () => {
  it("is ready when its Deployments are out, its pods run and its webhook can be asked", () => {
    expect(operandReadiness(state, {})).toEqual({ state: "ready" });
  });

  it("needs no webhook when no operator brought it", () => {
    expect(operandReadiness({ ...state, webhook: undefined, operated: false }, {})).toEqual({ state: "ready" });
  });

  it.each<[string, Partial<OperandState>, string]>([
    ["the namespace is empty", { deployments: [], pods: [] }, "no Deployment yet"],
    ["a Deployment rolls out", { deployments: [deployment("x", { readyReplicas: 0 })] }, "Deployment x"],
    [
      "a pod does not run, which explains the rollout",
      { deployments: [deployment("x", { readyReplicas: 0 })], pods: [pod({ phase: "Pending" })] },
      "Pod cert-manager-x",
    ],
    [
      "the webhook's Deployment is missing",
      { webhook: webhook("Q0E="), deployments: [deployment("x")] },
      "cert-manager-webhook is not there",
    ],
    ["its operator has not made the webhook yet", { webhook: undefined }, "cert-manager-webhook is not there yet"],
    ["the API server cannot verify the webhook yet", { webhook: webhook() }, "has no CA yet"],
  ])("is awaited while %s", (_, changed, because) => {
    expect(operandReadiness({ ...state, ...changed }, {})).toEqual({
      state: "waiting",
      because: expect.stringContaining(because) as string,
    });
  });

  it("is looked at behind its operator, ours or an administrator's", async () => {
    const name = "openshift-cert-manager-operator";
    const operator = (namespace: string, subscription: string): object[] => [
      { apiVersion: "operators.coreos.com/v1", kind: "OperatorGroup", metadata: { name, namespace } },
      {
        apiVersion: "operators.coreos.com/v1alpha1",
        kind: "Subscription",
        metadata: { name: subscription, namespace },
        status: { currentCSV: "csv" },
      },
      {
        apiVersion: "operators.coreos.com/v1alpha1",
        kind: "ClusterServiceVersion",
        metadata: { name: "csv", namespace },
        status: { phase: "Succeeded" },
      },
    ];
    const asked = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: "cert-manager-webhook" },
      ...webhook("Q0E="),
    };
    const operands = [deployment("cert-manager"), deployment("cert-manager-webhook"), running, asked];
    const ours = clusterOf(...operator("cert-manager-operator", name), ...operands);
    const foreign = clusterOf(...operator("a", "cm"), ...operands);
    expect(await lookAtCertManager(ours, { state: "absent" })).toEqual({ state: "ready" });
    expect(await lookAtCertManager(ours, { state: "ours" })).toEqual({ state: "ready" });
    const subscription = { namespace: "a", name: "cm" };
    expect(await lookAtCertManager(foreign, { state: "foreign", subscription })).toEqual({ state: "ready" });
    expect(await lookAtCertManager(foreign, { state: "ours" })).toMatchObject({ state: "failed" });
  });

  it.each<[string, number, number]>([
    ["at once when the Subscription is as it was", 0, 7],
    ["after OLM, the first time, when the Subscription was changed", 5000, 6],
  ])("is looked at %s", async (_, ms, generation) => {
    jest.useFakeTimers();
    const metadata = { name: "openshift-cert-manager-operator", namespace: "cert-manager-operator", generation: 7 };
    const subscription = { apiVersion: "operators.coreos.com/v1alpha1", kind: "Subscription", metadata };
    const look = watchCertManager(clusterOf(subscription));
    for (const expected of [ms, 0]) {
      const start = Date.now();
      let took: number | undefined;
      void look({ state: "ours", generation }).then(() => (took = Date.now() - start));
      await jest.advanceTimersByTimeAsync(10_000);
      expect(took).toBe(expected);
    }
    jest.useRealTimers();
  });

  it("is looked at alone, where it runs, when no operator brought it", async () => {
    const cluster = clusterOf(deployment("cert-manager", {}, "pki"));
    expect(await lookAtCertManager(cluster, { state: "plain", namespace: "pki" })).toEqual({ state: "ready" });
    expect(await lookAtCertManager(cluster, { state: "plain", namespace: "x" })).toMatchObject({ state: "waiting" });
  });
});
