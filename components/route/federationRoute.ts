import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { checkHost } from "../shared/arguments";
import type { ClusterReader } from "../cluster/cluster";
import { ownedMetadata } from "../cluster/correction";
import type { AskedFederation, FederationSpec, OwnRoute } from "./federation";
import { OPERAND_NAMESPACE, OWN_ROUTE, ROUTE_API, SPIRE_SERVER } from "../shared/names";

/** Where a cluster serves its bundle endpoint, and by which Route. */
export interface FederationRoute {
  host: string;
  /**
   * `spec.federation.managedRoute`: whether the operator makes its Route. With false the SpireServer is never Ready, and
   * OLM never upgrades ZTWIM; so the operator makes one even where the stack's own Route serves the endpoint.
   */
  managedRoute: boolean;
  /** The stack's own Route; undefined where the operator's serves the endpoint. */
  own?: OwnRoute;
}

/** What decides about the Route. */
export interface RouteArgs {
  trustDomain: string;
  /** Default: `federation.<trust domain>` if that is below the ingress domain, else `federation.<ingress domain>`. */
  endpointHost?: string;
  routeLabels?: Record<string, string>;
  /** `route`: name of the stack's own Route, where it makes one. */
  names?: { route: string };
}

/** The host of the operator's Route, whatever name resolves in the cluster's DNS. */
export const operatorsHost = (trustDomain: string): string => `federation.${trustDomain}`;

/**
 * The operator's Route serves the endpoint where its host is the wanted one and no labels are wanted, since it removes
 * every label that is not its own. In all other cases the stack makes a Route beside it.
 *
 * `spec.appsDomain` of the cluster's Ingress is no default here: it may be set at any time, and the endpoint's URL must
 * not change when nobody asked for it.
 */
export function federationRoute(args: RouteArgs, ingressDomain: string): FederationRoute {
  const operators = operatorsHost(args.trustDomain);
  // A trust domain may have underscores, or be too long; the operator would fail to make a Route for it, and never be Ready.
  const managedRoute = checkHost("host", operators).length === 0;
  const below = managedRoute && operators.endsWith(`.${ingressDomain}`);
  const host = args.endpointHost ?? (below ? operators : `federation.${ingressDomain}`);
  const labels = args.routeLabels ?? {};
  const serves = managedRoute && host === operators && Object.keys(labels).length === 0;
  return { host, managedRoute, ...(!serves && { own: { labels, ...ownName(args) } }) };
}

const ownName = ({ names: { route } = { route: OWN_ROUTE } }: RouteArgs): { name?: string } =>
  route === OWN_ROUTE ? {} : { name: route };

/**
 * With `servingCert` the router presents a certificate, from a secret or its default one, and re-encrypts to SPIRE. In all
 * other cases SPIRE has the certificate, and the router passes TLS through.
 */
export function routeTls({ bundleEndpoint }: FederationSpec): { termination: string; secret: string | undefined } {
  const servingCert = bundleEndpoint.httpsWeb?.servingCert;
  return {
    termination: servingCert === undefined ? "passthrough" : "reencrypt",
    secret: servingCert?.externalSecretRef,
  };
}

/** `spec` of the stack's own Route. */
export function routeSpec(host: string, federation: FederationSpec) {
  const { termination, secret } = routeTls(federation);
  return {
    host,
    to: { kind: "Service", name: SPIRE_SERVER, weight: 100 },
    port: { targetPort: "federation" },
    wildcardPolicy: "None",
    tls: {
      termination,
      insecureEdgeTerminationPolicy: "Redirect",
      ...(secret !== undefined && { externalCertificate: { name: secret } }),
    },
  };
}

/**
 * Pulumi deletes in the foreground, which the garbage collector finishes by an update. OpenShift allows an update of a
 * Route with an external certificate only with the right to create routes/custom-host, which the garbage collector does
 * not have: the Route would stay, and the destroy would never end.
 */
const DELETION = { "pulumi.com/deletionPropagationPolicy": "background" };

/**
 * The stack's own Route: like the operator's but for name, host and labels.
 *
 * It comes after `before` through its specification and not through dependsOn, because a child cannot depend on its own
 * parent. And while the specification is not known, a preview doesn't ask the API server, which refuses a Route before
 * there is a certificate that the router may read.
 */
export function makeRoute(
  parent: pulumi.Resource,
  cluster: ClusterReader,
  name: string,
  asked: pulumi.Input<AskedFederation>,
  before: pulumi.Output<unknown>,
): pulumi.CustomResource {
  const type = { apiVersion: ROUTE_API, kind: "Route" };
  const wanted = pulumi.output(asked).apply(({ host, federation, ownRoute }) => ({
    ...type,
    metadata: { name: ownRoute?.name ?? OWN_ROUTE, namespace: OPERAND_NAMESPACE },
    spec: routeSpec(host, federation),
  }));
  // Without any the key is left out, which the type of its value does not say.
  const labels = pulumi
    .output(asked)
    .apply(({ ownRoute: { labels: them = {} } = {} }) => (Object.keys(them).length > 0 ? them : undefined));
  return new k8s.apiextensions.CustomResource(
    name,
    {
      ...type,
      metadata: {
        ...ownedMetadata(cluster, wanted, parent, DELETION),
        labels: labels as pulumi.Output<Record<string, string>>,
      },
      spec: pulumi.all([wanted, before]).apply(([{ spec }]) => spec),
    },
    { parent },
  );
}
