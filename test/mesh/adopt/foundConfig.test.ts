/** The config that is made of what a cluster has is one that a stack takes, and that asks for just that. */
import { foundConfig, type FoundConfig } from "../../../mesh/adopt/foundConfig";
import type { HeldBundle } from "../../../mesh/spire/bundle";
import { survey } from "../../../mesh/adopt/survey";
import { Forbidden } from "../../../components/cluster/cluster";
import { clusterOf } from "../../components/readers";
import { type Issued, root, rootKey } from "../../components/issue";
import { configOf } from "../../stacks/fixtures";
import { byHand, holding, type Live, ofKind, REMOTE } from "./given";

const NOBODY = new Map<string, string>();

const found = async (
  live: Live[] = byHand(),
  stacks: ReadonlyMap<string, string> = NOBODY,
  spire = holding(),
): Promise<FoundConfig> =>
  foundConfig(await survey(clusterOf(...live), spire), { context: "admin", stacks, now: new Date() });

const described = { name: "cluster2", trustDomain: REMOTE.trustDomain, bundleEndpointUrl: REMOTE.url };

test("the documented procedure's result has a config without any name of an object, and nothing in the way", async () => {
  const { config, obstacles, leaves } = await found();
  expect(config).toEqual({
    context: "admin",
    trustDomain: "apps.cluster1.example.com",
    profile: "https_web",
    issuer: { type: "acme" },
    peers: [{ ...described, profile: "https_web" }],
  });
  expect(obstacles).toEqual([]);
  expect(leaves).toEqual([
    "Route spire-server-federation: the operator's",
    "Secret spire-server-federation-tls: cert-manager's, and never read",
  ]);
  expect(configOf(config).peers[0]?.publication).toMatchObject({ bundleEndpointUrl: REMOTE.url });
});

test("a peer that a stack of the folder runs is that stack", async () => {
  const { config } = await found(byHand(), new Map([[REMOTE.trustDomain, "cluster2"]]));
  expect(config["peers"]).toEqual(["cluster2"]);
});

test("values that differ from a stack's defaults are written down as they are", async () => {
  const values = ofKind("SpireServer", (spec) => {
    const { bundleEndpoint } = spec["federation"] as { bundleEndpoint: { refreshHint: number; httpsWeb: object } };
    bundleEndpoint.refreshHint = 600;
    bundleEndpoint.httpsWeb = {
      servingCert: { fileSyncInterval: 3600, externalSecretRef: "spire-server-federation-tls" },
    };
  });
  const times = ofKind("Certificate", (spec) => Object.assign(spec, { duration: "2160h0m0s", renewBefore: "720h" }));
  const { config } = await found(
    byHand((live) => {
      values(live);
      times(live);
    }),
  );
  expect(config).toMatchObject({
    endpoint: { refreshHint: 600 },
    issuer: { type: "acme", duration: "2160h0m0s", renewBefore: "720h" },
  });
  expect(configOf(config)).toMatchObject({ refreshHint: 600, certificateTimes: { duration: "2160h0m0s" } });
});

describe("an issuer", () => {
  const withSpec = (spec: object) =>
    found(byHand(ofKind("Issuer", (_, live) => (live.spec = spec as Record<string, unknown>))));
  const acme = (more: object): object => ({
    server: "https://acme-v02.api.letsencrypt.org/directory",
    privateKeySecretRef: { name: "letsencrypt-account-key" },
    solvers: [{ http01: { ingress: { ingressClassName: "openshift-default" } } }],
    ...more,
  });

  test.each([
    ["that a stack would make, with an e-mail address", { acme: acme({ email: "ops@acme.org" }) }, "acme"],
    ["that solves otherwise", { acme: acme({ solvers: [{ dns01: {} }] }) }, "existing"],
    [
      "of another server under the procedure's name",
      { acme: acme({ server: "https://acme.acme.org/dir" }) },
      "existing",
    ],
    ["of a CA under the name of another one", { ca: { secretName: "internal-ca-key-pair" } }, "existing"],
    ["of another kind", { vault: { path: "pki" } }, "existing"],
  ])("%s", async (_, spec, type) => {
    const { config, leaves } = await withSpec(spec);
    expect(config["issuer"]).toMatchObject({ type });
    expect(leaves.some((one) => one.startsWith("Issuer letsencrypt-http01: "))).toBe(type === "existing");
    expect(configOf(config).issuer).toMatchObject({ type });
  });
});

describe("ClusterFederatedTrustDomains:", () => {
  const twin = (change: Record<string, unknown>): Live => {
    const [object] = byHand().filter(({ kind }) => kind === "ClusterFederatedTrustDomain");
    const metadata = { name: "other", creationTimestamp: "2026-02-01T00:00:00Z" };
    return { ...object, metadata, spec: { ...object?.spec, ...change } };
  };
  const dated = byHand(
    ofKind("ClusterFederatedTrustDomain", (_, { metadata }) => {
      if (metadata) metadata.creationTimestamp = "2026-01-01T00:00:00Z";
    }),
  );

  test("one of another class, and the younger of two, stay as they are", async () => {
    const { config, leaves } = await found([twin({}), ...dated, twin({ className: "upstream" })]);
    expect(config["peers"]).toHaveLength(1);
    expect(leaves.filter((one) => one.startsWith("ClusterFederated"))).toEqual([
      expect.stringContaining("cluster2-federation is for apps.cluster2.example.com as well and is older"),
      expect.stringContaining("its class is upstream"),
    ]);
  });

  test("where the SpireServer does not list one of them, the stack leaves its list alone", async () => {
    const { config } = await found([...dated, twin({ trustDomain: "partner.example.org" })]);
    expect(config["federatesWith"]).toBe("dynamic");
  });

  test("a peer that the SpireServer alone lists is a peer, too", async () => {
    const { config } = await found(byHand().filter(({ kind }) => kind !== "ClusterFederatedTrustDomain"));
    expect(config["peers"]).toEqual([{ ...described, name: "apps-cluster2-example-com", profile: "https_web" }]);
    expect(config["federatesWith"]).toBeUndefined();
  });
});

test("objects of other names keep them", async () => {
  const called: Record<string, string> = {
    "spire-server-federation-tls": "bundle-endpoint",
    "secret-reader": "router-reads",
    "secret-reader-binding": "router-may-read",
  };
  const renamed = JSON.stringify(byHand()).replaceAll(
    /"(spire-server-federation-tls|secret-reader-binding|secret-reader)"/g,
    (_, name: string) => JSON.stringify(called[name]),
  );
  const { config, obstacles } = await found(JSON.parse(renamed) as Live[]);
  expect(obstacles).toEqual([]);
  expect(config["names"]).toEqual({
    certificate: "bundle-endpoint",
    secret: "bundle-endpoint",
    role: "router-reads",
    roleBinding: "router-may-read",
  });
  expect(configOf(config).names).toMatchObject(config["names"] as object);
});

test("the Role is taken by what it grants to whom, and a wider one is not the router's", async () => {
  const wider = byHand(
    ofKind("Role", (_, live) => Object.assign(live, { rules: [], metadata: { ...live.metadata, name: "other" } })),
  );
  expect((await found(wider)).config["names"]).toBeUndefined();
});

test("where not all objects may be listed, the procedure's are found by their names", async () => {
  const cluster = clusterOf(...byHand());
  const list: typeof cluster.list = (apiVersion, kind, namespace) =>
    namespace === undefined ? cluster.list(apiVersion, kind) : Promise.reject(new Forbidden("no list"));
  const seen = await survey({ ...cluster, list }, holding());
  expect(foundConfig(seen, { context: "admin", stacks: NOBODY, now: new Date() })).toEqual(await found());
});

describe("a secret stays with whoever keeps it", () => {
  test.each<[string, Live[]]>([
    ["where no Certificate writes it", byHand().filter(({ kind }) => kind !== "Certificate")],
    [
      "where a stack's Certificate has other usages",
      byHand(ofKind("Certificate", (spec) => (spec["usages"] = ["server auth"]))),
    ],
    ["where it would have a duration", byHand(ofKind("Certificate", (spec) => delete spec["duration"]))],
    [
      "where it would be for the endpoint's host alone",
      byHand(ofKind("Certificate", (spec) => (spec["dnsNames"] = ["a", "b"]))),
    ],
  ])("%s", async (_, live) => {
    const { config, obstacles, leaves } = await found(live);
    expect([config["issuer"], config["names"], obstacles]).toEqual([{ type: "secret" }, undefined, []]);
    expect(leaves[1]).toMatch(/^Secret spire-server-federation-tls: never read, and kept by somebody else/);
    expect(configOf(config).issuer).toEqual({ type: "secret" });
  });

  test("by its name", async () => {
    const renamed = JSON.stringify(byHand().filter(({ kind }) => kind !== "Certificate")).replaceAll(
      "spire-server-federation-tls",
      "wildcard",
    );
    const { config } = await found(JSON.parse(renamed) as Live[]);
    expect(config).toMatchObject({ issuer: { type: "secret" }, names: { secret: "wildcard" } });
    expect(configOf(config).names).toMatchObject({ secret: "wildcard", role: "secret-reader" });
  });
});

describe("an external issuer, which a stack's config cannot name,", () => {
  const signedBy = (issuerRef: object) => byHand(ofKind("Certificate", (spec) => Object.assign(spec, { issuerRef })));

  test.each([
    { group: "awspca.cert-manager.io", kind: "AWSPCAClusterIssuer", name: "pca" },
    // Another object than cert-manager's ClusterIssuer of that name.
    { group: "certmanager.freeipa.org", kind: "ClusterIssuer", name: "pca" },
  ])("keeps its Certificate: %p", async (issuerRef) => {
    const { config, obstacles, leaves } = await found(signedBy(issuerRef));
    expect([config["issuer"], config["names"], obstacles]).toEqual([{ type: "secret" }, undefined, []]);
    const certificate = new RegExp(`^Certificate .*${issuerRef.kind} pca.*${issuerRef.group}`);
    expect(leaves).toContainEqual(expect.stringMatching(certificate));
    expect(configOf(config).issuer).toEqual({ type: "secret" });
  });

  test.each(["cert-manager.io", ""])('is none of group "%s"', async (group) => {
    const { config } = await found(signedBy({ group, kind: "Issuer", name: "letsencrypt-http01" }));
    expect(config["issuer"]).toEqual({ type: "acme" });
  });
});

describe("an https_spiffe peer", () => {
  const its = root(REMOTE.trustDomain);
  const old = root(REMOTE.trustDomain, { notAfter: new Date(Date.now() - 1000) });
  const given = (bundle: string): Live[] =>
    byHand(
      ofKind("ClusterFederatedTrustDomain", (spec) =>
        Object.assign(spec, {
          trustDomainBundle: bundle,
          bundleEndpointProfile: {
            type: "https_spiffe",
            endpointSPIFFEID: `spiffe://${REMOTE.trustDomain}/spire/server`,
          },
        }),
      ),
    );
  const bundleOf = (...of: Issued[]): string => JSON.stringify({ keys: of.map(rootKey) });
  const holds = (...of: Issued[]): HeldBundle => ({
    trustDomain: REMOTE.trustDomain,
    roots: of.map(({ certificate }) => certificate.raw),
    jwtKeys: [],
  });
  const peerOf = async (...args: Parameters<typeof found>) =>
    configOf((await found(...args)).config).peers[0]?.publication;

  test("is described with the roots that SPIRE holds, where those of the object have expired", async () => {
    expect(await peerOf(given(bundleOf(old)), NOBODY, holding(holds(its, old)))).toMatchObject({
      profile: "https_spiffe",
      endpointSpiffeId: `spiffe://${REMOTE.trustDomain}/spire/server`,
      caCertificates: its.pem,
    });
  });

  test("has the object's bundle where SPIRE cannot be asked", async () => {
    const forbidden = { bundles: () => Promise.reject(new Error("exec is forbidden")) };
    expect(await peerOf(given(bundleOf(its)), NOBODY, forbidden)).toMatchObject({ caCertificates: its.pem });
  });

  test("of which nothing valid is held is no peer before its owner gives a bundle", async () => {
    const { obstacles } = await found(given(bundleOf(old)), NOBODY, holding(holds(old)));
    expect(obstacles).toMatchObject([
      {
        object: "ClusterFederatedTrustDomain cluster2-federation",
        cure: expect.stringContaining("bundle show") as string,
      },
    ]);
  });
});

test("a ClusterFederatedTrustDomain of another name keeps it, whether a stack runs the peer or not", async () => {
  const named = byHand(
    ofKind("ClusterFederatedTrustDomain", (_, { metadata }) => {
      if (metadata) metadata.name = "to.the-east";
    }),
  );
  const [peer] = configOf((await found(named)).config).peers;
  expect([peer?.name, peer?.objectName]).toEqual(["to-the-east", "to.the-east"]);
  const { config } = await found(named, new Map([[REMOTE.trustDomain, "cluster2"]]));
  expect(config["peers"]).toEqual([{ stack: "cluster2", objectName: "to.the-east" }]);
  expect(configOf(config).peers[0]?.objectName).toBe("to.the-east");
});

describe("a Route beside the operator's", () => {
  const route = (spec: object = {}, metadata: object = {}): Live => ({
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: { name: "public", namespace: "zero-trust-workload-identity-manager", ...metadata },
    spec: {
      host: "spire.example.org",
      to: { kind: "Service", name: "spire-server", weight: 100 },
      port: { targetPort: "federation" },
      wildcardPolicy: "None",
      tls: {
        termination: "reencrypt",
        insecureEdgeTerminationPolicy: "Redirect",
        externalCertificate: { name: "spire-server-federation-tls" },
      },
      ...spec,
    },
  });
  const forHost = byHand(
    ofKind("Certificate", (spec) =>
      Object.assign(spec, { commonName: "spire.example.org", dnsNames: ["spire.example.org"] }),
    ),
  );

  test("is the stack's own, by its name, host and labels", async () => {
    const { config, obstacles } = await found([...forHost, route({}, { labels: { shard: "public" } })]);
    expect(obstacles).toEqual([]);
    expect(config).toMatchObject({
      endpoint: { host: "spire.example.org", routeLabels: { shard: "public" } },
      names: { route: "public" },
      issuer: { type: "acme" },
    });
    expect(configOf(config).names.route).toBe("public");
  });

  test("is left alone where it is for another Service, has the operator's host, or a host that the certificate is not for", async () => {
    const other = route({ to: { kind: "Service", name: "other" } });
    const twin = route({ host: "federation.apps.cluster1.example.com" }, { name: "twin" });
    const second = route({}, { name: "second" });
    const { config, leaves } = await found([...byHand(), other, twin, second]);
    expect([config["endpoint"], config["names"]]).toEqual([undefined, undefined]);
    expect(leaves.slice(1, 3)).toEqual([
      "Route twin: the operator's serves the endpoint",
      "Route second: the operator's serves the endpoint",
    ]);
  });

  test("is the stack's own by any certificate where the operator's host is not below the ingress domain", async () => {
    const outside = byHand((live) => {
      if (live.kind === "ZeroTrustWorkloadIdentityManager") live.spec = { trustDomain: "cluster1.example.com" };
      ofKind("SpireServer", (spec) => {
        const { bundleEndpoint } = spec["federation"] as { bundleEndpoint: Record<string, unknown> };
        bundleEndpoint["httpsWeb"] = { servingCert: {} };
      })(live);
    });
    const tls = { termination: "reencrypt", insecureEdgeTerminationPolicy: "Redirect" };
    const { config } = await found([...outside, route({ tls })]);
    expect(config).toMatchObject({
      endpoint: { host: "spire.example.org" },
      names: { route: "public" },
      issuer: { type: "router" },
    });
  });

  test.each([
    ["that a stack would make otherwise", [route({ wildcardPolicy: "Subdomain" })], /wildcardPolicy is "Subdomain"/],
    ["of which there are two", [route(), route({}, { name: "second" })], /beside it there are second/],
  ])("%s is said with what to do", async (_, routes, said) => {
    const { obstacles } = await found([...forHost, ...routes]);
    expect(obstacles).toMatchObject([{ object: "Route public", found: expect.stringMatching(said) as string }]);
  });
});

test.each<[string, Live[], string, RegExp]>([
  ["no ZTWIM", [], "ZeroTrustWorkloadIdentityManager cluster", /choose the context/],
  [
    "a SpireServer without a federation",
    byHand(ofKind("SpireServer", (spec) => delete spec["federation"])),
    "SpireServer cluster",
    /npx spire-federation up/,
  ],
  [
    "a Route that somebody else makes",
    byHand(
      ofKind("SpireServer", (spec) => ((spec["federation"] as Record<string, unknown>)["managedRoute"] = "false")),
    ),
    "SpireServer cluster",
    /oc patch .*"managedRoute":"true"/,
  ],
])("a cluster with %s says what to do", async (_, live, object, cure) => {
  const { obstacles } = await found(live);
  expect(obstacles).toEqual([
    { object, found: expect.any(String) as string, cure: expect.stringMatching(cure) as string },
  ]);
});
