/** `spire-federation alerts`: what Prometheus needs to watch one member's SPIRE server. */
import type { ClusterReader } from "../../components/cluster/cluster";
import { REFRESH_HINT } from "../../components/shared/arguments";
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../../components/shared/names";
import type { MeshMember } from "../members/members";
import type { Published } from "../pulumi/workspace";
import { readKeyLives } from "../spire/keyLives";
import { type Monitoring, platformAccess, readMonitoring } from "./monitoring";
import { type AlertedPeer, type Rule, rulesOf } from "./rules";

const NAME = "spire-federation";

export interface Alerts {
  member: string;
  rules: Rule[];
  /** Which Prometheus will read the objects. */
  monitoring: Monitoring;
  /** ServiceMonitor, PrometheusRule, and what the platform's Prometheus needs to read them, for `oc apply`. */
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
  const [{ caValidity }, monitoring, own] = await Promise.all([
    readKeyLives(reader),
    readMonitoring(reader),
    published(member.id),
  ]);
  const hintOf = (trustDomain: string): number =>
    members.find(({ config }) => config.trustDomain === trustDomain)?.config.refreshHint ?? REFRESH_HINT.default;
  const peers = Object.entries(own?.peers ?? {}).map(([name, { trustDomain }]): AlertedPeer => ({
    name,
    trustDomain,
    refreshHint: hintOf(trustDomain),
  }));
  const rules = rulesOf({ member: member.name, caValidity, peers });
  const access = monitoring.readBy === "platform" ? platformAccess(NAME) : [];
  return { member: member.name, rules, monitoring, objects: [...objectsOf(rules), ...access] };
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
