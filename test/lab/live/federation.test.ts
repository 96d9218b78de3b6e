/**
 * The program against the lab: real Pulumi, real OLM, cert-manager and SPIRE.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { Cluster } from "../../../lab/client/cluster";
import type { Project } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { eventually } from "../../../lab/client/eventually";
import { spireScenarios } from "../helpers/spireScenarios";
import { workloadTests } from "../helpers/workloads";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
});

const up = (stack: string, ...flags: string[]): Promise<string> => project.up(stack, ...flags);

describe("two stacks", () => {
  test("the first is complete alone, and names its peer as pending", async () => {
    await up("cluster1");
    const outputs = await project.outputs("cluster1");
    expect(outputs["pendingPeers"]).toEqual(["cluster2"]);
    expect(outputs["federation"]).toMatchObject({
      version: 1,
      trustDomain: "apps.cluster1.example.com",
      bundleEndpointUrl: "https://federation.apps.cluster1.example.com",
    });
    expect((await cluster1.endpoint()).keys.x509).not.toEqual([]);
  });

  test("the endpoint's certificate is from the ACME server that the committed stack names", async () => {
    const { issuer, subjectaltname } = (await cluster1.endpoint()).certificate;
    expect(issuer.CN).toMatch(/^Pebble Intermediate CA /);
    expect(subjectaltname).toBe("DNS:federation.apps.cluster1.example.com");
  });

  test("hold each other's bundle once both are up", async () => {
    await up("cluster2");
    await up("cluster1");
    expect((await project.outputs("cluster1"))["pendingPeers"]).toEqual([]);
    for (const [from, to] of pairs([cluster1, cluster2])) await eventually(() => held(from, to));
  });

  test("a second up changes nothing", async () => {
    await up("cluster1", "--expect-no-changes");
  });

  test("export nothing secret: no private key in outputs or state", async () => {
    for (const stack of ["cluster1", "cluster2"]) {
      expect(await project.pulumi("stack", "export", "--stack", stack)).not.toMatch(
        /PRIVATE KEY|"tls\.key"|client-key-data/,
      );
    }
  });
});

describe("workloads of both:", () => {
  workloadTests(spireScenarios);
});
