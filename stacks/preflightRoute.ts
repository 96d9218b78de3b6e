/** Checks the config against the cluster's Routes and domains, and warns about the endpoint's Route. Pure. */
import { oc } from "../components/cluster/access";
import type { KubeObject } from "../components/cluster/cluster";
import { federationRoute, type FederationRoute, operatorsHost } from "../components/route/federationRoute";
import * as names from "../components/shared/names";
import { problem, type Problem } from "../components/shared/problem";
import type { ClusterConfig } from "./config";

export interface IngressConfig extends KubeObject {
  spec?: { domain?: string; appsDomain?: string };
}

export interface LiveRoute extends KubeObject {
  spec?: { host?: string };
}

/** The Route that this up creates or waits for. */
export function routeOf(config: ClusterConfig, { ingress }: { ingress: IngressConfig | undefined }): FederationRoute {
  return federationRoute(config, ingress?.spec?.domain ?? "");
}

/** Whether the operator can make its Route, by whose failure it would never be Ready. */
export function judgeRoute(config: ClusterConfig, wanted: FederationRoute, live: LiveRoute | undefined): Problem[] {
  if (wanted.own === undefined && config.names.route !== names.OWN_ROUTE) {
    return problem("names.route", "has no effect, because the operator's Route serves the endpoint; remove it");
  }
  if (live === undefined || !wanted.managedRoute) return [];
  const about = `Route ${names.FEDERATION_ROUTE}`;
  const cure = `delete it, and the operator makes its own: ${deletion(config)}`;
  if (live.metadata?.labels?.["app.kubernetes.io/managed-by"] !== names.OPERAND_NAMESPACE) {
    return problem("context", `${about} has the name of the operator's Route and is not the operator's; ${cure}`);
  }
  const host = operatorsHost(config.trustDomain);
  if (wanted.own === undefined && live.spec?.host !== host) {
    return problem("context", `${about} has host ${live.spec?.host ?? "none"} and not ${host}; ${cure}`);
  }
  return [];
}

export function routeWarnings(
  config: ClusterConfig,
  route: FederationRoute,
  { ingress }: { ingress: IngressConfig | undefined },
): string[] {
  const { domain = "", appsDomain } = ingress?.spec ?? {};
  const known = [domain, appsDomain, config.trustDomain].filter((one) => one !== undefined && one !== "");
  const outside = config.endpointHost !== undefined && !known.some((one) => config.endpointHost?.endsWith(`.${one}`));
  return [
    ...(outside
      ? [
          `endpoint.host "${config.endpointHost ?? ""}" is below none of the domains that the cluster names (${known.join(", ")}). ` +
            "See that it resolves to a router of this cluster, from the peers and from the ACME server.",
        ]
      : []),
    ...(route.managedRoute
      ? []
      : [
          `${operatorsHost(config.trustDomain)} is no DNS name, so the operator cannot make its Route: the SpireServer is never Ready, ` +
            "and OLM does not upgrade ZTWIM until the OperatorCondition of its ClusterServiceVersion has Upgradeable=True in spec.overrides.",
        ]),
  ];
}

const deletion = (config: ClusterConfig): string =>
  oc(config, `delete route ${names.FEDERATION_ROUTE} -n ${names.OPERAND_NAMESPACE}`);
