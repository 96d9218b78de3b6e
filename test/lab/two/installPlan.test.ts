/** What installs cert-manager: the real OLM with certManager.installPlanApproval: Manual, or OLM v1, which is only asked; and what stops neither. */
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { OPERATOR, OPERATOR_NAMESPACE, operatorObjects, removeOperator } from "../../../lab/client/operator";
import type { Project } from "../../../lab/client/project";
import { testProject } from "../helpers/identities";
import { report } from "../helpers/report";

const cluster1 = new Cluster("cluster1");
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1");
  await removeOperator(cluster1);
  await project.set("cluster1", "peers", "[]");
  await project.set("cluster1", "certManager.installPlanApproval", "Manual");
});

test("what OLM v1 is to install is not installed once more, and keys that have no effect are refused by its name", async () => {
  const [apiVersion, kind, name] = ["olm.operatorframework.io/v1", "ClusterExtension", "cert-manager"];
  const source = { sourceType: "Catalog", catalog: { packageName: OPERATOR } };
  await cluster1.create({ apiVersion, kind, metadata: { name }, spec: { namespace: OPERATOR_NAMESPACE, source } });
  try {
    const { code, stdout, stderr } = await project.tryUp("cluster1");
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(
      /certManager\.installPlanApproval: has no effect, .* ClusterExtension cert-manager of OLM v1/,
    );
    expect(await operatorObjects(cluster1, "Subscription")).toEqual([]);
  } finally {
    await cluster1.remove(apiVersion, kind, name);
  }
});

test("an up names the InstallPlan that waits, and goes on once it is approved", async () => {
  const { code, stdout, stderr } = await project.tryUp("cluster1");
  expect(code).not.toBe(0);
  const command = new RegExp(
    `oc --context cluster1 patch installplans\\.operators\\.coreos\\.com (\\S+) -n ${OPERATOR_NAMESPACE} --type merge`,
  );
  const [, name = ""] = command.exec(stdout + stderr) ?? [];
  await cluster1.merge({
    apiVersion: "operators.coreos.com/v1alpha1",
    kind: "InstallPlan",
    metadata: { name, namespace: OPERATOR_NAMESPACE },
    spec: { approved: true },
  });
  await project.up("cluster1");
});

test("a catalog that does not answer is a warning, as cert-manager runs", async () => {
  const [apiVersion, kind, name] = ["operators.coreos.com/v1alpha1", "CatalogSource", "certified-operators"];
  const marketplace = "openshift-marketplace";
  const spec = { sourceType: "grpc", address: `${name}.${marketplace}.svc:50051` };
  // Not "nothing": what tests before this one left in SPIRE's store is found as well, and rightly.
  const before = await notWell();
  await cluster1.create({ apiVersion, kind, metadata: { name, namespace: marketplace }, spec });
  try {
    await eventually(async () => {
      // OLM resolves anew when a Subscription changes, or after a quarter of an hour.
      const touched = {
        name: OPERATOR,
        namespace: OPERATOR_NAMESPACE,
        annotations: { "test/touched": String(Date.now()) },
      };
      await cluster1.merge({ apiVersion, kind: "Subscription", metadata: touched });
      const [{ status } = {}] = await cluster1.list(apiVersion, "Subscription", OPERATOR_NAMESPACE);
      expect(JSON.stringify(status)).toContain("ErrorPreventedResolution");
    });
    expect(await project.up("cluster1", "--expect-no-changes")).toContain(name);
    expect(await notWell()).toEqual(before);
  } finally {
    await cluster1.remove(apiVersion, kind, name, marketplace);
  }
});

/** The codes of what verify finds failed or unknown in cluster1. */
async function notWell(): Promise<string[]> {
  const { stdout, stderr } = await project.mesh("verify", "cluster1", "-o", "json");
  if (stdout === "") throw new Error(stderr);
  const checks = report("verify", stdout).members.flatMap((member) => member.checks);
  return checks.filter(({ state }) => state === "failed" || state === "unknown").map(({ code }) => code);
}
