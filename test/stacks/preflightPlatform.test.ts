/** What the platform says against a federation: OpenShift, ZTWIM's operator, the proxy, the ACME solver. */
import { type Cluster, Forbidden, type KubeObject } from "../../components/cluster/cluster";
import { preflight } from "../../stacks/preflight";
import { openShiftVersion } from "../../stacks/preflightPlatform";
import { clusterOf } from "../components/readers";
import { configOf, freshCluster } from "./fixtures";

const NAMESPACE = "zero-trust-workload-identity-manager";
const PACKAGE = "openshift-zero-trust-workload-identity-manager";

type Live = ReturnType<typeof freshCluster>;
type Change = (live: Live) => unknown;
const unchanged: Change = () => undefined;

const objectsOf = (change: Change, more: KubeObject[]): KubeObject[] => {
  const live = freshCluster();
  change(live);
  return [...Object.values(live).filter((object) => object.kind !== undefined), ...more];
};
const run = (change: Change, raw: Record<string, unknown> = {}, more: KubeObject[] = []) =>
  preflight(configOf(raw), () => clusterOf(...objectsOf(change, more)));

const withVersion =
  (version: string): Change =>
  ({ version: it }) =>
    (it.status = { desired: { version } });
const withRelease =
  (version: string): Change =>
  ({ csv }) =>
    (csv.metadata = { ...csv.metadata, name: `${NAMESPACE}.v${version}` });

const subscription = (env: object[] = [], namespace = NAMESPACE): KubeObject & { spec: object } => ({
  apiVersion: "operators.coreos.com/v1alpha1",
  kind: "Subscription",
  metadata: { name: PACKAGE, namespace },
  spec: { name: PACKAGE, config: { env } },
});
const operator = (...env: [string, string][]): KubeObject & { spec: object } => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: `${NAMESPACE}-controller-manager`, namespace: NAMESPACE },
  spec: { template: { spec: { containers: [{ env: env.map(([name, value]) => ({ name, value })) }] } } },
});
const proxy = (status: object): KubeObject & { status: object } => ({
  apiVersion: "config.openshift.io/v1",
  kind: "Proxy",
  metadata: { name: "cluster" },
  status,
});
const PROXIED = { httpProxy: "http://proxy.example.com:3128" };
const CA = "TRUSTED_CA_BUNDLE_CONFIGMAP";
const OWN_CAS = "spire-federation-peer-cas-0123456789ab";
const OTHERS = [{ name: "CREATE_ONLY_MODE", value: "false" }];
const spiffe = { profile: "https_spiffe" };

describe("refused", () => {
  it.each<[string, string, RegExp, Change, Record<string, unknown>?, KubeObject[]?]>([
    ["OpenShift 4.18", "profile", /OpenShift 4\.18\.30, .*externalCertificate.*4\.19/, withVersion("4.18.30")],
    ["a release before 1.0", "context", /release 0\.2\.0, before 1\.0;.*stable-v1/, withRelease("0.2.0")],
    [
      "an operator in another namespace, by its Subscription",
      "context",
      /installed in namespace elsewhere; .*zero-trust-workload-identity-manager/,
      unchanged,
      {},
      [subscription([], "elsewhere")],
    ],
    [
      "an operator in another namespace, by its version alone",
      "context",
      /installed in namespace elsewhere/,
      ({ csv }) => (csv.metadata = { ...csv.metadata, namespace: "elsewhere" }),
    ],
    [
      "a proxy without trusted CAs",
      "context",
      /oc --context cluster1 patch subscriptions\.operators\.coreos\.com \S+ -n \S+ --type merge -p .*TRUSTED_CA_BUNDLE_CONFIGMAP/,
      unchanged,
      spiffe,
      [operator(["HTTPS_PROXY", "http://proxy.example.com:3128"]), subscription()],
    ],
    [
      "a proxy without trusted CAs, where the Subscription has an environment that must stay",
      "context",
      /--type json -p '\[\{"op":"add","path":"\/spec\/config\/env\/-"/,
      unchanged,
      {},
      [proxy(PROXIED), subscription(OTHERS)],
    ],
    [
      "a proxy whose trusted CAs are those that the stack made of its peers', and is to take out",
      "context",
      /--type json -p '\[\{"op":"replace","path":"\/spec\/config\/env\/1","value":\{[^}]*"trusted-ca"/,
      unchanged,
      {},
      [operator(["HTTPS_PROXY", "http://x"], [CA, OWN_CAS]), subscription([...OTHERS, { name: CA, value: OWN_CAS }])],
    ],
    [
      "a proxy for HTTPS alone, where the operator's Deployment is not there",
      "context",
      /oc --context cluster1 create configmap trusted-ca/,
      unchanged,
      {},
      [proxy({ httpProxy: "", httpsProxy: "http://proxy.example.com:3128", noProxy: ".cluster.local" })],
    ],
    [
      "an ACME solver's class that is not there",
      "issuer.ingressClassName",
      /no IngressClass "nginx".*has openshift-default/,
      unchanged,
      { issuer: { type: "acme", ingressClassName: "nginx" } },
    ],
    [
      "a cluster without any IngressClass",
      "issuer.ingressClassName",
      /no IngressClass "openshift-default".*has none/,
      (live) => delete live.ingressClass.kind,
    ],
  ])("%s", async (_, path, message, change, raw = {}, more = []) => {
    expect(await run(change, raw, more)).toEqual([{ path, message: expect.stringMatching(message) as string }]);
  });

  it("all of it together, with what else is wrong", async () => {
    const change: Change = (live) => {
      withVersion("4.18.1")(live);
      withRelease("0.2.0")(live);
      live.ingressClass.metadata = { name: "other" };
    };
    const problems = await run(change, {}, [operator(["HTTP_PROXY", "http://x"])]);
    expect(problems).toMatchObject(
      ["profile", "context", "context", "issuer.ingressClassName"].map((path) => ({ path })),
    );
  });
});

describe("cleared", () => {
  it.each<[string, Change, Record<string, unknown>?, KubeObject[]?]>([
    ["OpenShift 4.18 where TLS is passed through", withVersion("4.18.30"), spiffe],
    ["OpenShift 5.0", withVersion("5.0.0")],
    ["ZTWIM 1.0.2", withRelease("1.0.2")],
    ["a proxy with trusted CAs", unchanged, {}, [operator(["HTTPS_PROXY", "http://x"], [CA, "trusted-ca"])]],
    [
      "a proxy with trusted CAs that the operator is about to get",
      unchanged,
      {},
      [operator(["HTTPS_PROXY", "http://x"]), subscription([{ name: CA, value: "trusted-ca" }])],
    ],
    [
      "a cluster proxy that the Subscription keeps from the operator",
      unchanged,
      {},
      [proxy(PROXIED), operator(["HTTPS_PROXY", ""])],
    ],
    [
      "a proxy without trusted CAs that the stack itself gives the operator",
      unchanged,
      { trustPeerCas: true },
      [operator(["HTTPS_PROXY", "http://x"]), subscription()],
    ],
    ["no ACME solver", (live) => delete live.ingressClass.kind, { issuer: { type: "ca" } }],
  ])("%s, without a warning", async (_, change, raw = {}, more = []) => {
    expect(await run(change, raw, more)).toMatchObject({ warnings: [] });
  });

  it.each<[string, Change, RegExp]>([
    ["OpenShift's release is not known", (live) => delete live.version.kind, /OpenShift release is not known/],
    ["ZTWIM's release is not known", (live) => delete live.csv.kind, /ZTWIM's release is not known/],
    ["ZTWIM's release is newer", withRelease("1.2.0"), /ZTWIM 1\.2\.0 is newer/],
  ])("with a warning where %s", async (_, change, warning) => {
    expect(await run(change)).toMatchObject({ warnings: [expect.stringMatching(warning) as string] });
  });

  it("with a warning of what the caller may not read", async () => {
    const cluster = clusterOf(...objectsOf(unchanged, []));
    const refused = ["ClusterVersion", "Proxy", "IngressClass", "Deployment"];
    const may = (kind: string): Promise<void> =>
      refused.includes(kind) ? Promise.reject(new Forbidden(`cannot read ${kind}`)) : Promise.resolve();
    const reader: Cluster = {
      ...cluster,
      get: async <T extends KubeObject>(...what: Parameters<Cluster["get"]>) => {
        await may(what[1]);
        return await cluster.get<T>(...what);
      },
      list: async <T extends KubeObject>(...what: Parameters<Cluster["list"]>) => {
        await may(what[1]);
        return await cluster.list<T>(...what);
      },
    };
    expect(await preflight(configOf(spiffe), () => reader)).toMatchObject({
      warnings: [
        expect.stringMatching(/auditor\.yaml.*ClusterVersion.*Proxy.*IngressClass/) as string,
        expect.stringContaining("OpenShift release is not known") as string,
      ],
    });
  });
});

it.each([
  [undefined, undefined],
  [{ status: { desired: { version: "4.20.1" } } }, "4.20.1"],
  [
    {
      status: {
        desired: { version: "4.20.1" },
        history: [
          { state: "Partial", version: "4.20.1" },
          { state: "Completed", version: "4.19.9" },
          { state: "Completed", version: "4.18.2" },
        ],
      },
    },
    "4.19.9",
  ],
])("during an update the release is the one that has completed", (version, expected) => {
  expect(openShiftVersion(version)).toBe(expected);
});
