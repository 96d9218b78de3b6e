import * as pulumi from "@pulumi/pulumi";
import type { Cluster, KubeObject } from "../../components/cluster/cluster";
import { SpireFederationServer, type SpireFederationServerArgs } from "../../components/spireFederationServer";
import { readiness } from "../../components/shared/gate";
import { plainSpec } from "../../components/spireServer/spireServerSpec";
import { named, record, valueOf, type Seen } from "../mocks";
import { issue, root, rootKey } from "./issue";
import { DOMAIN, federation, HOST, peer, peerBundle, ready, silentCluster } from "./given";
import { asked, useEndpoints } from "./endpoints";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";
import { stops } from "./stops";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
jest.mock("../../components/bundle/bundleFetch", () => jest.requireActual<object>("./endpoints"));
jest.mock("../../components/shared/stopProgram", () => jest.requireActual<object>("./stops"));

const servingCert = { externalSecretRef: "spire-server-federation-tls" };
const args: SpireFederationServerArgs = { trustDomain: DOMAIN, host: HOST, servingCert };
const third = {
  ...peer,
  stack: "cluster3",
  trustDomain: "apps.cluster3.example.com",
  bundleEndpointUrl: "https://federation.apps.cluster3.example.com",
  profile: "https_spiffe" as const,
  endpointSpiffeId: "spiffe://apps.cluster3.example.com/spire/server",
};

/** What is registered; a wait that only the cluster could end is not awaited. */
const make = (
  changed: Partial<SpireFederationServerArgs> = {},
  // The server.conf of the ready one has no field of the stack's own.
  cluster: Cluster = changed.manage === undefined ? ready : silentCluster(),
): Promise<Seen[]> => {
  useCluster(cluster);
  return record(
    async () => {
      const server = new SpireFederationServer("server", { ...args, ...changed });
      if (cluster === ready) {
        await readiness(server);
      }
    },
    { stalls: cluster !== ready },
  );
};

beforeEach(() => {
  useCluster(ready);
});

const federationOf = (seen: Seen[]): unknown =>
  (named(seen, "server-server").inputs["spec"] as { federation: unknown }).federation;

describe("a federation of somebody else", () => {
  const listed = [
    {
      trustDomain: "partner.example.org",
      bundleEndpointUrl: "https://p.example.org",
      bundleEndpointProfile: "https_web",
    },
  ];
  const managedFields = [{ manager: "kubectl", fieldsV1: { "f:spec": { "f:federation": { "f:federatesWith": {} } } } }];
  const live: KubeObject = {
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster", managedFields },
    ...{ spec: { federation: { ...federation, federatesWith: listed } } },
  };
  const server = (changed: Partial<SpireFederationServerArgs>, preview = true): Promise<Seen[]> => {
    useCluster(clusterOf(live));
    return record(() => new SpireFederationServer("server", { ...args, federatesWith: [peer], ...changed }), {
      preview,
      stalls: true,
    });
  };

  it("is not overwritten, and the error names what would be lost", async () => {
    const seen = await server({}, false);
    expect(seen.map(({ name }) => name)).not.toContain("server-server");
    expect(stops.splice(0)).toEqual([expect.stringMatching(/partner\.example\.org.*set by kubectl; .*takeOver/)]);
  });

  it("hides nothing else from a preview, which warns", async () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    expect((await server({})).map(({ name }) => name)).toContain("server-server");
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^an up refuses this: .*partner\.example\.org/)]]);
    warn.mockRestore();
    expect(stops).toEqual([]);
  });

  it("is overwritten with takeOver, and left alone with a list of others", async () => {
    expect(federationOf(await server({ takeOver: true }))).toMatchObject({
      federatesWith: [{ trustDomain: peer.trustDomain }],
    });
    expect(federationOf(await server({ federatesWithMode: "dynamic" }))).not.toHaveProperty("federatesWith");
    expect(stops).toEqual([]);
  });
});

describe("the SpireServer", () => {
  it("gets the procedure's federation as a patch of its own, and nothing else", async () => {
    const server = named(await make(), "server-server");
    expect(server.type).toBe("kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch");
    expect(server.inputs).toEqual({
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "SpireServer",
      metadata: {
        name: "cluster",
        annotations: {
          "pulumi.com/skipAwait": "true",
          "pulumi.com/patchFieldManager": "spire-federation",
          "pulumi.com/patchForce": "true",
        },
      },
      spec: { federation },
    });
  });

  it.each<[string, Partial<SpireFederationServerArgs>, object]>([
    [
      "the router's certificate",
      { servingCert: { routerCertificate: true } },
      { servingCert: { fileSyncInterval: 86400 } },
    ],
    [
      "ACME, for the endpoint's host",
      {
        servingCert: undefined as never,
        acme: { directoryUrl: "https://a.example.com", email: "a@b.org", tosAccepted: true },
      },
      { acme: { directoryUrl: "https://a.example.com", domainName: HOST, email: "a@b.org", tosAccepted: "true" } },
    ],
  ])("gets %s, and no secret", async (_, changed, httpsWeb) => {
    expect(federationOf(await make(changed, silentCluster()))).toMatchObject({
      bundleEndpoint: { profile: "https_web", httpsWeb },
    });
  });

  it("lists the peers by trust domain, with the names that its CRD has", async () => {
    const seen = await make({ federatesWith: [third, peer] }, silentCluster());
    expect(federationOf(seen)).toEqual({
      ...federation,
      federatesWith: [
        {
          trustDomain: "apps.cluster2.example.com",
          bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
          bundleEndpointProfile: "https_web",
        },
        {
          trustDomain: "apps.cluster3.example.com",
          bundleEndpointUrl: "https://federation.apps.cluster3.example.com",
          bundleEndpointProfile: "https_spiffe",
          endpointSpiffeId: "spiffe://apps.cluster3.example.com/spire/server",
        },
      ],
    });
  });

  it("is awaited as its state has it when --target leaves it out, with a warning that says what is left", async () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    const outputs = (_: string, name: string): Record<string, unknown> =>
      name === "server-server" ? { spec: { federation } } : {};
    await record(
      async () => {
        const server = new SpireFederationServer("server", { ...args, federatesWith: [peer] });
        expect(await valueOf(server.bundleEndpointUrl)).toBe(`https://${HOST}`);
      },
      { outputs },
    );
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^SpireServer cluster .*not among the targets.*apps\.cluster2.*without --target/),
    ]);
    warn.mockRestore();
  });

  it("lists no peer when they are dynamic", async () => {
    expect(federationOf(await make({ federatesWith: [peer], federatesWithMode: "dynamic" }))).toEqual(federation);
  });

  it.each<[string, Partial<SpireFederationServerArgs>, object]>([
    [
      "other intervals",
      { refreshHint: 60, servingCert: { ...servingCert, fileSyncInterval: 3600 } },
      { profile: "https_web", refreshHint: 60, httpsWeb: { servingCert: { ...servingCert, fileSyncInterval: 3600 } } },
    ],
    [
      "ACME for the host",
      {
        servingCert: undefined as never,
        acme: { directoryUrl: "https://ca/dir", email: "ops@a.bc", tosAccepted: true },
      },
      {
        profile: "https_web",
        refreshHint: 300,
        httpsWeb: {
          acme: { directoryUrl: "https://ca/dir", domainName: HOST, email: "ops@a.bc", tosAccepted: "true" },
        },
      },
    ],
    [
      "its own SVID",
      { servingCert: undefined as never, profile: "https_spiffe" },
      { profile: "https_spiffe", refreshHint: 300 },
    ],
  ])("serves its bundle with %s", async (_, changed, bundleEndpoint) => {
    expect(federationOf(await make(changed, silentCluster()))).toEqual({ bundleEndpoint, managedRoute: "true" });
  });

  it("can be owned whole: what is set, in the form in which the API server gives it back, and nothing else", async () => {
    const caSubject = { country: "US" };
    const server = named(
      await make({
        manage: {
          jwtIssuer: "https://oidc.example.com",
          caSubject,
          caValidity: "24h",
          keyManager: { memoryEnabled: "true" },
          datastore: { databaseType: "postgres", disableMigration: "false" },
          upstreamAuthority: {
            vault: { vaultAddr: "https://v", insecureSkipVerify: false, k8sAuth: { k8sAuthRoleName: "r" } },
          },
          nodeSelector: { infra: "" },
          tolerations: [{ key: "infra", operator: "Exists" }],
        },
      }),
      "server-server",
    );
    // Of a whole object, the provider would take over every field that somebody has set with oc.
    expect(server.type).toBe("kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch");
    expect(server.inputs["spec"]).toEqual({
      jwtIssuer: "https://oidc.example.com",
      caSubject,
      caValidity: "24h0m0s",
      keyManager: { memoryEnabled: "true" },
      datastore: { databaseType: "postgres", disableMigration: "false" },
      upstreamAuthority: {
        vault: { vaultAddr: "https://v", insecureSkipVerify: false, k8sAuth: { k8sAuthRoleName: "r" } },
      },
      nodeSelector: { infra: "" },
      tolerations: [{ key: "infra", operator: "Exists" }],
      federation,
    });
  });

  it("takes outputs anywhere in what it owns, which are not compared with the live SpireServer", async () => {
    const caSubject = pulumi.output({ country: "US" });
    const tolerations = [{ key: pulumi.output("infra"), operator: "Exists" }];
    const datastore = { connectionString: pulumi.output("host=db password=hunter2") };
    const { inputs } = named(await make({ manage: { caSubject, tolerations } }), "server-server");
    expect(inputs["spec"]).toMatchObject({
      caSubject: { country: "US" },
      tolerations: [{ key: "infra", operator: "Exists" }],
    });
    expect(plainSpec({ caSubject, tolerations, datastore, logLevel: "warn" })).toEqual({
      datastore: {},
      logLevel: "warn",
    });
  });

  it("keeps secret all that Pulumi reads back of the live object, which may hold other people's passwords", async () => {
    for (const manage of [undefined, { logLevel: "warn" as const }]) {
      const server = named(await make(manage && { manage }), "server-server");
      expect(server.additionalSecretOutputs).toEqual(["spec", "status", "metadata"]);
    }
  });

  it.each<[string, boolean, (spec: { datastore: unknown }) => unknown, string]>([
    [
      "the connection string",
      false,
      ({ datastore }) => (datastore as { connectionString: unknown }).connectionString,
      "logLevel",
    ],
    ["all that comes from a secret of the config", true, ({ datastore }) => datastore, "federation"],
  ])("sends %s as a secret", async (_, manageSecret, secretOf, plain) => {
    const manage = { logLevel: "warn" as const, datastore: { connectionString: "password=hunter2" } };
    const spec = named(await make({ manage, manageSecret }), "server-server").sent["spec"] as { datastore: unknown };
    expect(secretOf(spec)).toMatchObject({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" });
    expect(JSON.stringify((spec as Record<string, unknown>)[plain])).not.toContain("4dabf18193072939515e22adb298388d");
  });

  it.each([undefined, { jwtIssuer: "https://a.b", caSubject: { country: "US" } }])(
    "is kept by a destroy: %j",
    async (manage) => {
      expect(named(await make(manage && { manage }), "server-server").retainOnDelete).toBe(true);
    },
  );
});

describe("the endpoint", () => {
  it("is asked only when the server is out and the Route admitted", async () => {
    useEndpoints(() => peerBundle);
    await make({}, silentCluster());
    expect(asked).toEqual([]);
    await make();
    expect(asked).toEqual([{ trustDomain: DOMAIN, bundleEndpointUrl: `https://${HOST}`, caCertificates: undefined }]);
  });

  it("is asked in each up, with the CA that it must have, and makes no resource", async () => {
    const ca = issue("internal CA", { ca: true }).pem;
    useEndpoints(() => peerBundle);
    for (const times of [1, 2]) {
      const seen = await make({ endpointCaCertificates: ca });
      expect(seen.map(({ name }) => name)).toEqual(["server", "server-server"]);
      expect(asked).toHaveLength(times);
    }
    expect(asked[1]).toMatchObject({ caCertificates: ca });
  });

  it("ends the program when it does not answer, with what it said", async () => {
    useEndpoints(() => new Error("self-signed certificate"));
    await record(() => new SpireFederationServer("server", { ...args, wait: { pollMs: 1 } }), { stalls: true });
    expect(asked.length).toBeGreaterThan(1);
    useEndpoints(() => peerBundle);
  });

  it("tells its URL and CA once it has answered", async () => {
    const ca = issue("internal CA", { ca: true }).pem;
    await record(async () => {
      const server = new SpireFederationServer("server", { ...args, endpointCaCertificates: ca });
      expect(await valueOf(server.bundleEndpointUrl)).toBe(`https://${HOST}`);
      expect(await valueOf(server.endpointSpiffeId)).toBeUndefined();
      expect(await valueOf(server.caCertificates)).toBe(ca);
    });
    let told = false;
    useCluster(silentCluster());
    await record(
      () => {
        new SpireFederationServer("server", args).bundleEndpointUrl.apply(() => (told = true));
      },
      { stalls: true },
    );
    expect(told).toBe(false);
  });

  it("with https_spiffe tells the server's SPIFFE ID and roots, and is not asked in a preview", async () => {
    const seen = await record(
      async () => {
        const server = new SpireFederationServer("server", {
          trustDomain: DOMAIN,
          host: HOST,
          profile: "https_spiffe",
        });
        expect(await valueOf(server.endpointSpiffeId)).toBe(`spiffe://${DOMAIN}/spire/server`);
        expect(await valueOf(server.caCertificates)).toBe("the roots");
      },
      { preview: true },
    );
    expect(seen.map(({ name }) => name)).toEqual(["server", "server-server"]);
  });

  it("is not asked from here with probe: cluster, and known once the SPIRE server behind it has served its bundle", async () => {
    const bundle = JSON.stringify({ keys: [rootKey(root(DOMAIN))] });
    const asked = jest.fn(() => Promise.resolve(bundle));
    useCluster({ ...ready, ask: asked });
    const seen = await record(async () => {
      const server = new SpireFederationServer("server", { ...args, probe: "cluster" });
      expect(await valueOf(server.bundleEndpointUrl)).toBe(`https://${HOST}`);
    });
    expect(asked).toHaveBeenCalled();
    expect(seen.map(({ name }) => name)).toEqual(["server", "server-server"]);
    let told = false;
    await record(
      () => {
        useCluster({ ...ready, ask: () => new Promise(() => undefined) });
        new SpireFederationServer("server", { ...args, probe: "cluster" }).bundleEndpointUrl.apply(() => (told = true));
      },
      { stalls: true },
    );
    expect(told).toBe(false);
  });

  it.each([
    [true, "the roots"],
    [false, undefined],
  ])("tells the trust domain's roots where they are to be published: %s", async (publishRoots, roots) => {
    await record(async () => {
      expect(await valueOf(new SpireFederationServer("server", { ...args, publishRoots }).roots)).toBe(roots);
    });
  });

  it("is known in a preview", async () => {
    await record(
      async () => {
        useCluster(silentCluster());
        const server = new SpireFederationServer("server", args);
        expect(await valueOf(server.bundleEndpointUrl)).toBe(`https://${HOST}`);
      },
      { preview: true },
    );
  });
});
