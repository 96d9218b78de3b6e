/**
 * OLM upgrades ZTWIM from 1.0.0 to 1.1.1 under a federation that works before and after. In a lab that is of no use to other
 * tests afterwards, and in which cluster1 has 1.0: `lab up --clusters 2 --ztwim 1.0`.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { approve, csv, installed, phaseOf } from "../../../lab/client/upgrade";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const SPIRE_SERVER = { apiVersion: "operator.openshift.io/v1alpha1", kind: "SpireServer" };
let project: Project;
let revisions: Set<string>;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  for (const stack of ["cluster1", "cluster2", "cluster1"]) await project.up(stack);
  await federated();
  revisions = await serverRevisions();
});

/** Each server holds the keys that the other's endpoint serves, and gets them again when asked to. */
async function federated(): Promise<void> {
  for (const [from, to] of pairs([cluster1, cluster2])) {
    await eventually(() => held(from, to));
    await from.refreshBundle(to.trustDomain);
  }
}

/** The pod templates that the SPIRE server has had: each new one is a rollout. */
async function serverRevisions(): Promise<Set<string>> {
  const all = await cluster1.list("apps/v1", "ControllerRevision", NAMESPACE);
  return new Set(all.map(({ metadata }) => metadata.name).filter((name) => name.startsWith("spire-server-")));
}

async function expectOneRollout(): Promise<void> {
  const now = await serverRevisions();
  expect(now.size).toBe(revisions.size + 1);
  revisions = now;
}

const managedRoute = (value: "true" | "false"): Promise<void> =>
  cluster1.merge({ ...SPIRE_SERVER, metadata: { name: "cluster" }, spec: { federation: { managedRoute: value } } });

test("a SPIRE server that is not Ready holds an approved upgrade back, and lets it go on when it is", async () => {
  await managedRoute("false");
  const message = "Not safe to upgrade - existing operands are not ready: [SpireServer]";
  const upgradeable = [
    expect.objectContaining({ type: "Upgradeable", status: "False", reason: "OperandsNotReady", message }),
  ];
  await eventually(async () => {
    const condition = await cluster1.read("operators.coreos.com/v2", "OperatorCondition", csv("1.0.0"));
    expect(condition.status).toMatchObject({ conditions: upgradeable });
  });
  await approve(cluster1, "1.0.1");
  await eventually(async () => {
    expect(await phaseOf(cluster1, "1.0.1")).toMatchObject({
      phase: "Pending",
      reason: "OperatorConditionNotUpgradeable",
    });
  });
  expect(await serverRevisions()).toEqual(revisions);
  await federated();

  await managedRoute("true");
  await installed(cluster1, "1.0.1", "1.13.3");
  await expectOneRollout(); // of the controller manager's new version
  await federated();
});

test("1.1.1 follows, with one rollout of the SPIRE server", async () => {
  const { keys } = await cluster1.endpoint();
  await approve(cluster1, "1.1.1");
  await installed(cluster1, "1.1.1", "1.14.7");
  await expectOneRollout();
  expect((await cluster1.endpoint()).keys).toEqual(keys);
  await federated();
});

test("1.1.1 grants the router what it needs itself, and leaves 1.0's SCC behind", async () => {
  await cluster1.read("rbac.authorization.k8s.io/v1", "Role", "spire-server-external-cert-reader");
  await cluster1.read("security.openshift.io/v1", "SecurityContextConstraints", "spire-spiffe-csi-driver");
  await cluster1.read("rbac.authorization.k8s.io/v1", "RoleBinding", "spire-csi-use-privileged-scc");
});

test("an up afterwards changes nothing", async () => {
  await project.up("cluster1", "--expect-no-changes");
});
