import { readServer, serverChange } from "../../../mesh/spire/serverSight";
import { clusterOf } from "../../components/readers";

const server = (revision: string, ...trusts: string[]) =>
  clusterOf(
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "spire-server", namespace: "zero-trust-workload-identity-manager" },
      ...{ status: { updateRevision: revision } },
    },
    {
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "SpireServer",
      metadata: { name: "cluster" },
      ...{ spec: { federation: { federatesWith: trusts.map((trustDomain) => ({ trustDomain })) } } },
    },
  );

test("another revision of its pods is a restart; whom the cluster is no longer told to trust is named", async () => {
  const before = await readServer(server("spire-server-1", "ours.example.com", "theirs.example.org"));
  const after = await readServer(server("spire-server-2", "ours.example.com"));
  expect(serverChange(before, after)).toEqual({ restarted: true, ended: ["theirs.example.org"], begun: [] });
  expect(serverChange(after, before)).toEqual({ restarted: true, ended: [], begun: ["theirs.example.org"] });
  expect(serverChange(after, after)).toEqual({ restarted: false, ended: [], begun: [] });
});

test("a SPIRE server that the run has made did not restart", async () => {
  expect(serverChange(await readServer(clusterOf()), await readServer(server("spire-server-1"))).restarted).toBe(false);
});
