import * as pulumi from "@pulumi/pulumi";
import { type ClusterOutputs, federate } from "../../stacks/cluster";
import type { Cluster, KubeObject, ManagedFields } from "../../components/cluster/cluster";
import type { Contract } from "../../stacks/contract";
import { BEGINNING_ANNOTATION } from "../../components/bundle/bundleMark";
import { ConfigError } from "../../stacks/refusal";
import { issue, type Issued, root, rootKey } from "../components/issue";
import { useEndpoints } from "../components/endpoints";
import { useCluster } from "../components/openedCluster";
import { caFingerprintsOf } from "../../components/trustedCas/trustedCas";
import { clusterOf, spireCluster } from "../components/readers";
import { stops } from "../components/stops";
import { named, record, type Seen, valueOf } from "../mocks";
import { configOf, freshCluster, SELF } from "./fixtures";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("../components/openedCluster"));
jest.mock("../../components/bundle/bundleFetch", () => jest.requireActual<object>("../components/endpoints"));
jest.mock("../../components/shared/stopProgram", () => jest.requireActual<object>("../components/stops"));
jest.mock("../../components/certificates/routerCertificate", () => ({
  refusalOfRouter: () => Promise.resolve(undefined),
}));

// Every wait ends at once: readiness has its own tests, here it is what comes after what.
jest.mock("../../components/waiting/readiness", () => ({
  ...jest.requireActual<object>("../../components/waiting/readiness"),
  whenReady: (component: pulumi.Resource, after: pulumi.Output<unknown>) => after.apply(() => component),
}));

/** What each stack has published, as the backend keeps it. */
type Backend = Record<string, unknown>;

interface Run {
  seen: Seen[];
  outputs: ClusterOutputs;
  warnings: string[];
}

interface Options {
  backend?: Backend;
  /** Names of the stacks that publish as a secret. */
  secret?: string[];
  config?: Record<string, unknown>;
  preview?: boolean;
  /** What is in the cluster beside ZTWIM's own. */
  live?: KubeObject[];
  /** `spec` of the live SpireServer, and who has set it. */
  server?: Record<string, unknown>;
  managedFields?: ManagedFields[];
  /** The cluster's own roots (PEM). */
  own?: string;
  /** Roots of peers that have none of their own, by cluster. */
  roots?: Record<string, Issued>;
  /** Clusters that other contexts lead to. */
  contexts?: Record<string, Cluster>;
}

/** Runs the program of the stack `clusterN`, whose peers answer with a good bundle. */
async function run(
  stack: string,
  peers: string[],
  {
    backend = {},
    secret = [],
    config = {},
    preview = false,
    live: others = [],
    own = "",
    roots = {},
    server,
    managedFields = [],
    contexts,
  }: Options = {},
): Promise<Run> {
  const warnings: string[] = [];
  const warn = jest.spyOn(pulumi.log, "warn").mockImplementation((text) => {
    warnings.push(text);
    return Promise.resolve();
  });
  const parsed = configOf(
    { context: stack, trustDomain: `apps.${stack}.example.com`, peers, ...config },
    { ...SELF, stack },
  );
  const live = freshCluster(stack);
  live.ztwim.spec = { trustDomain: parsed.trustDomain };
  if (server !== undefined) {
    live.spireServer.spec = server;
    live.spireServer.metadata = { name: "cluster", managedFields };
  }
  let outputs: ClusterOutputs | undefined;
  const program = async (): Promise<void> => {
    useEndpoints(({ trustDomain, bundleEndpointUrl }) => {
      if (bundleEndpointUrl === "https://localhost:1") return new Error("https://localhost:1, refused");
      const cluster = trustDomain.replace(/^apps\.|\.example\.com$/g, "");
      return bundleOf(roots[cluster] ?? (ownRoots[cluster] ??= root(trustDomain)));
    });
    useCluster(clusterOf(...Object.values(live), ...others, ownBundle(own)), contexts);
    outputs = await federate(parsed);
  };
  const seen = await record(program, {
    preview,
    outputs: (type, name) => {
      if (type !== "pulumi:pulumi:StackReference") return {};
      const secretOutputNames = secret.map(reference).includes(name) ? ["federation"] : [];
      return { outputs: name in backend ? { federation: backend[name] } : {}, secretOutputNames };
    },
  }).finally(() => {
    warn.mockRestore();
  });
  if (outputs === undefined) throw new Error("the program did not end");
  return { seen, outputs, warnings };
}

/** The roots of clusters that have one of their own. */
const ownRoots: Record<string, Issued> = {};

const bundleOf = (issued: Issued): object => ({
  keys: [rootKey(issued)],
  spiffe_sequence: 1,
  spiffe_refresh_hint: 300,
});

/** The ConfigMap that SPIRE writes its own roots into, for its agents. */
const ownBundle = (pem: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "spire-bundle", namespace: "zero-trust-workload-identity-manager" },
  ...{ data: { "bundle.crt": pem } },
});

const reference = (stack: string): string => `organization/spire-federation/${stack}`;
const federatesWith = (seen: Seen[]): unknown =>
  (named(seen, "spire-server-server").inputs["spec"] as { federation: { federatesWith?: unknown } }).federation
    .federatesWith;

describe("two stacks that name each other", () => {
  it("take two rounds: the first publishes alone, the second joins it, and then the first joins too", async () => {
    const backend: Backend = {};

    const alone = await run("cluster1", ["cluster2"], { backend });
    expect(alone.outputs.pendingPeers).toEqual(["cluster2"]);
    expect(alone.outputs.peers).toEqual({});
    expect(alone.warnings).toEqual([expect.stringMatching(/^pending peers: cluster2\. .*run pulumi up there/)]);
    expect(federatesWith(alone.seen)).toBeUndefined();
    expect(alone.seen.filter(({ type }) => type.endsWith("ClusterFederatedTrustDomain"))).toEqual([]);
    backend[reference("cluster1")] = await valueOf(alone.outputs.federation);
    expect(backend[reference("cluster1")]).toEqual({
      version: 1,
      trustDomain: "apps.cluster1.example.com",
      bundleEndpointUrl: "https://federation.apps.cluster1.example.com",
      profile: "https_web",
      publicCa: true,
    });

    const second = await run("cluster2", ["cluster1"], { backend });
    expect(second.outputs.pendingPeers).toEqual([]);
    expect(second.warnings).toEqual([]);
    expect(federatesWith(second.seen)).toEqual([
      {
        trustDomain: "apps.cluster1.example.com",
        bundleEndpointUrl: "https://federation.apps.cluster1.example.com",
        bundleEndpointProfile: "https_web",
      },
    ]);
    backend[reference("cluster2")] = await valueOf(second.outputs.federation);

    const joined = await run("cluster1", ["cluster2"], { backend });
    expect(joined.outputs.pendingPeers).toEqual([]);
    expect(joined.warnings).toEqual([]);
    expect(named(joined.seen, "cluster2-trust").inputs).toMatchObject({
      metadata: { name: "cluster2-federation" },
      spec: { trustDomain: "apps.cluster2.example.com" },
    });
    expect(await valueOf(joined.outputs.federation)).toEqual(backend[reference("cluster1")]);
    expect(Object.keys(joined.outputs.peers)).toEqual(["cluster2"]);
    expect(await valueOf(pulumi.output(joined.outputs.peers["cluster2"]?.fingerprints))).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
  });

  it("publish their CA's certificates for the peers when these are not public", async () => {
    const endpointCa = root("ca.example.com").pem;
    const { outputs } = await run("cluster1", [], { config: { endpoint: { ca: endpointCa } } });
    expect(await valueOf(outputs.federation)).toHaveProperty("caCertificates", endpointCa);
  });
});

describe("an endpoint without a certificate of cert-manager", () => {
  const spire = { type: "spire", email: "ops@example.org", tosAccepted: true };
  const endpointOf = (seen: Seen[]): unknown =>
    (named(seen, "spire-server-server").inputs["spec"] as { federation: { bundleEndpoint: unknown } }).federation
      .bundleEndpoint;

  it.each<[string, Record<string, unknown>, object]>([
    ["the router's default one", { type: "router" }, { servingCert: { fileSyncInterval: 86400 } }],
    [
      "that of a secret which somebody else keeps",
      { type: "secret" },
      { servingCert: { fileSyncInterval: 86400, externalSecretRef: "spire-server-federation-tls" } },
    ],
    [
      "one that SPIRE gets by ACME",
      spire,
      {
        acme: {
          directoryUrl: "https://acme-v02.api.letsencrypt.org/directory",
          domainName: "federation.apps.cluster1.example.com",
          email: "ops@example.org",
          tosAccepted: "true",
        },
      },
    ],
  ])("has %s, and makes nothing of cert-manager and no Role", async (_, issuer, httpsWeb) => {
    const endpointCa = root("ca.example.com").pem;
    const { seen, outputs } = await run("cluster1", [], { config: { issuer, endpoint: { ca: endpointCa } } });
    expect(endpointOf(seen)).toEqual({ profile: "https_web", refreshHint: 300, httpsWeb });
    expect(
      seen.filter(({ type }) => /cert-manager|operators\.coreos|rbac|CertManager|RouterSecret/.test(type)),
    ).toEqual([]);
    expect(outputs.certificateSecret).toBeUndefined();
    expect(await valueOf(outputs.federation)).toMatchObject({ profile: "https_web", caCertificates: endpointCa });
  });

  it("has a Route of the stack's own without a secret, where one is needed", async () => {
    const tlsOf = async (issuer: object): Promise<unknown> => {
      const { seen } = await run("cluster1", [], {
        config: { issuer, endpoint: { routeLabels: { shard: "public" } } },
      });
      return (named(seen, "spire-server-route").inputs["spec"] as { tls: unknown }).tls;
    };
    const redirect = { insecureEdgeTerminationPolicy: "Redirect" };
    expect(await tlsOf({ type: "router" })).toEqual({ termination: "reencrypt", ...redirect });
    expect(await tlsOf(spire)).toEqual({ termination: "passthrough", ...redirect });
  });
});

test("objects that a cluster has by other names keep them, and are owned by these", async () => {
  const names = { certificate: "endpoint", secret: "endpoint-tls", role: "router-reads", roleBinding: "router-may" };
  const { seen } = await run("cluster1", [], { config: { names } });
  const inputs = (name: string): Record<string, unknown> => named(seen, name).inputs;
  const called = (name: string): unknown => (inputs(name)["metadata"] as { name: string }).name;
  expect(called("certificate-certificate")).toBe("endpoint");
  expect(inputs("certificate-certificate")["spec"]).toMatchObject({ secretName: "endpoint-tls" });
  expect([called("router-access-role"), called("router-access-binding")]).toEqual(["router-reads", "router-may"]);
  expect(inputs("router-access-role")["rules"]).toMatchObject([{ resourceNames: ["endpoint-tls"] }]);
  expect(inputs("router-access-binding")["roleRef"]).toMatchObject({ name: "router-reads" });
  expect(inputs("spire-server-server")["spec"]).toMatchObject({
    federation: { bundleEndpoint: { httpsWeb: { servingCert: { externalSecretRef: "endpoint-tls" } } } },
  });
});

describe("a certificate that cert-manager has issued, and that somebody else is to keep from now on,", () => {
  /** Role and RoleBinding, as an up with that config has left them. */
  const before = async (config: Record<string, unknown> = {}): Promise<KubeObject[]> => {
    const { seen } = await run("cluster1", [], { config });
    return ["role", "binding"].map((part) => named(seen, `router-access-${part}`).inputs as KubeObject);
  };
  const after = async (live: KubeObject[], config: Record<string, unknown> = {}): Promise<Seen[]> =>
    (await run("cluster1", [], { live, config: { issuer: { type: "secret" }, ...config } })).seen;
  const accessIn = (seen: Seen[]): Seen[] => seen.filter(({ name }) => name.startsWith("router-access"));

  it("stays readable for the router: the stack keeps the access that it gave", async () => {
    const live = await before();
    const seen = await after(live);
    expect(accessIn(seen).map(({ inputs }) => inputs)).toEqual([{}, ...live]);
    expect(named(seen, "router-access").deletedWith).toBe("federation");
    expect(named(seen, "spire-server").dependencies).toContain("router-access-binding");
    expect(seen.filter(({ type }) => /cert-manager|CertManager/.test(type))).toEqual([]);
  });

  it("stays so by other names, which then have an effect", async () => {
    const names = { role: "router-reads", roleBinding: "router-may" };
    const live = await before({ names });
    expect(accessIn(await after(live, { names })).map(({ inputs }) => inputs)).toEqual([{}, ...live]);
    await expect(after([], { names })).rejects.toMatchObject({
      problems: [{ path: "names.role" }, { path: "names.roleBinding" }],
    });
  });

  it.each<[string, (live: KubeObject[]) => KubeObject[], Record<string, unknown>]>([
    ["of somebody else", (live) => live.map((one) => ({ ...one, metadata: { ...one.metadata, annotations: {} } })), {}],
    ["for another secret", (live) => live, { names: { secret: "their-tls" } }],
    ["that is not there", () => [], {}],
  ])("is nothing to the stack with an access %s", async (_, change, config) => {
    expect(accessIn(await after(change(await before()), config))).toEqual([]);
  });
});

describe("what a cluster has and can never change", () => {
  it("is kept where the config leaves it open, and published", async () => {
    const info = jest.spyOn(pulumi.log, "info").mockResolvedValue(undefined);
    const spec = { federation: { bundleEndpoint: { profile: "https_spiffe" } } };
    const own = root("apps.cluster1.example.com").pem;
    const { outputs } = await run("cluster1", [], { server: spec, own });
    expect(await valueOf(outputs.federation)).toMatchObject({ profile: "https_spiffe", caCertificates: own });
    expect(outputs.certificateSecret).toBeUndefined();
    expect(info).toHaveBeenCalledWith(expect.stringContaining("profile is not set"));
    info.mockRestore();
  });
});

describe("what others have made", () => {
  const published = {
    version: 1,
    trustDomain: "apps.cluster2.example.com",
    bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
    profile: "https_web",
  };
  const backend = { [reference("cluster2")]: published };
  const bundleEndpoint = { profile: "https_web", refreshHint: 60, httpsWeb: { servingCert: {} } };
  const server = {
    federation: {
      bundleEndpoint,
      federatesWith: [
        {
          trustDomain: "partner.example.org",
          bundleEndpointUrl: "https://spire.partner.example.org",
          bundleEndpointProfile: "https_web",
        },
      ],
    },
  };
  const managedFields = [
    {
      manager: "kubectl",
      fieldsV1: {
        "f:spec": { "f:federation": { "f:bundleEndpoint": { "f:refreshHint": {} }, "f:federatesWith": {} } },
      },
    },
  ];
  const twin: KubeObject = {
    apiVersion: "spire.spiffe.io/v1alpha1",
    kind: "ClusterFederatedTrustDomain",
    metadata: { name: "to-cluster2" },
    ...{ spec: { trustDomain: published.trustDomain, className: "zero-trust-workload-identity-manager-spire" } },
  };

  it("in the SpireServer is refused with the ways out, before anything is registered", async () => {
    const refused = run("cluster1", ["cluster2"], { backend, server, managedFields });
    await expect(refused).rejects.toMatchObject({
      problems: [
        {
          path: "spireServer",
          message: expect.stringMatching(
            /refreshHint is 60 and would be 300, set by kubectl.*partner\.example\.org.*\n.*adopt cluster1\n.*takeOver\[0\]' federation\n.*federatesWith dynamic/,
          ) as unknown,
        },
      ],
    });
  });

  it("in the SpireServer is overwritten by who says so, with a warning that names it", async () => {
    const config = { spireServer: { takeOver: ["federation"] } };
    const { seen, warnings } = await run("cluster1", ["cluster2"], { backend, server, managedFields, config });
    expect(warnings).toEqual([expect.stringContaining("partner.example.org")]);
    expect(federatesWith(seen)).toMatchObject([{ trustDomain: published.trustDomain }]);
  });

  it("in its list of peers stays with federatesWith: dynamic", async () => {
    const config = { federatesWith: "dynamic", endpoint: { refreshHint: 60 } };
    const { seen } = await run("cluster1", ["cluster2"], { backend, server, managedFields, config });
    expect(federatesWith(seen)).toBeUndefined();
  });

  it("for a peer's trust domain is refused with its name", async () => {
    const refused = run("cluster1", ["cluster2"], { backend, live: [twin] });
    await expect(refused).rejects.toMatchObject({
      problems: [{ path: "peers", message: expect.stringContaining("to-cluster2") as unknown }],
    });
  });
});

describe("an object of a name that the stack would give its own", () => {
  const namespace = "zero-trust-workload-identity-manager";
  const [cert, rbac] = ["cert-manager.io/v1", "rbac.authorization.k8s.io/v1"];
  const host = "federation.apps.cluster1.example.com";
  const tls = "spire-server-federation-tls";
  const there = (apiVersion: string, kind: string, name: string, rest: object): KubeObject => ({
    ...{ apiVersion, kind, ...rest },
    metadata: { name, namespace },
  });
  /** As the procedure makes them, for whatever host is in the Certificate. */
  const byHand = (dnsName = host, secret = tls, account = "router"): KubeObject[] => [
    there(cert, "Issuer", "letsencrypt-http01", {
      spec: {
        acme: {
          server: "https://acme-v02.api.letsencrypt.org/directory",
          privateKeySecretRef: { name: "letsencrypt-account-key" },
          solvers: [{ http01: { ingress: { ingressClassName: "openshift-default" } } }],
        },
      },
    }),
    there(cert, "Certificate", tls, {
      spec: {
        ...{ secretName: tls, duration: "2160h0m0s", renewBefore: "360h", commonName: host, dnsNames: [dnsName] },
        usages: ["server auth", "digital signature", "key encipherment"],
        issuerRef: { kind: "Issuer", name: "letsencrypt-http01" },
      },
    }),
    there(rbac, "Role", "secret-reader", {
      rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [secret], verbs: ["get", "list", "watch"] }],
    }),
    there(rbac, "RoleBinding", "secret-reader-binding", {
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secret-reader" },
      subjects: [{ kind: "ServiceAccount", name: account, namespace: "openshift-ingress" }],
    }),
  ];
  const different = byHand("vanity.example.org", "database", "backup").filter(({ kind }) => kind !== "Issuer");
  const otherIssuer = there(cert, "Issuer", "letsencrypt-http01", { spec: { acme: { server: "https://ca.example" } } });
  const otherRoute = there("route.openshift.io/v1", "Route", "spire-federation-endpoint", {
    spec: { host: "vanity.example.org" },
  });
  const setBy = (manager: string, ...path: string[]): ManagedFields[] => [
    { manager, fieldsV1: path.reduceRight<object>((below, key) => ({ [`f:${key}`]: below }), {}) } as ManagedFields,
  ];

  it("is refused with what it says, who has set it, and the ways out, before anything is registered", async () => {
    const [certificate = {}, ...access] = different;
    const live = [
      { ...certificate, metadata: { ...certificate.metadata, managedFields: setBy("kubectl", "spec", "dnsNames") } },
      ...access,
    ];
    const refused = run("cluster1", [], { live });
    await expect(refused).rejects.toMatchObject({
      problems: [
        [
          "names.certificate",
          /vanity\.example\.org.*kubectl[^]*adopt cluster1[^]*names\.secret[^]*oc --context cluster1 delete certificate /,
        ],
        ["names.role", /database[^]*names\.role [^]*delete role secret-reader/],
        ["names.roleBinding", /backup[^]*delete rolebinding secret-reader-binding/],
      ].map(([path, message]) => ({ path, message: expect.stringMatching(message as RegExp) as unknown })),
    });
  });

  it.each<[string, string, KubeObject, Record<string, unknown>]>([
    ["an Issuer", "issuer", otherIssuer, {}],
    ["a Route", "names.route", otherRoute, { endpoint: { routeLabels: { shard: "public" } } }],
  ])("is refused for %s, too, and a preview says so and shows the rest", async (_, path, object, config) => {
    await expect(run("cluster1", [], { live: [object], config })).rejects.toMatchObject({ problems: [{ path }] });
    const { seen, warnings } = await run("cluster1", [], { live: [object], config, preview: true });
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`an up refuses this: [^]*:${path}: `))]);
    expect(seen.map(({ name }) => name)).toContain("certificate-certificate");
  });

  it("is applied without a word where it says what the stack asks for", async () => {
    const { seen, warnings } = await run("cluster1", [], { live: byHand() });
    expect(warnings).toEqual([]);
    expect(seen.map(({ name }) => name)).toContain("certificate-certificate");
  });

  it("is corrected where the program has made it, also if the state is lost", async () => {
    const annotations = { "pulumi.com/skipAwait": "true", "pulumi.com/patchForce": "true" };
    const live = [...different, otherIssuer].map((one) => ({ ...one, metadata: { ...one.metadata, annotations } }));
    const { seen, warnings } = await run("cluster1", [], { live });
    expect(warnings).toEqual([]);
    expect(named(seen, "router-access-role").inputs).toMatchObject({ rules: [{ resourceNames: [tls] }] });
  });

  it.each<[string, Record<string, unknown>]>([
    [
      "the stack's have other names",
      { names: { certificate: "own", secret: "own-tls", role: "own", roleBinding: "own" } },
    ],
    ["somebody else keeps the certificate", { issuer: { type: "secret" } }],
    ["the endpoint has none of its own", { issuer: { type: "router" } }],
  ])("stays where %s", async (_, config) => {
    const { warnings } = await run("cluster1", [], { live: [...different, otherRoute], config });
    expect(warnings).toEqual([]);
  });
});

describe("a peer whose stack publishes what cannot be used", () => {
  const good = (name: string): object => ({
    version: 1,
    trustDomain: `apps.${name}.example.com`,
    bundleEndpointUrl: `https://federation.apps.${name}.example.com`,
    profile: "https_web",
  });

  it("is kept as it is and the others join; the up fails once it has published, and a preview warns", async () => {
    const before = await run("cluster1", ["cluster2"], { backend: { [reference("cluster2")]: good("cluster2") } });
    const live = [named(before.seen, "cluster2-trust").inputs as KubeObject];
    const backend = {
      [reference("cluster2")]: { ...good("cluster2"), version: 9 },
      [reference("cluster3")]: good("cluster3"),
    };
    const after = await run("cluster1", ["cluster2", "cluster3"], { backend, live });
    expect(named(after.seen, "cluster2-trust").inputs).toMatchObject({
      spec: { trustDomain: "apps.cluster2.example.com" },
    });
    expect(Object.keys(after.outputs.peers)).toEqual(["cluster2", "cluster3"]);
    expect(after.outputs.faultyPeers).toEqual({ cluster2: expect.stringContaining("version 9") as unknown });
    await valueOf(after.outputs.federation);
    expect(stops.splice(0)).toEqual([expect.stringMatching(/cluster2, trusted as before: .*version 9/)]);
    const preview = await run("cluster1", ["cluster2", "cluster3"], { backend, live, preview: true });
    expect(preview.warnings).toEqual([expect.stringMatching(/cluster2, trusted as before/)]);
    expect(stops).toEqual([]);
  });

  it("is named when it publishes as a secret, is kept where it is trusted, and costs the others nothing", async () => {
    const backend = { [reference("cluster2")]: good("cluster2"), [reference("cluster3")]: good("cluster3") };
    const secret = ["cluster3"];
    const first = await run("cluster1", ["cluster2", "cluster3"], { backend, secret });
    expect(Object.keys(first.outputs.peers)).toEqual(["cluster2"]);
    expect(first.outputs.faultyPeers).toEqual({ cluster3: expect.stringMatching(/federation as a secret/) as unknown });
    expect(stops.splice(0)).toEqual([expect.stringMatching(/cluster3, not trusted yet/)]);

    const before = await run("cluster1", ["cluster3"], { backend });
    const live = [named(before.seen, "cluster3-trust").inputs as KubeObject];
    const after = await run("cluster1", ["cluster2", "cluster3"], { backend, secret, live });
    expect(Object.keys(after.outputs.peers)).toEqual(["cluster2", "cluster3"]);
    expect(stops.splice(0)).toEqual([expect.stringMatching(/cluster3, trusted as before/)]);
    expect((await run("cluster1", ["cluster2"], { secret: ["cluster2"] })).outputs.pendingPeers).toEqual(["cluster2"]);
  });
});

describe("a peer that is no stack", () => {
  const its = root("partner.example.org");
  const partner = { name: "partner", trustDomain: "partner.example.org", bundleEndpointUrl: "https://localhost:1" };

  it("is trusted by the first run, with the bundle that is given, and is never pending", async () => {
    const bundle = JSON.stringify({ keys: [rootKey(its)] });
    const peers = [{ ...partner, profile: "https_spiffe", bundle }];
    const { seen, outputs, warnings } = await run("cluster1", [], { config: { peers }, roots: { partner: its } });
    expect([outputs.pendingPeers, warnings]).toEqual([[], []]);
    expect(Object.keys(outputs.peers)).toEqual(["partner"]);
    expect(named(seen, "partner-trust").inputs).toMatchObject({
      metadata: { name: "partner-federation" },
      spec: { trustDomain: "partner.example.org", bundleEndpointURL: "https://localhost:1" },
    });
    expect(federatesWith(seen)).toEqual([
      {
        trustDomain: "partner.example.org",
        bundleEndpointUrl: "https://localhost:1",
        bundleEndpointProfile: "https_spiffe",
        endpointSpiffeId: "spiffe://partner.example.org/spire/server",
      },
    ]);
    expect(seen.map(({ type }) => type)).not.toContain("pulumi:pulumi:StackReference");
  });

  it("has the resources of its object, whatever it is called: an object that stays is not deleted", async () => {
    const spiffe = { ...partner, profile: "https_spiffe", bundle: JSON.stringify({ keys: [rootKey(its)] }) };
    const resources = async (peer: object): Promise<string[]> => {
      const { seen } = await run("cluster1", [], { config: { peers: [peer] }, roots: { partner: its } });
      return seen.map(({ type, name }) => `${type} ${name}`);
    };
    const renamed = { ...spiffe, name: "acme", objectName: "partner-federation" };
    expect(await resources(renamed)).toEqual(await resources(spiffe));
  });

  it("is refused before anything is declared when its endpoint serves no bundle", async () => {
    await expect(run("cluster1", [], { config: { peers: [partner] } })).rejects.toMatchObject({
      problems: [
        { path: "peers", message: expect.stringMatching(/^peer "partner": https:\/\/localhost:1, /) as unknown },
      ],
    });
  });
});

describe("an up whose plan was approved", () => {
  const bundleEndpointUrl = "https://federation.apps.cluster2.example.com";
  const backend = (): Backend => ({
    [`${SELF.organization}/${SELF.project}/cluster2`]: {
      ...{ version: 1, trustDomain: "apps.cluster2.example.com", bundleEndpointUrl, profile: "https_web" },
    },
  });
  const approving = (...keys: string[]): string =>
    JSON.stringify({ "apps.cluster2.example.com": { bundleEndpointUrl, keys } });
  afterEach(() => delete process.env["SPIRE_FEDERATION_APPROVED"]);

  it("begins trust with the keys that were shown, and marks the object as without an approval", async () => {
    const object = async (): Promise<unknown> =>
      named((await run("cluster1", ["cluster2"], { backend: backend() })).seen, "cluster2-trust").inputs["metadata"];
    const before = await object();
    const own = ownRoots["cluster2"]?.certificate.fingerprint256.replaceAll(":", "").toLowerCase() ?? "";
    process.env["SPIRE_FEDERATION_APPROVED"] = approving(own);
    const { annotations } = (await object()) as { annotations: Record<string, string> };
    expect(annotations[BEGINNING_ANNOTATION]).toBe("0");
    expect(Object.keys((before as { annotations: object }).annotations)).toEqual(Object.keys(annotations));
  });

  it.each([
    ["other keys", approving("00".repeat(32)), /keys are not those of the approved plan: root sha256 /],
    ["what is no approval", "{", /SPIRE_FEDERATION_APPROVED/],
  ])("is refused before anything is declared with %s", async (_, text, message) => {
    process.env["SPIRE_FEDERATION_APPROVED"] = text;
    await expect(run("cluster1", ["cluster2"], { backend: backend() })).rejects.toMatchObject({
      problems: [{ path: "peers", message: expect.stringMatching(message) as unknown }],
    });
  });
});

describe("a peer that was trusted, and whose stack publishes nothing any more", () => {
  const published = {
    version: 1,
    trustDomain: "apps.cluster2.example.com",
    bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
    profile: "https_web",
    caCertificates: root("ca.example.com").pem,
  };
  const inputsOf = (seen: Seen[], name: string): unknown => named(seen, name).inputs;

  /** The ClusterFederatedTrustDomain as an up with the published peer has left it. */
  async function trusted(): Promise<KubeObject> {
    const { seen } = await run("cluster1", ["cluster2"], { backend: { [reference("cluster2")]: published } });
    return inputsOf(seen, "cluster2-trust") as KubeObject;
  }

  it("stays trusted, with the inputs that it has, and a warning that says how to end it", async () => {
    const live = [await trusted()];
    const before = await run("cluster1", ["cluster2"], { backend: { [reference("cluster2")]: published }, live });
    const after = await run("cluster1", ["cluster2"], { live });
    for (const name of ["cluster2-trust", "spire-server-server"]) {
      expect(inputsOf(after.seen, name)).toEqual(inputsOf(before.seen, name));
    }
    expect(after.outputs.pendingPeers).toEqual([]);
    expect(Object.keys(after.outputs.peers)).toEqual(["cluster2"]);
    expect(after.warnings[0]).toMatch(/^kept peers: cluster2\. .*out of peers.*spire-federation remove/);
  });

  it("ends with its place in peers", async () => {
    const { seen, outputs } = await run("cluster1", [], { live: [await trusted()] });
    expect(seen.map(({ name }) => name)).not.toContain("cluster2-trust");
    expect(outputs.peers).toEqual({});
  });

  it("is refused before anything changes when somebody has changed what the cluster trusts", async () => {
    const live = await trusted();
    const spec = { ...(live as { spec?: object }).spec, bundleEndpointURL: "https://evil.example.com" };
    await expect(run("cluster1", ["cluster2"], { live: [{ ...live, spec } as KubeObject] })).rejects.toMatchObject({
      problems: [{ path: "peers", message: expect.stringContaining("cluster2-federation") as unknown }],
    });
  });
});

describe("an https_spiffe peer whose published roots have expired since its last up", () => {
  const HOUR = 3600 * 1000;
  const times = { notBefore: new Date(Date.now() - 48 * HOUR), notAfter: new Date(Date.now() - HOUR) };
  const trustDomain = "apps.cluster2.example.com";
  const [expired, rotated] = [root(trustDomain, times), root(trustDomain)];
  const published: Contract = {
    version: 1,
    trustDomain,
    bundleEndpointUrl: `https://federation.${trustDomain}`,
    profile: "https_spiffe",
    endpointSpiffeId: `spiffe://${trustDomain}/spire/server`,
    caCertificates: expired.pem,
    context: "cluster2",
  };
  const joining = (options: Options = {}): Promise<Run> =>
    run("cluster1", ["cluster2"], { backend: { [reference("cluster2")]: published }, ...options });

  it("is joined with the roots that its cluster has now", async () => {
    const { seen } = await joining({ contexts: { cluster2: spireCluster(trustDomain, rotated.pem) } });
    const { trustDomainBundle } = named(seen, "cluster2-trust").inputs["spec"] as { trustDomainBundle: string };
    expect(JSON.parse(trustDomainBundle)).toEqual({ keys: [rootKey(rotated)] });
  });

  it("is refused where its cluster cannot be read, with what to run and why", async () => {
    await expect(joining()).rejects.toMatchObject({
      problems: [
        {
          path: "peers",
          message: expect.stringMatching(
            /no root that is valid at .*run npx pulumi up --stack cluster2 .* then try again \(.*context "cluster2" leads to trust domain apps\.cluster1/,
          ) as unknown,
        },
      ],
    });
  });

  it("is left alone where it is trusted already", async () => {
    const contexts = { cluster2: spireCluster(trustDomain, rotated.pem) };
    const live = named((await joining({ contexts })).seen, "cluster2-trust").inputs as KubeObject;
    const asked = jest.fn().mockRejectedValue(new Error("is not asked"));
    const { seen } = await joining({ live: [live], contexts: { cluster2: { ...clusterOf(), get: asked } } });
    expect(named(seen, "cluster2-trust").inputs).toMatchObject({ metadata: { name: "cluster2-federation" } });
    expect(asked).not.toHaveBeenCalled();
  });
});

describe("where first bundles come from stacks", () => {
  const own = root("apps.cluster1.example.com").pem;
  const peers: Issued = root("apps.cluster2.example.com");
  const HOUR = 3600 * 1000;
  const [before, after] = [new Date(Date.now() - 48 * HOUR), new Date(Date.now() - HOUR)];
  const expired = root("apps.cluster2.example.com", { notBefore: before, notAfter: after }).pem;
  const published: Contract = {
    version: 1,
    trustDomain: "apps.cluster2.example.com",
    bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
    profile: "https_web",
  };
  const config = { peers: [{ stack: "cluster2", bootstrap: "stack" }] };
  const joining = (roots: string | undefined, options: Options = {}): Promise<Run> =>
    run("cluster1", ["cluster2"], {
      config,
      own,
      backend: { [reference("cluster2")]: { ...published, ...(roots !== undefined && { roots }) } },
      ...options,
    });

  it.each([config, { probe: "cluster" }])("a stack with %j publishes its own roots", async (of) => {
    const { outputs } = await run("cluster1", [], { config: of, own });
    expect(await valueOf(outputs.federation)).toHaveProperty("roots", own);
  });

  it("a stack without these keys publishes none, nor does one with https_spiffe, whose CAs are the roots", async () => {
    const contractOf = async (of: Record<string, unknown>): Promise<unknown> =>
      valueOf((await run("cluster1", [], { config: of, own })).outputs.federation);
    expect(await contractOf({})).not.toHaveProperty("roots");
    const spiffe = await contractOf({ profile: "https_spiffe", ...config });
    expect(spiffe).toMatchObject({ caCertificates: own, context: "cluster1" });
    expect(spiffe).not.toHaveProperty("roots");
  });

  it("a peer is joined with what its stack publishes", async () => {
    const { seen } = await joining(peers.pem);
    const { trustDomainBundle } = named(seen, "cluster2-trust").inputs["spec"] as { trustDomainBundle: string };
    expect(JSON.parse(trustDomainBundle)).toEqual({ keys: [rootKey(peers)] });
  });

  it("a peer that publishes the own root is warned of, as one whose endpoint serves it", async () => {
    const upstream = issue("Corporate Root CA", { ca: true });
    const { warnings } = await joining(upstream.pem, { own: upstream.pem, preview: true });
    expect(warnings).toEqual([expect.stringMatching(/have the same X\.509 root/)]);
  });

  it.each<[string, string | undefined, string]>([
    [
      "publishes none",
      undefined,
      "set probe to cluster, or bootstrap of one of its peers to stack, run npx pulumi up --stack cluster2 on",
    ],
    ["publishes expired ones", expired, "no root that is valid"],
    ["publishes another trust domain's", root("evil.example.com").pem, "spiffe://evil.example.com"],
  ])("a peer whose stack %s is refused before anything changes", async (_, roots, message) => {
    await expect(joining(roots)).rejects.toMatchObject({
      problems: [{ path: "peers", message: expect.stringContaining(message) as unknown }],
    });
  });

  it.each<[string, string | undefined]>([
    ["nothing", undefined],
    ["what has expired since", expired],
  ])("a peer that is trusted already stays trusted, whatever its stack publishes: %s", async (_, roots) => {
    const { seen: joined } = await joining(peers.pem);
    const live = [named(joined, "cluster2-trust").inputs as KubeObject];
    const { seen } = await joining(roots, { live });
    expect(named(seen, "cluster2-trust").inputs["metadata"]).toEqual(
      named((await joining(peers.pem, { live })).seen, "cluster2-trust").inputs["metadata"],
    );
  });

  it("a peer that is trusted already, and of which somebody has changed the object, needs a bundle again", async () => {
    const { seen } = await joining(peers.pem);
    const object: { spec?: object } & KubeObject = named(seen, "cluster2-trust").inputs;
    const live = [{ ...object, spec: { ...object.spec, bundleEndpointURL: "https://evil.example.com" } }];
    await expect(joining(undefined, { live })).rejects.toMatchObject({ problems: [{ path: "peers" }] });
  });
});

describe("one root for several trust domains", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const published = (cluster: string): object => ({
    version: 1,
    trustDomain: `apps.${cluster}.example.com`,
    bundleEndpointUrl: `https://federation.apps.${cluster}.example.com`,
    profile: "https_web",
  });
  const backend = { [reference("cluster2")]: published("cluster2"), [reference("cluster3")]: published("cluster3") };
  const warned = async (own: string, roots: Record<string, Issued>): Promise<string[]> =>
    (await run("cluster1", ["cluster2", "cluster3"], { backend, own, roots })).warnings;

  it.each<[string, string, Record<string, Issued>, string]>([
    [
      "its own and a peer's",
      upstream.pem,
      { cluster2: upstream },
      "apps.cluster1.example.com, apps.cluster2.example.com",
    ],
    [
      "those of two peers",
      "",
      { cluster2: upstream, cluster3: upstream },
      "apps.cluster2.example.com, apps.cluster3.example.com",
    ],
    [
      "all of them",
      upstream.pem,
      { cluster2: upstream, cluster3: upstream },
      "apps.cluster1.example.com, apps.cluster2.example.com, apps.cluster3.example.com",
    ],
  ])("is warned of once: %s", async (_, own, roots, names) => {
    expect(await warned(own, roots)).toEqual([
      expect.stringMatching(new RegExp(`^${names} have the same X\\.509 root .*can speak for each of them`)),
    ]);
  });

  it("is not warned of where each has its own, nor where the own ones cannot be read", async () => {
    expect(await warned(upstream.pem, {})).toEqual([]);
    expect(await warned("", { cluster2: upstream })).toEqual([]);
  });
});

describe("the order", () => {
  const backend = {
    [reference("cluster2")]: {
      version: 1,
      trustDomain: "apps.cluster2.example.com",
      bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
      profile: "https_web",
    },
  };

  /** The resource and everything that it, or a component it belongs to, comes after. */
  function comesAfter(seen: Seen[], name: string, found = new Set<string>()): Set<string> {
    const { dependencies, parent } = named(seen, name);
    for (const next of [
      ...dependencies,
      ...(parent.startsWith("spire-federation-") || parent === "" ? [] : [parent]),
    ]) {
      if (!found.has(next)) comesAfter(seen, next, found.add(next));
    }
    return found;
  }

  it("is the procedure's, and backwards it takes trust away before the certificate", async () => {
    const { seen } = await run("cluster1", ["cluster2"], { backend });
    const chain = [
      "cert-manager-subscription",
      "certificate-letsencrypt-http01",
      "certificate-certificate",
      "router-access-role",
      "router-access-binding",
      "cluster2-trust",
      "spire-server-server",
    ];
    chain.forEach((name, i) => {
      expect([...comesAfter(seen, name)]).toEqual(expect.arrayContaining(chain.slice(0, i)));
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ["the operator's Route", {}],
    ["a Route of the stack's own", { trustDomain: "cluster1.example.com" }],
    ["https_spiffe", { profile: "https_spiffe" }],
  ])("is the same in a preview, so that a plan which it saves holds, with %s", async (_, config) => {
    const dependencies = async (preview: boolean): Promise<unknown> => {
      const { seen } = await run("cluster1", ["cluster2"], { backend, config, preview });
      const all = seen.map(({ name, dependencies: of, inputDependencies }) => [name, of, inputDependencies] as const);
      return all.sort(([a], [b]) => (a < b ? -1 : 1));
    };
    expect(await dependencies(true)).toEqual(await dependencies(false));
  });

  it("has a Route of the stack's own after the server, so that backwards it goes before its certificate", async () => {
    const { seen, outputs } = await run("cluster1", [], { config: { trustDomain: "cluster1.example.com" } });
    expect([...comesAfter(seen, "spire-server-route")]).toEqual(
      expect.arrayContaining(["certificate-certificate", "router-access-binding", "spire-server-server"]),
    );
    expect(named(seen, "certificate-certificate").inputs).toMatchObject({
      spec: { dnsNames: ["federation.apps.cluster1.example.com"] },
    });
    expect(named(seen, "spire-server-server").inputs).toMatchObject({
      spec: { federation: { managedRoute: "true" } },
    });
    expect(await valueOf(outputs.federation)).toMatchObject({
      trustDomain: "cluster1.example.com",
      bundleEndpointUrl: "https://federation.apps.cluster1.example.com",
    });
  });

  it("keeps of a kubeconfig its path alone, as the config writes it", async () => {
    const config = { kubeconfig: "~/cluster1/auth/kubeconfig", context: "admin" };
    const { seen } = await run("cluster1", ["cluster2"], { backend, config });
    expect(named(seen, "cluster").inputs).toMatchObject({
      context: "admin",
      clusterIdentifier: "apps.cluster1.example.com",
      kubeconfig: "~/cluster1/auth/kubeconfig",
    });
  });

  it("has every Kubernetes object on the stack's own cluster", async () => {
    const { seen } = await run("cluster1", ["cluster2"], { backend });
    expect(named(seen, "cluster").inputs).toMatchObject({
      context: "cluster1",
      clusterIdentifier: "apps.cluster1.example.com",
      kubeconfig: "",
    });
    const objects = seen.filter(({ type }) => type.startsWith("kubernetes:"));
    expect(objects.length).toBeGreaterThan(8);
    for (const { provider } of objects) expect(provider).toMatch(/providers:kubernetes::cluster::/);
  });
});

describe("a peer whose endpoint has a CA of its own", () => {
  const permitted = ["federation.apps.cluster2.example.com"];
  const ca = issue("internal CA", { ca: true, permitted }).pem;
  const [unbound, system] = ["other CA", "system CA"].map((name) => issue(name, { ca: true }).pem) as [string, string];
  const published: Contract = {
    version: 1,
    trustDomain: "apps.cluster2.example.com",
    bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
    profile: "https_web",
    caCertificates: ca,
  };
  const backend = { [reference("cluster2")]: published };
  const namespace = "zero-trust-workload-identity-manager";
  const subscription: KubeObject = {
    apiVersion: "operators.coreos.com/v1alpha1",
    kind: "Subscription",
    metadata: { name: "ztwim", namespace },
    ...{ spec: { name: "openshift-zero-trust-workload-identity-manager" } },
  };
  const roots: KubeObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "spire-federation-trusted-cas", namespace },
    ...{ data: { "ca-bundle.crt": system } },
  };
  const live = [subscription, roots];

  it("is warned of, as long as SPIRE is not to trust that CA", async () => {
    const { seen, warnings } = await run("cluster1", ["cluster2"], { backend, live });
    expect(warnings).toEqual([expect.stringMatching(/endpoints of cluster2 .* Set trustPeerCas to true/)]);
    expect(seen.map(({ name }) => name)).not.toContain("peer-cas");
  });

  it("is trusted only once SPIRE trusts that CA", async () => {
    const { seen, warnings } = await run("cluster1", ["cluster2"], { backend, live, config: { trustPeerCas: true } });
    expect(warnings).toEqual([]);
    expect(named(seen, "peer-cas-subscription").inputs).toMatchObject({ metadata: { name: "ztwim", namespace } });
    expect(named(seen, "cluster2").dependencies).toEqual(expect.arrayContaining(["peer-cas-subscription"]));
  });

  it("is needed for the stack to set a proxied operator's trusted CAs: without one that operator is refused", async () => {
    const proxy: KubeObject = {
      apiVersion: "config.openshift.io/v1",
      kind: "Proxy",
      metadata: { name: "cluster" },
      ...{ status: { httpProxy: "http://proxy.example.com:3128" } },
    };
    const config = { trustPeerCas: true };
    const isPublic = { ...published, caCertificates: undefined };
    const proxied = [...live, proxy];
    const refused = run("cluster1", ["cluster2"], {
      backend: { [reference("cluster2")]: isPublic },
      live: proxied,
      config,
    });
    await expect(refused).rejects.toMatchObject({ problems: [{ path: "context" }] });
    const { seen } = await run("cluster1", ["cluster2"], { backend, live: proxied, config });
    expect(seen.map(({ name }) => name)).toContain("peer-cas-subscription");

    // The last such peer leaves: the variable would go, which is all that a proxied operator has.
    const env = [{ name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value: "spire-federation-peer-cas-0123456789ab" }];
    const spec = { name: "openshift-zero-trust-workload-identity-manager", config: { env } };
    for (const preview of [true, false]) {
      const leaving = run("cluster1", [], { live: [{ ...subscription, ...{ spec } }, proxy], config, preview });
      await expect(leaving).rejects.toMatchObject({ problems: [{ path: "context" }] });
    }
  });

  describe("and that CA could vouch for other hosts, too", () => {
    const everyHost = { [reference("cluster2")]: { ...published, caCertificates: unbound } };
    const config = { trustPeerCas: true };
    const trustedIn = ({ seen }: Run): string[] =>
      seen.filter(({ name }) => /-bundle$|-trust$/.test(name)).map(({ name }) => name);
    /** SPIRE's CAs, as an earlier up has left them. */
    const given = (pem: string): KubeObject[] => [
      {
        ...subscription,
        ...{
          spec: {
            name: "openshift-zero-trust-workload-identity-manager",
            config: { env: [{ name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value: "spire-federation-peer-cas-1" }] },
          },
        },
      },
      roots,
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "spire-federation-peer-cas-1", namespace },
        ...{ data: { "ca-bundle.crt": pem } },
      },
    ];

    it("is left out, with the pin that would allow it, and costs the other peers nothing", async () => {
      const third = `apps.cluster3.example.com`;
      const other = { ...published, trustDomain: third, bundleEndpointUrl: `https://federation.${third}` };
      const pinned = issue("third CA", { ca: true, permitted: [`federation.${third}`] }).pem;
      const both = { ...everyHost, [reference("cluster3")]: { ...other, caCertificates: pinned } };
      const after = await run("cluster1", ["cluster2", "cluster3"], { backend: both, live, config });
      const [pin = ""] = caFingerprintsOf({ caCertificates: unbound });
      expect(stops.splice(0)).toEqual([
        expect.stringMatching(`cluster2, not trusted yet[^]*caFingerprints: \\[${pin}`),
      ]);
      expect(trustedIn(after)).toEqual(["peer-cas-bundle", "cluster3-trust"]);
      expect(named(after.seen, "peer-cas-bundle").inputs["data"]).toEqual({ "ca-bundle.crt": `${system}${pinned}` });
    });

    it("is trusted once its entry of peers pins that CA", async () => {
      const caFingerprints = caFingerprintsOf({ caCertificates: unbound });
      const entry = { stack: "cluster2", caFingerprints } as never;
      const after = await run("cluster1", [entry], { backend: everyHost, live, config });
      expect([trustedIn(after), after.warnings, stops]).toEqual([["peer-cas-bundle", "cluster2-trust"], [], []]);
    });

    it("stays as it was where SPIRE trusts that CA already, with a warning", async () => {
      const after = await run("cluster1", ["cluster2"], {
        backend: everyHost,
        live: given(`${system}${unbound}`),
        config,
      });
      expect(trustedIn(after)).toEqual(["peer-cas-bundle", "cluster2-trust"]);
      expect(after.warnings).toEqual([expect.stringMatching(/trusts it already.*caFingerprints/)]);
      expect(stops).toEqual([]);
    });

    it("is kept with the CA that it had, where that one was bound or is trusted", async () => {
      const before = await run("cluster1", ["cluster2"], { backend, live, config });
      const trust = named(before.seen, "cluster2-trust").inputs as KubeObject;
      const after = await run("cluster1", ["cluster2"], { backend: everyHost, live: [...live, trust], config });
      expect(named(after.seen, "cluster2-trust").inputs).toEqual(trust);
      expect(named(after.seen, "peer-cas-bundle").inputs["data"]).toEqual({ "ca-bundle.crt": `${system}${ca}` });
      expect(stops.splice(0)).toEqual([expect.stringMatching(/cluster2, trusted as before: /)]);
    });

    it("is refused before anything changes, where the cluster trusts it and SPIRE is to trust its CA from now on", async () => {
      const before = await run("cluster1", ["cluster2"], { backend: everyHost, live });
      const trust = named(before.seen, "cluster2-trust").inputs as KubeObject;
      const refused = run("cluster1", ["cluster2"], { backend: everyHost, live: [...live, trust], config });
      await expect(refused).rejects.toMatchObject({ problems: [{ path: "peers" }] });
    });
  });

  it("is refused where nothing can be changed, before anything is registered", async () => {
    const refused = run("cluster1", ["cluster2"], { backend, config: { trustPeerCas: true } });
    await expect(refused).rejects.toMatchObject({ problems: [{ path: "trustPeerCas" }] });
  });
});

it("has no certificate and no cert-manager with https_spiffe", async () => {
  const { seen, outputs } = await run("cluster1", [], { config: { profile: "https_spiffe" }, preview: true });
  expect(outputs).not.toHaveProperty("certificateSecret");
  expect(seen.map(({ name }) => name)).toEqual(["cluster", "federation", "spire-server", "spire-server-server"]);
});

it("previews a cluster on which nothing is there yet", async () => {
  const { seen, outputs } = await run("cluster1", ["cluster2"], { preview: true });
  expect(seen.map(({ type }) => type)).toContain("kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch");
  expect(outputs.pendingPeers).toEqual(["cluster2"]);
});

it.each([
  ["peers alone", "apps.cluster1.example.com", ["peers"]],
  ["cluster and peers together", "elsewhere.example.com", ["trustDomain", "peers"]],
])("refuses what %s have against the config before anything is registered", async (_, trustDomain, paths) => {
  const sameOfBoth = {
    version: 1,
    trustDomain: "apps.cluster2.example.com",
    bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
    profile: "https_web",
  };
  const { ztwim, ...rest } = freshCluster("cluster1");
  ztwim.spec = { trustDomain };
  const program = async (): Promise<void> => {
    useCluster(clusterOf(ztwim, ...Object.values(rest)));
    const refused = federate(configOf({ peers: ["other/cluster2", "other/cluster3"] }));
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toMatchObject({ problems: paths.map((path) => ({ path })) });
  };
  expect(await record(program, { outputs: () => ({ outputs: { federation: sameOfBoth } }) })).toEqual([]);
});
