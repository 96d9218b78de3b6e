/** The config that is made of what a cluster has is one that a stack takes, and that asks for just that. */
import { foundConfig, type FoundConfig } from "../../../mesh/adopt/foundConfig";
import { survey } from "../../../mesh/adopt/survey";
import { clusterOf } from "../../components/readers";
import { configOf } from "../../stacks/fixtures";
import { byHand, type Live, ofKind, REMOTE } from "./given";

const NOBODY = new Map<string, string>();

const found = async (live: Live[] = byHand(), stacks: ReadonlyMap<string, string> = NOBODY): Promise<FoundConfig> =>
  foundConfig(await survey(clusterOf(...live)), { context: "admin", stacks });

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
    refreshHint: 600,
    fileSyncInterval: 3600,
    certificateDuration: "2160h0m0s",
    renewBefore: "720h",
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
