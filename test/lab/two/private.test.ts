/**
 * Clusters whose routers cannot be reached from where Pulumi and verify run: only the API servers can. A proxy that nobody
 * runs keeps the machine from every host name; the API servers are asked by their addresses. Nothing keeps the SPIRE
 * servers from each other.
 */
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { workloadTests } from "../helpers/workloads";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const MEMBERS = [cluster1, cluster2];
let project: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
});

afterAll(reach);

/** From here on no process that a test starts reaches a router. */
function cutOff(): void {
  process.env["HTTPS_PROXY"] = "http://127.0.0.1:9";
  process.env["NO_PROXY"] = "localhost,127.0.0.1,198.18.0.0/15";
}

function reach(): void {
  delete process.env["HTTPS_PROXY"];
  delete process.env["NO_PROXY"];
}

async function setAll(stack: string): Promise<void> {
  const stacks = MEMBERS.map(({ name }) => name).filter((name) => name !== stack);
  await project.set(stack, "peers", JSON.stringify(stacks.map((peer) => ({ stack: peer, bootstrap: "stack" }))));
  await project.set(stack, "probe", "cluster");
}

describe("without the two keys", () => {
  test("an up fails, since it cannot prove the endpoint", async () => {
    cutOff();
    const { code, stdout } = await project.tryUp("cluster1");
    expect(stdout).toContain(`https://${cluster1.host} does not answer`);
    expect(code).not.toBe(0);
  });
});

describe("a peer whose stack publishes no bundle", () => {
  beforeAll(async () => {
    reach();
    await project.unset("cluster2", "peers");
    await project.up("cluster2");
    cutOff();
    await setAll("cluster1");
  });

  test("is refused before anything changes, with what to set there", async () => {
    const { code, stdout } = await project.tryUp("cluster1");
    expect(code).not.toBe(0);
    expect(stdout).toMatch(
      /Nothing was changed.*spire-federation:peers: stack "cluster2" publishes no bundle.*probe to cluster, or bootstrap of one of its peers to stack, run npx pulumi up --stack cluster2 /s,
    );
    await expect(
      cluster1.read("spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "cluster2-federation"),
    ).rejects.toThrow(/not found/);
  });
});

describe("with them", () => {
  test("both clusters come up and trust each other, and no endpoint is asked from here", async () => {
    await setAll("cluster2");
    await project.up("cluster2");
    expect(await project.up("cluster1")).toContain("the SPIRE server serves its bundle inside the cluster");
    await project.up("cluster2");
    for (const { name } of MEMBERS) {
      const { federation, peers } = await project.outputs(name);
      expect(federation).toMatchObject({ roots: expect.stringContaining("BEGIN CERTIFICATE") as string });
      expect(Object.keys(peers as object)).toHaveLength(1);
      await project.up(name, "--expect-no-changes");
    }
  });

  test("the SPIRE servers fetch each other's bundles by themselves", async () => {
    for (const [from, to] of pairs(MEMBERS)) {
      await eventually(() => held(from, to));
      expect(await from.spireServer("federation", "list")).toContain(to.trustDomain);
    }
  });

  test("verify says what cannot be seen from here, and that all the rest is well", async () => {
    await eventually(async () => {
      const { code, stdout } = await project.mesh("verify", "-o", "wide");
      expect(stdout).not.toMatch(/\d failed/);
      for (const what of [/- MESH143 .*cannot be seen from here: spire-federation:probe is cluster/, /√ MESH150 /])
        expect(stdout).toMatch(what);
      for (const what of ["√ MESH211", "√ MESH212", "√ MESH213"])
        expect(stdout.split(what)).toHaveLength(1 + MEMBERS.length);
      expect(stdout).not.toMatch(/√ MESH14[3-9]/);
      expect(code).toBe(0);
    });
  });

  test("preview shows the roots with which trust would begin", async () => {
    const { code, stdout } = await project.mesh("preview");
    expect([code, stdout]).toEqual([0, expect.stringContaining("nothing to change")]);
  });

  test("from where the endpoints can be reached all of it is judged", async () => {
    reach();
    const { code, stdout } = await project.mesh("verify", "-o", "wide");
    expect([code, stdout]).toEqual([0, expect.stringContaining("√ MESH143")]);
    cutOff();
  });

  describe("workloads of both:", () => {
    workloadTests();
  });

  test("a peer that is trusted stays so when its stack publishes no bundle any more", async () => {
    reach();
    await project.unset("cluster2", "probe");
    await project.set("cluster2", "peers", "[cluster1]");
    await project.up("cluster2");
    expect((await project.outputs("cluster2"))["federation"]).not.toHaveProperty("roots");
    cutOff();
    await project.up("cluster1", "--expect-no-changes");
  });
});
