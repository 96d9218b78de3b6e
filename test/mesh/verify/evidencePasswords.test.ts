/** What a cluster says is evidence, and no password is shown with it. */
import { type Cluster, faults, look, objectIn, pollLine, trustDomainOf } from "./fixture";

test("evidence has no password of an issuer", async () => {
  const webhook = { groupName: "x.org", solverName: "x", config: { apiToken: "geheim" } };
  const found = await look({
    change: ({ cluster1 }) => {
      objectIn(cluster1, "Issuer")["spec"] = {
        acme: { server: "https://x.org", solvers: [{ dns01: { webhook } }] },
      } as never;
    },
  });
  expect(faults(found)).toEqual(["cluster1 MESH111 failed"]);
  expect(JSON.stringify(found)).not.toContain("geheim");
});

type Clusters = Record<string, Cluster | undefined>;
const issuerSays =
  (message: string) =>
  ({ cluster1 }: Clusters): void => {
    objectIn(cluster1, "Issuer")["status"] = { conditions: [{ type: "Ready", status: "False", message }] } as never;
  };
const pollFails =
  (error: string) =>
  ({ cluster1 }: Clusters): void => {
    if (cluster1 !== undefined) cluster1.log = pollLine(60, "Error updating bundle", trustDomainOf("cluster2"), error);
  };

test.each<[string, string, (clusters: Clusters) => void]>([
  ["a condition", "MESH111", issuerSays("cannot reach postgres://u:geheim@geheim@h/db")],
  [
    "a private key in a condition",
    "MESH111",
    issuerSays("read -----BEGIN PRIVATE KEY-----\ngeheim\n-----END PRIVATE KEY-----"),
  ],
  ["a request in a log", "MESH213", pollFails("refused: Authorization: Bearer geheimgeheimgeheim")],
  ["a line of a log", "MESH213", pollFails("failed to connect to host=db user=spire password=geheim")],
])("evidence has no password of %s", async (_, code, change) => {
  const found = await look({ change });
  expect(faults(found).join()).toContain(code);
  expect(JSON.stringify(found)).toContain("(not shown)");
  expect(JSON.stringify(found)).not.toContain("geheim");
});
