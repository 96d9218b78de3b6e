/**
 * What somebody with the auditor's rights sees of two clusters that trust each other.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { Cluster } from "../../../lab/client/cluster";
import type { Project } from "../../../lab/client/project";
import { pairs } from "../../../lab/client/trust";
import { driftTests } from "../helpers/auditDrift";
import { chromium, has } from "../../needs";
import { reportTests } from "../helpers/auditReport";
import { inHandsOf, testProject } from "../helpers/identities";
import { removeBundles } from "../helpers/leftovers";

const CLUSTERS = [new Cluster("cluster1"), new Cluster("cluster2")];
let project: Project;
let auditor: Project;

// A generous bound against hanging, not a measurement.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  await project.set("cluster2", "endpoint.refreshHint", "3600"); // what is set by hand stays for a quarter of that
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  if (code !== 0) throw new Error(`spire-federation up: exit code ${code}\n${stdout}${stderr}`);
  for (const [cluster, peer] of pairs(CLUSTERS)) await removeBundles(cluster, [peer]);
  auditor = await inHandsOf("auditor", project, CLUSTERS);
});

(has(chromium()) ? describe : describe.skip)("spire-federation verify -o html:", () => {
  reportTests(() => ({ auditor }));
});

describe("spire-federation drift:", () => {
  driftTests(() => ({ project, auditor }));
});
