/** Workloads of two federated clusters, by the identities that SPIRE's agents give them. */
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { handshake, Workload, running } from "../../../lab/client/workload";
import { pairs } from "../../../lab/client/trust";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const made: Workload[] = [];
let members: Workload[];

async function deploy(cluster: Cluster, name: string, federatesWith: string[] = []): Promise<Workload> {
  const workload = await Workload.deploy(cluster, name, federatesWith);
  made.push(workload);
  return workload;
}

/**
 * Tests on two clusters that federate with each other.
 *
 * @param further tests of the same workloads
 */
export function workloadTests(further?: (members: () => Workload[]) => void): void {
  beforeAll(async () => {
    members = await Promise.all([
      deploy(cluster1, "member", [cluster2.trustDomain]),
      deploy(cluster2, "member", [cluster1.trustDomain]),
    ]);
  });

  // What federates with a trust domain would stand in the way of those who remove its bundle.
  afterAll(() => Promise.all(made.map((workload) => workload.remove())));

  test.each([cluster1, cluster2])("an agent and the CSI driver run in $name", async (cluster) => {
    for (const name of ["spire-agent", "spire-spiffe-csi-driver"]) {
      const pods = (await cluster.pods()).filter(({ metadata }) => metadata?.name?.startsWith(`${name}-`));
      expect(pods).toHaveLength(1);
      pods.forEach(running);
    }
  });

  test("each knows the other over mTLS, in both directions", async () => {
    for (const [from, to] of pairs(members))
      expect(await eventually(() => handshake(from, to))).toBe(`${to.id} met ${from.id}`);
  });

  test("a server with another SPIFFE ID than the expected one is refused", async () => {
    for (const [from, to] of pairs(members))
      await expect(handshake(from, to, from.id)).rejects.toThrow(`the server is refused: unexpected ID "${to.id}"`);
  });

  test("a workload that federates with nobody has no trust in the other cluster, and gets none", async () => {
    const loner = await deploy(cluster2, "loner");
    for (const [from, to] of pairs(members)) {
      if (from.cluster === cluster2) {
        const trustDomain = to.cluster.trustDomain;
        await expect(handshake(loner, to)).rejects.toThrow(`no X.509 bundle for trust domain "${trustDomain}"`);
      } else {
        await expect(handshake(from, loner)).rejects.toThrow(
          /^the server refuses: .* no X\.509 bundle for trust domain/,
        );
      }
    }
    // In its own cluster it is like any other.
    for (const to of members.filter(({ cluster }) => cluster === cluster2)) await handshake(loner, to);
  });

  further?.(() => members);
}
