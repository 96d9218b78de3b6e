/** Which NetworkPolicies keep a bundle endpoint from being asked, or its SPIRE server from asking others. Pure. */
import type { KubeObject } from "../../components/cluster/cluster";

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

interface Rule {
  ports?: { protocol?: string; port?: number | string; endPort?: number }[];
  from?: Side[];
  to?: Side[];
}

interface Side {
  namespaceSelector?: Selector;
  ipBlock?: object;
}

export interface NetworkPolicy extends KubeObject {
  spec?: { podSelector?: Selector; policyTypes?: string[]; ingress?: Rule[]; egress?: Rule[] };
}

type Labels = Readonly<Record<string, string>>;

/** Port of the bundle endpoint in the SPIRE server's pod. */
const ENDPOINT_PORT = 8443;

/**
 * Labels of the namespace of OpenShift's routers, also of those on the host network: the documented one, the older one,
 * and the name.
 */
const ROUTERS: Labels = {
  "kubernetes.io/metadata.name": "openshift-ingress",
  "policy-group.network.openshift.io/ingress": "",
  "network.openshift.io/policy-group": "ingress",
};

export interface InTheWay {
  /** Names of the policies that isolate the pod, while none of them lets in the routers. */
  ofRouters: string[];
  /** Likewise of those that let out to hosts elsewhere. */
  ofPeers: string[];
  /** To which ports of those hosts. */
  closed: number[];
}

/**
 * What cannot be told, such as which addresses an ipBlock means, counts as let through.
 *
 * @param ports of the peers' endpoints
 */
export function inTheWay(policies: readonly NetworkPolicy[], pod: Labels, ports: readonly number[]): InTheWay {
  const selecting = policies.filter(({ spec }) => matches(spec?.podSelector, pod));
  const ingress = selecting.filter(({ spec }) => spec?.policyTypes?.includes("Ingress") ?? true);
  const egress = selecting.filter(({ spec }) => spec?.policyTypes?.includes("Egress") ?? spec?.egress !== undefined);
  const lets = (rule: Rule, port: number, sides: readonly Side[] | undefined, isMeant: (side: Side) => boolean) =>
    opens(rule, port) && (sides === undefined || sides.length === 0 || sides.some(isMeant));
  const letsIn = (rule: Rule): boolean =>
    lets(
      rule,
      ENDPOINT_PORT,
      rule.from,
      (side) =>
        side.ipBlock !== undefined ||
        (side.namespaceSelector !== undefined && matches(side.namespaceSelector, ROUTERS)),
    );
  const letsOut =
    (port: number) =>
    (rule: Rule): boolean =>
      lets(rule, port, rule.to, ({ ipBlock }) => ipBlock !== undefined);
  const closed =
    egress.length === 0 ? [] : ports.filter((port) => !egress.some(({ spec }) => spec?.egress?.some(letsOut(port))));
  return {
    ofRouters: ingress.some(({ spec }) => spec?.ingress?.some(letsIn)) ? [] : ingress.map(nameOf),
    ofPeers: closed.length === 0 ? [] : egress.map(nameOf),
    closed,
  };
}

const nameOf = ({ metadata }: NetworkPolicy): string => metadata?.name ?? "";

const opens = ({ ports = [] }: Rule, wanted: number): boolean =>
  ports.length === 0 ||
  ports.some(
    ({ protocol = "TCP", port, endPort }) =>
      protocol === "TCP" &&
      // By its name a port cannot be told here.
      (typeof port !== "number" || (port <= wanted && wanted <= (endPort ?? port))),
  );

function matches({ matchLabels = {}, matchExpressions = [] }: Selector = {}, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === "In" ? isIn : !isIn;
    })
  );
}
