/** SpireFederationServer where the Route is the component's own: what comes when. */
import type { Cluster, KubeObject } from "../../components/cluster";
import { SpireFederationServer } from "../../components/spireFederationServer";
import { named, record, valueOf, type Seen } from "../mocks";
import { answering, HOST, ready, silent } from "./given";

/** A cluster as it is when all is ready, but for one kind. */
const except = (kind: string, object: () => Promise<object | undefined>): Cluster => ({
  ...ready,
  get: async <T extends KubeObject>(apiVersion: string, of: string, name: string, namespace?: string) =>
    of === kind ? ((await object()) as T | undefined) : ready.get<T>(apiVersion, of, name, namespace),
});
const never = (): Promise<undefined> => new Promise(() => undefined);

const make = (reader: Cluster, options: { waits?: boolean; preview?: boolean } = {}): Promise<Seen[]> =>
  record(
    async () => {
      const it = new SpireFederationServer("server", {
        reader,
        trustDomain: "cluster1.example.com",
        host: HOST,
        ownRoute: { labels: { type: "sharded" } },
        servingCert: { externalSecretRef: "spire-server-federation-tls" },
      });
      if (options.waits !== true) await valueOf(it.ready);
    },
    { ...answering, stalls: options.waits === true, preview: options.preview ?? false },
  );
const names = (seen: Seen[]): string[] => seen.map(({ name }) => name);

it("stands beside the operator's, and is made once the server is out", async () => {
  const before = await make(except("SpireServer", never), { waits: true });
  expect(names(before)).toEqual(["server", "server-server"]);
  expect(named(before, "server-server").inputs).toMatchObject({ spec: { federation: { managedRoute: "true" } } });

  const route = named(await make(ready), "server-route");
  expect(route.inputs).toMatchObject({ spec: { host: HOST, tls: { termination: "reencrypt" } } });
  expect(route.inputs).toMatchObject({ metadata: { name: "spire-federation-endpoint", labels: { type: "sharded" } } });
  // What a destroy takes back first; and it takes it back.
  expect([route.dependencies, route.parent, route.retainOnDelete]).toEqual([["server-server"], "server", false]);
});

it("is admitted before the endpoint is asked", async () => {
  const pending: Cluster = {
    ...ready,
    get: (...of) => (of[2] === "spire-federation-endpoint" ? never() : ready.get(...of)),
  };
  expect(names(await make(pending, { waits: true }))).toEqual(["server", "server-server", "server-route"]);
  expect(named(await make(ready), "server-probe").dependencies).toEqual(["server-route", "server-server"]);
});

it("shows in a preview of a cluster where nothing is yet, with nothing that the API server could refuse", async () => {
  const seen = await make(silent, { preview: true });
  expect(names(seen).sort()).toEqual(["server", "server-probe", "server-route", "server-server"]);
  expect(named(seen, "server-route").inputs["spec"]).toEqual({ __pulumiUnknown: true });
});
