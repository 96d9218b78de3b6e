import { type Cluster, Forbidden, type KubeObject } from "../../components/cluster/cluster";
import { refusalOfRouter } from "../../components/certificates/routerCertificate";
import { preflight } from "../../stacks/preflight";
import { clusterOf } from "../components/readers";
import { configOf, freshCluster } from "./fixtures";
import { spireServerCrd } from "./spireServerCrd";

jest.mock("../../components/certificates/routerCertificate");

const NAMESPACE = "zero-trust-workload-identity-manager";

type Change = (live: ReturnType<typeof freshCluster>) => unknown;

const run = (
  change: Change = () => undefined,
  raw: Record<string, unknown> = {},
  more: KubeObject[] = [],
): ReturnType<typeof preflight> => {
  const live = freshCluster();
  change(live);
  const objects = Object.values(live).filter((object) => object.kind !== undefined);
  return preflight(configOf(raw), () => clusterOf(...objects, ...more));
};

const route = (
  host: string,
  labels = { "app.kubernetes.io/managed-by": NAMESPACE },
): KubeObject & { spec: object } => ({
  apiVersion: "route.openshift.io/v1",
  kind: "Route",
  metadata: { name: "spire-server-federation", namespace: NAMESPACE, labels },
  spec: { host },
});
const issuer = (kind: string, namespace?: string): KubeObject => ({
  apiVersion: "cert-manager.io/v1",
  kind,
  metadata: { name: "company", ...(namespace !== undefined && { namespace }) },
});

const managed = {
  manage: true,
  jwtIssuer: "https://oidc.example.com",
  caSubject: { country: "DE", organization: "E", commonName: "e" },
  persistence: { size: "1Gi" },
  datastore: { databaseType: "sqlite3" },
};

afterEach(() => {
  jest.mocked(refusalOfRouter).mockReset();
});

describe("cleared", () => {
  it("is a cluster on which this program has made nothing yet", async () => {
    expect(await run()).toMatchObject({
      certManager: { state: "absent" },
      route: { host: "federation.apps.cluster1.example.com", managedRoute: true },
      warnings: [],
    });
  });

  it("is one that is federated already", async () => {
    const federated: Change = ({ spireServer }) => {
      spireServer.spec = { federation: { bundleEndpoint: { profile: "https_web", httpsWeb: { servingCert: {} } } } };
    };
    expect(await run(federated, {}, [route("federation.apps.cluster1.example.com")])).toHaveProperty("reader");
  });

  it.each([
    ["none", []],
    ["the operator's", [route("federation.cluster1.example.com")]],
  ])("is one whose trust domain is not below its ingress domain, and whose Route is %s", async (_, routes) => {
    const ownTrustDomain: Change = ({ ztwim }) => (ztwim.spec = { trustDomain: "cluster1.example.com" });
    expect(await run(ownTrustDomain, { trustDomain: "cluster1.example.com" }, routes)).toMatchObject({
      route: { host: "federation.apps.cluster1.example.com", managedRoute: true, own: { labels: {} } },
      warnings: [],
    });
  });

  it("is one with a Route of the stack's own by the name that the config says", async () => {
    const raw = { endpoint: { host: "spire.example.org" }, names: { route: "public" } };
    expect(await run(undefined, raw)).toMatchObject({ route: { own: { labels: {}, name: "public" } } });
  });

  it("is one without cert-manager to look at, when the profile needs none", async () => {
    expect(await run(undefined, { profile: "https_spiffe" })).toHaveProperty("certManager", undefined);
  });

  it("is one without cert-manager, when the router or SPIRE has the certificate", async () => {
    jest.mocked(refusalOfRouter).mockResolvedValueOnce(undefined);
    const older: Change = ({ version }) => (version.status = { desired: { version: "4.18.1" } });
    const router = await run(older, { issuer: { type: "router" }, endpoint: { host: "f.apps.cluster1.example.com" } });
    expect(router).toMatchObject({ certManager: undefined, warnings: [], config: { issuer: { type: "router" } } });
    expect(refusalOfRouter).toHaveBeenLastCalledWith("https://f.apps.cluster1.example.com", undefined);
    const spire = { type: "spire", email: "ops@example.org", tosAccepted: true };
    expect(await run(older, { issuer: spire })).toMatchObject({ certManager: undefined, warnings: [] });
  });

  it("is one whose https_spiffe is kept, with a note that says so", async () => {
    const live: Change = ({ spireServer }) =>
      (spireServer.spec = { federation: { bundleEndpoint: { profile: "https_spiffe" } } });
    expect(await run(live)).toMatchObject({
      config: { profile: "https_spiffe" },
      certManager: undefined,
      notes: [expect.stringContaining("profile is not set")],
    });
  });

  it("is one without a SpireServer, when the stack is to make it", async () => {
    expect(await run((live) => delete live.spireServer.kind, { spireServer: managed })).toHaveProperty("reader");
  });

  it("is one that is no longer in create-only mode, though ZTWIM's own condition stays for ever", async () => {
    const cleared = await run((live) => {
      live.ztwim.status = { conditions: [{ type: "CreateOnlyMode", status: "True" }] };
      live.spireServer.status = { conditions: [{ type: "CreateOnlyMode", status: "False" }] };
    });
    expect(cleared).toHaveProperty("reader");
  });

  it.each([
    ["ClusterIssuer", undefined],
    ["Issuer", NAMESPACE],
  ])("is one with the %s that the config refers to", async (kind, namespace) => {
    const raw = { issuer: { type: "existing", kind, name: "company" } };
    expect(await run(undefined, raw, [issuer(kind, namespace)])).toHaveProperty("reader");
  });
});

describe("warned of", () => {
  const own = { trustDomain: "cluster1.example.com" };
  const ownTrustDomain: Change = ({ ztwim }) => (ztwim.spec = own);
  const warnings = async (change: Change, raw: object, routes: KubeObject[] = []): Promise<unknown> =>
    ((await run(change, raw as Record<string, unknown>, routes)) as { warnings?: unknown }).warnings;

  const lives =
    (caValidity: string): Change =>
    ({ spireServer }) =>
      (spireServer.spec = { ...spireServer.spec, caValidity });
  const hourly = { endpoint: { refreshHint: 3600 } };

  it("is a refresh hint too long for the life of keys: it is refused, with the numbers", async () => {
    const message =
      "leaves peers no time: SPIRE signs with a new key 10m0s after it is published (caValidity 30m0s), and peers know it only after " +
      "15m5s (refreshHint 3600); set caValidity to 45m15s or more, or endpoint.refreshHint to 2380 or less";
    expect(await run(lives("30m0s"), hourly)).toEqual([{ path: "endpoint.refreshHint", message }]);
    const own = await run(undefined, { ...hourly, spireServer: { ...managed, caValidity: "30m" } });
    expect(own).toContainEqual({ path: "spireServer.caValidity", message });
    // What the stack will set counts, not what is there.
    const longer = await run(lives("30m0s"), { ...hourly, spireServer: { ...managed, caValidity: "24h" } });
    expect(JSON.stringify(longer)).not.toContain("leaves peers no time");
  });

  it("is a short outage of a peer that ends trust: it is a warning", async () => {
    expect(await warnings(lives("4h0m0s"), hourly)).toEqual([
      expect.stringMatching(/^SPIRE signs with a new key 1h20m0s after .* unreachable for 1h4m55s; .*15h0m0s or more/),
    ]);
    expect(await warnings(() => undefined, hourly)).toEqual([]);
  });

  it("is no Route under the operator's name that somebody else has made: it is refused, with the command that deletes it", async () => {
    const former = { ...route("federation.apps.cluster1.example.com", {} as never) };
    expect(await run(ownTrustDomain, own, [former])).toEqual([
      {
        path: "context",
        message: expect.stringMatching(/oc --context cluster1 delete route spire-server-federation/) as string,
      },
    ]);
  });

  it("is a router's certificate that was not looked at, since the router may be out of reach", async () => {
    const found = await warnings(() => undefined, { issuer: { type: "router" }, probe: "cluster" });
    expect(found).toEqual([expect.stringMatching(/was not looked at.*curl -v https:\/\/federation\.apps\.cluster1/)]);
    expect(refusalOfRouter).not.toHaveBeenCalled();
  });

  it("is a trust domain for which the operator can make no Route", async () => {
    const odd = { trustDomain: "a_b.example.com" };
    expect(await warnings(({ ztwim }) => (ztwim.spec = odd), odd)).toEqual([
      expect.stringContaining("federation.a_b.example.com is no DNS name"),
    ]);
  });

  it.each([
    ["spire.example.org", 1],
    ["spire.apps.cluster1.example.com", 0],
    ["spire.shared.example.org", 0],
    ["federation.cluster1.example.com", 0],
  ])("is a host of the endpoint that no domain of the cluster covers: %s", async (host, count) => {
    const change: Change = (live) => {
      ownTrustDomain(live);
      live.ingress.spec = { domain: "apps.cluster1.example.com", appsDomain: "shared.example.org" };
    };
    const found = await warnings(change, { ...own, endpoint: { host } });
    expect(found).toEqual(Array(count).fill(expect.stringContaining(`endpoint.host "${host}"`)));
  });
});

describe("refused", () => {
  const createOnly = { conditions: [{ type: "CreateOnlyMode", status: "True" }] };
  it.each<[string, string, RegExp, Change, Record<string, unknown>?, KubeObject[]?]>([
    ["a cluster without ZTWIM", "context", /no ZeroTrustWorkloadIdentityManager/, (live) => delete live.ztwim.kind],
    [
      "another trust domain than the cluster's",
      "trustDomain",
      /set it to "apps\.other\.example\.com"/,
      (live) => (live.ztwim.spec = { trustDomain: "apps.other.example.com" }),
    ],
    ["a cluster without a SpireServer", "spireServer", /spireServer\.manage/, (live) => delete live.spireServer.kind],
    ["a cluster without the CRD of peers", "context", /clusterfederatedtrustdomains/, (live) => delete live.crd.kind],
    [
      "create-only mode of the SpireServer",
      "context",
      /CREATE_ONLY_MODE/,
      (live) => (live.spireServer.status = createOnly),
    ],
    [
      "create-only mode where there is no SpireServer yet",
      "context",
      /CREATE_ONLY_MODE/,
      (live) => {
        live.ztwim.status = createOnly;
        delete live.spireServer.kind;
      },
      { spireServer: managed },
    ],
    ["a cluster that is no OpenShift", "context", /ingress domain/, (live) => delete live.ingress.kind],
    [
      "a Route with another host",
      "context",
      /has host other\.apps\.cluster1\.example\.com/,
      () => undefined,
      {},
      [route("other.apps.cluster1.example.com")],
    ],
    [
      "a Route where the operator is to make its own",
      "context",
      /is not the operator's; delete it.* oc --context cluster1 delete route spire-server-federation/,
      () => undefined,
      {},
      [route("federation.apps.cluster1.example.com", {} as never)],
    ],
    [
      "another profile than the live one",
      "profile",
      /"https_spiffe", which it can never change/,
      (live) => (live.spireServer.spec = { federation: { bundleEndpoint: { profile: "https_spiffe" } } }),
      { profile: "https_web" },
    ],
    [
      "an issuer that is not there",
      "issuer.name",
      /no ClusterIssuer "company"/,
      () => undefined,
      { issuer: { type: "existing", kind: "ClusterIssuer", name: "company" } },
    ],
    [
      "an issuer of another namespace",
      "issuer.name",
      /no Issuer "company"/,
      () => undefined,
      { issuer: { type: "existing", kind: "Issuer", name: "company" } },
      [issuer("Issuer", "default")],
    ],
  ])("%s", async (_, path, message, change, raw = {}, more = []) => {
    const problems = await run(change, raw, more);
    expect(problems).toEqual([{ path, message: expect.stringMatching(message) as unknown }]);
  });

  it("a name of the stack's own Route where the operator's serves the endpoint", async () => {
    expect(await run(undefined, { names: { route: "public" } })).toEqual([
      { path: "names.route", message: expect.stringContaining("the operator's Route serves the endpoint") as string },
    ]);
  });

  it("the router's certificate where somebody else has set a secret, and not where the stack itself has", async () => {
    const setBy =
      (manager: string): Change =>
      ({ spireServer }) => {
        const secret = { "f:externalSecretRef": {} };
        const fields = { "f:bundleEndpoint": { "f:httpsWeb": { "f:servingCert": secret } } };
        const managedFields = [{ manager, fieldsV1: { "f:spec": { "f:federation": fields } } }];
        spireServer.metadata = { ...spireServer.metadata, managedFields };
      };
    const raw = { issuer: { type: "router" } };
    const refusal = /kubectl has set .*oc --context cluster1 patch .*servingCert\/externalSecretRef/;
    expect(await run(setBy("kubectl"), raw)).toEqual([
      { path: "issuer.type", message: expect.stringMatching(refusal) as unknown },
    ]);
    expect(await run(setBy("spire-federation"), raw)).toHaveProperty("reader");
  });

  it("a router's certificate that peers cannot verify", async () => {
    jest.mocked(refusalOfRouter).mockResolvedValueOnce("nobody knows its CA");
    expect(await run(undefined, { issuer: { type: "router" } })).toEqual([
      { path: "issuer.type", message: "nobody knows its CA" },
    ]);
  });

  it("a managed SpireServer's changes of what others have set, or what its CRD does not know", async () => {
    const spireServer = { ...managed, logLevel: "warn" };
    const change: Change = ({ spireServer: live }) => {
      live.spec = { logLevel: "debug" };
      live.metadata = { ...live.metadata, managedFields: [] };
    };
    const paths = async (more: object): Promise<string[]> => {
      const raw = { spireServer: { ...spireServer, ...more } };
      return ((await run(change, raw, [spireServerCrd()])) as { path: string }[]).map(({ path }) => path);
    };
    expect(await paths({})).toEqual(["spireServer.logLevel"]);
    expect(await paths({ lgoLevel: "warn" })).toEqual(["spireServer.lgoLevel"]);
  });

  it("everything at once, cert-manager too", async () => {
    const csv: KubeObject = {
      apiVersion: "operators.coreos.com/v1alpha1",
      kind: "ClusterServiceVersion",
      metadata: { name: "cert-manager-operator.v1.18.1", namespace: "cert-manager-operator" },
    };
    const change: Change = ({ ztwim, spireServer, crd }) => {
      ztwim.spec = { trustDomain: "apps.other.example.com" };
      spireServer.status = createOnly;
      delete crd.kind;
    };
    const problems = await run(change, {}, [csv]);
    expect(Array.isArray(problems) && problems.map(({ path }) => path)).toEqual([
      "context",
      "context",
      "trustDomain",
      "certManager",
    ]);
  });

  it("keys of certManager that would change nothing, since cert-manager is somebody else's", async () => {
    const operators = "operators.coreos.com/v1alpha1";
    const metadata = { name: "cm", namespace: "pki" };
    const theirs = [
      { apiVersion: operators, kind: "Subscription", metadata, spec: { name: "openshift-cert-manager-operator" } },
      { apiVersion: "operators.coreos.com/v1", kind: "OperatorGroup", metadata },
    ];
    const byHand = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "cert-manager", namespace: "pki" },
    };
    const raw = { certManager: { channel: "stable-v1", installPlanApproval: "Manual" } };
    const paths = ["channel", "installPlanApproval"].map((key) => `certManager.${key}`);
    const extension = {
      apiVersion: "olm.operatorframework.io/v1",
      kind: "ClusterExtension",
      metadata: { name: "cm" },
      spec: { source: { catalog: { packageName: "openshift-cert-manager-operator" } } },
    };
    const cases: [KubeObject[], string][] = [
      [theirs, "Subscription pki/cm, which is not this stack's"],
      [[byHand], "somebody without OLM, in namespace pki"],
      [[extension], "ClusterExtension cm of OLM v1"],
    ];
    for (const [objects, whose] of cases) {
      const problems = await run(undefined, raw, objects);
      expect(Array.isArray(problems) && problems.map(({ path }) => path)).toEqual(paths);
      expect(Array.isArray(problems) && problems[0]?.message).toContain(`already installed by ${whose};`);
      expect(await run(undefined, {}, objects)).toHaveProperty("reader");
    }
    expect(await run(undefined, raw)).toHaveProperty("reader");
  });

  it.each<[string, () => Cluster, string]>([
    [
      "a cluster that cannot be reached",
      () => ({ ...clusterOf(), get: () => Promise.reject(new Error("no answer within 10 s")) }),
      "no answer within 10 s",
    ],
    [
      "a context that is not there",
      () => {
        throw new Error('context "cluster1" is not in the kubeconfig; it has east, west');
      },
      "it has east, west",
    ],
  ])("%s, with what the client says and nothing else", async (_, connect, message) => {
    expect(await preflight(configOf(), connect)).toEqual([
      { path: "context", message: expect.stringContaining(message) as unknown },
    ]);
  });

  it("an identity that may not read, with all that it lacks and the role that has it", async () => {
    const forbids = (what: string): Promise<never> => Promise.reject(new Forbidden(`cannot read ${what}`));
    const problems = await preflight(configOf(), () => ({
      ...clusterOf(...Object.values(freshCluster())),
      get: (_, kind) => forbids(kind),
      list: (_, kind) => forbids(kind),
    }));
    expect(problems).toEqual([
      { path: "context", message: expect.stringContaining("docs/rbac/auditor.yaml") as unknown },
    ]);
    for (const kind of ["ZeroTrustWorkloadIdentityManager", "SpireServer", "Route", "Subscription", "Deployment"])
      expect(JSON.stringify(problems)).toContain(`cannot read ${kind}`);
  });

  it("an identity that may not ask the SPIRE server through the API server, with probe: cluster alone", async () => {
    const probed = (ask: Cluster["ask"], probe: string): ReturnType<typeof preflight> =>
      preflight(configOf({ probe }), () => ({ ...clusterOf(...Object.values(freshCluster())), ask }));
    const forbidden = (): Promise<never> => Promise.reject(new Forbidden("services/proxy is forbidden"));
    expect(await probed(forbidden, "cluster")).toEqual([
      { path: "probe", message: "services/proxy is forbidden; docs/rbac/auditor-cluster-probe.yaml grants it" },
    ]);
    expect(await probed(forbidden, "machine")).toHaveProperty("reader");
    // Nothing is served before the first up.
    expect(await probed(() => Promise.reject(new Error("503")), "cluster")).toHaveProperty("reader");
  });
});
