/** SpireFederationServer where the Route is the component's own: what comes when. */
import type { Cluster } from "../../../components/cluster/cluster";
import { SpireFederationServer } from "../../../components/spireFederationServer";
import { readiness } from "../../../components/shared/gate";
import { named, record, type Seen } from "../../mocks";
import { HOST, peerBundle, ready, silentCluster } from "../given";
import { asked, useEndpoints } from "../endpoints";
import { useCluster } from "../openedCluster";

jest.mock("../../../components/cluster/openCluster", () => jest.requireActual<object>("../openedCluster"));
jest.mock("../../../components/bundle/bundleFetch", () => jest.requireActual<object>("../endpoints"));

const make = (cluster: Cluster, options: { waits?: boolean; preview?: boolean } = {}): Promise<Seen[]> => {
  useCluster(cluster);
  return record(
    async () => {
      const it = new SpireFederationServer("server", {
        trustDomain: "cluster1.example.com",
        host: HOST,
        ownRoute: { labels: { type: "sharded" } },
        servingCert: { externalSecretRef: "spire-server-federation-tls" },
      });
      if (options.waits !== true) await readiness(it);
    },
    { stalls: options.waits === true, preview: options.preview ?? false },
  );
};
const names = (seen: Seen[]): string[] => seen.map(({ name }) => name);

it("stands beside the operator's, and is made once the server is out", async () => {
  const before = await make(silentCluster(), { waits: true });
  expect(names(before)).toEqual(["server", "server-server"]);
  expect(named(before, "server-server").inputs).toMatchObject({ spec: { federation: { managedRoute: "true" } } });

  const route = named(await make(ready), "server-route");
  expect(route.inputs).toMatchObject({ spec: { host: HOST, tls: { termination: "reencrypt" } } });
  expect(route.inputs).toMatchObject({ metadata: { name: "spire-federation-endpoint", labels: { type: "sharded" } } });
  // What a destroy takes back first; and it takes it back.
  expect([route.dependencies, route.parent, route.retainOnDelete]).toEqual([["server-server"], "server", false]);
});

it("is admitted before the endpoint is asked", async () => {
  const silent = silentCluster();
  const pending: Cluster = {
    ...ready,
    get: (...of) => (of[2] === "spire-federation-endpoint" ? silent.get(...of) : ready.get(...of)),
  };
  useEndpoints(() => peerBundle);
  expect(names(await make(pending, { waits: true }))).toEqual(["server", "server-server", "server-route"]);
  expect(asked).toEqual([]);
  await make(ready);
  expect(asked).toHaveLength(1);
});

it("shows in a preview of a cluster where nothing is yet, with nothing that the API server could refuse", async () => {
  const seen = await make(silentCluster(), { preview: true });
  expect(names(seen).sort()).toEqual(["server", "server-route", "server-server"]);
  expect(named(seen, "server-route").inputs["spec"]).toEqual({ __pulumiUnknown: true });
});
