/** Alerts are of a member's own peers and lifetimes. */
import { type ClusterReader, Forbidden, type KubeObject } from "../../../components/cluster/cluster";
import { alertsOf } from "../../../mesh/alerts/alerts";
import { labelOf, type Rule, rulesOf } from "../../../mesh/alerts/rules";
import { UsageError } from "../../../mesh/kernel/exit";
import type { MeshMember } from "../../../mesh/members/members";
import { COMMANDS } from "../../../mesh/cli/commandList";
import { clusterOf } from "../../components/readers";
import { id } from "../members/given";

const DAY = 86_400;
const peer = (trustDomain: string, refreshHint = 300): Parameters<typeof rulesOf>[0]["peers"][number] => ({
  name: trustDomain.split(".")[0] ?? "",
  trustDomain,
  refreshHint,
});
const rules = (caValidity = DAY, ...peers: ReturnType<typeof peer>[]): Rule[] =>
  rulesOf({ member: "cluster1", caValidity, peers });
const exprOf = (all: readonly Rule[], alert: string): string => all.find((rule) => rule.alert === alert)?.expr ?? "";

test.each([
  ["apps.cluster2.example.com", "apps_cluster2_example_com"],
  ["a-b.example", "a_b_example"],
  ["a._b", "a_b"],
])("%s is %s in SPIRE's metrics", (trustDomain, label) => {
  expect(labelOf(trustDomain)).toBe(label);
});

test("peers that SPIRE's metrics do not tell apart are refused, with both names", () => {
  expect(() => rules(DAY, peer("a-b.example"), peer("other.example"), peer("a.b.example"))).toThrow(UsageError);
  expect(() => rules(DAY, peer("a-b.example"), peer("a.b.example"))).toThrow(
    /a-b\.example \(a-b\) and a\.b\.example \(a\)/,
  );
});

test("a window is three refresh hints of the peer, a quarter of an hour at least", () => {
  expect(exprOf(rules(DAY, peer("b.example")), "SpireFederationPeerFailing")).toContain("[900s]");
  expect(exprOf(rules(DAY, peer("b.example", 3600)), "SpireFederationPeerFailing")).toContain("[10800s]");
});

// A CA is replaced when a sixth of its life is left, and seven days before its end at the latest.
test.each([
  [DAY, 10_800],
  [365 * DAY, 453_600],
])("a CA that is valid for %d seconds is overdue when %d are left", (caValidity, left) => {
  expect(exprOf(rules(caValidity), "SpireCaOverdue")).toMatch(new RegExp(`- time\\(\\) < ${String(left)}$`));
});

test("each rule is of ZTWIM's namespace, and names a check and a command that exist", () => {
  for (const { expr, annotations } of rules(DAY, peer("b.example"))) {
    for (const [, labels = ""] of expr.matchAll(/\{([^}]*)\}/g))
      expect(labels).toContain('namespace="zero-trust-workload-identity-manager"');
    expect(annotations.check).toMatch(/^MESH\d{3}$/);
    const [, command] = /^npx spire-federation (\S+) cluster1/.exec(annotations.command) ?? [];
    expect(COMMANDS.map(({ name }) => name)).toContain(command);
  }
});

test("no two alerts have the same name and labels, by which Alertmanager tells them apart", () => {
  const all = rules(DAY, peer("b.example"), peer("c.example")).map(({ alert, labels }) =>
    JSON.stringify([alert, labels]),
  );
  expect(new Set(all).size).toBe(all.length);
});

const NAMESPACE = "zero-trust-workload-identity-manager";
const namespace = (labels: Record<string, string>): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: NAMESPACE, labels },
});
const monitored = (reader: ClusterReader): ReturnType<typeof alertsOf> =>
  alertsOf(member("a", 300), [], { reader, published: () => Promise.resolve(undefined) });
const kinds = (objects: readonly object[]): unknown[] => objects.map((object) => (object as KubeObject).kind);

test.each([
  [{ "openshift.io/cluster-monitoring": "true" }, "platform", /the platform's Prometheus reads/],
  [
    { "openshift.io/cluster-monitoring": "true", "openshift.io/user-monitoring": "false" },
    "platform",
    /the platform's Prometheus reads/,
  ],
  [{ "openshift.io/user-monitoring": "false" }, "nobody", /oc label namespace \S+ openshift\.io\/user-monitoring-$/],
  [{ "openshift.io/cluster-monitoring": "false" }, "user workloads", /enableUserWorkload/],
  [{}, "user workloads", /enableUserWorkload/],
])("with the labels %j of the namespace, %s reads the objects", async (labels, readBy, about) => {
  const { monitoring, objects } = await monitored(clusterOf(namespace(labels)));
  expect(monitoring).toEqual({ readBy, about: expect.stringMatching(about) as unknown });
  const access = readBy === "platform" ? ["Role", "RoleBinding"] : [];
  expect(kinds(objects)).toEqual(["ServiceMonitor", "PrometheusRule", ...access]);
});

test("where there is no such namespace, nobody reads the objects", async () => {
  expect((await monitored(clusterOf())).monitoring.readBy).toBe("nobody");
});

test("where the namespace may not be read, alerts are printed and it is said that nobody looked", async () => {
  const reader = clusterOf();
  const forbidding: ClusterReader = {
    ...reader,
    get: (apiVersion, kind, ...rest) =>
      kind === "Namespace"
        ? Promise.reject(new Forbidden("cluster1: cannot get Namespace: 403"))
        : reader.get(apiVersion, kind, ...rest),
  };
  const { monitoring, objects } = await monitored(forbidding);
  expect(monitoring.readBy).toBe("unknown");
  expect(monitoring.about).toBe(
    "could not look at which Prometheus reads these objects: cluster1: cannot get Namespace: 403; docs/rbac/auditor.yaml grants it",
  );
  expect(kinds(objects)).toEqual(["ServiceMonitor", "PrometheusRule"]);
});

const member = (name: string, refreshHint: number): MeshMember =>
  ({ id: id(name), name, config: { trustDomain: `${name}.example`, refreshHint } }) as unknown as MeshMember;

test("alerts are of whom the cluster trusts since its last up, with the peers' own hints", async () => {
  const server = {
    apiVersion: "operator.openshift.io/v1alpha1",
    kind: "SpireServer",
    metadata: { name: "cluster" },
    spec: { caValidity: "48h0m0s" },
  };
  const published = {
    pendingPeers: ["c"],
    peers: {
      b: { trustDomain: "b.example", fingerprints: [] },
      partner: { trustDomain: "partner.example", fingerprints: [] },
    },
  };
  const { rules: made, objects } = await alertsOf(
    member("a", 300),
    [member("a", 300), member("b", 1200), member("c", 300)],
    {
      reader: clusterOf(server),
      published: () => Promise.resolve(published),
    },
  );
  const silent = made.filter(({ alert }) => alert === "SpireFederationPeerSilent");
  expect(silent.map((rule) => [/trust_domain_id="(\w+)"/.exec(rule.expr)?.[1], rule.for])).toEqual([
    ["b_example", "3600s"],
    ["partner_example", "900s"],
  ]);
  expect(exprOf(made, "SpireCaOverdue")).toMatch(/< 21600$/);
  expect(objects).toMatchObject([
    { kind: "ServiceMonitor" },
    { kind: "PrometheusRule", spec: { groups: [{ rules: made }] } },
  ]);
});
