/** `spire-federation alerts`: what Prometheus needs to watch one member's SPIRE server. */
import type { ClusterReader, KubeObject } from "../../components/cluster/cluster";
import { REFRESH_HINT } from "../../components/shared/arguments";
import { parseDuration } from "../../components/shared/duration";
import { OPERAND_NAMESPACE, OPERATOR_API, SINGLETON, SPIRE_SERVER } from "../../components/shared/names";
import type { MeshMember } from "../members/members";
import type { Published } from "../pulumi/workspace";
import { type AlertedPeer, type Rule, rulesOf } from "./rules";

/** What the operator takes where the SpireServer says nothing, in seconds. */
const USUAL_CA_VALIDITY = 86_400;
const NAME = "spire-federation";

export interface Alerts {
  member: string;
  rules: Rule[];
  /** ServiceMonitor and PrometheusRule, for `oc apply`. */
  objects: object[];
}

export interface AlertsWorld {
  reader: ClusterReader;
  published: (id: string) => Promise<Published | undefined>;
}

/**
 * Of the peers that the cluster trusts since its last up.
 *
 * @param members for the refresh hints of those peers that are members, too
 */
export async function alertsOf(
  member: MeshMember,
  members: readonly MeshMember[],
  { reader, published }: AlertsWorld,
): Promise<Alerts> {
  const [server, own] = await Promise.all([
    reader.get<KubeObject & { spec?: { caValidity?: string } }>(OPERATOR_API, "SpireServer", SINGLETON),
    published(member.id),
  ]);
  const hintOf = (trustDomain: string): number =>
    members.find(({ config }) => config.trustDomain === trustDomain)?.config.refreshHint ?? REFRESH_HINT.default;
  const peers = Object.entries(own?.peers ?? {}).map(([name, { trustDomain }]): AlertedPeer => ({
    name,
    trustDomain,
    refreshHint: hintOf(trustDomain),
  }));
  const caValidity = parseDuration(server?.spec?.caValidity ?? "") ?? USUAL_CA_VALIDITY;
  const rules = rulesOf({ member: member.name, caValidity, peers });
  return { member: member.name, rules, objects: objectsOf(rules) };
}

const objectsOf = (rules: Rule[]): object[] => [
  {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata: { name: NAME, namespace: OPERAND_NAMESPACE },
    spec: {
      endpoints: [{ port: "metrics", interval: "30s" }],
      // Those that ZTWIM's operator gives the Service. Red Hat's page has others, which select nothing.
      selector: {
        matchLabels: {
          "app.kubernetes.io/name": SPIRE_SERVER,
          "app.kubernetes.io/instance": "cluster-zero-trust-workload-identity-manager",
        },
      },
    },
  },
  {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: NAME, namespace: OPERAND_NAMESPACE },
    spec: { groups: [{ name: NAME, rules }] },
  },
];
