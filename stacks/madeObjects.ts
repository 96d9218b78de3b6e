/** The objects that a stack makes as a whole, as it asks for them, and what the cluster has by their names. */
import { planIssuer } from "../components/certificates/issuer";
import type { ClusterReader, KubeObject } from "../components/cluster/cluster";
import { isOwned, type WantedObject } from "../components/cluster/correction";
import { certificateSpec } from "../components/federationCertificate";
import { type FederationRoute, routeSpec } from "../components/route/federationRoute";
import { routerBinding, secretReaderRules } from "../components/routerSecretAccess";
import { CERT_MANAGER_API, OPERAND_NAMESPACE, RBAC_API, ROUTE_API } from "../components/shared/names";
import { renderBundleEndpoint } from "../components/spireServer/bundleEndpoint";
import { federationSpec } from "../components/spireServer/federationSpec";
import type { ClusterConfig } from "./config";
import { bundleEndpoint, certManagerIssuer, endpointSecret } from "./endpoint";

interface AskedObject {
  /** Config key that names it, or that it follows from. */
  key: string;
  wanted: WantedObject;
}

export interface MadeObject extends AskedObject {
  /** Undefined: it is not there. */
  live: KubeObject | undefined;
}

export async function readMade(
  reader: ClusterReader,
  config: ClusterConfig,
  route: FederationRoute,
): Promise<MadeObject[]> {
  const read = (asked: AskedObject[]): Promise<MadeObject[]> =>
    Promise.all(
      asked.map(async (one) => {
        const { apiVersion, kind, metadata } = one.wanted;
        return { ...one, live: await reader.get(apiVersion, kind, metadata.name, metadata.namespace) };
      }),
    );
  const [access, others] = await Promise.all([
    read(accessObjects(config)),
    read([...certificateObjects(config, route), ...ownRoute(config, route)]),
  ]);
  const isMade = certManagerIssuer(config) !== undefined || access.some((one) => isOwnAccess(config, one));
  return [...others, ...(isMade ? access : [])];
}

/**
 * Whether the stack lets the router read a secret that somebody else keeps: it made the Role when cert-manager issued that
 * certificate, and the router needs it as before.
 */
export const keepsAccess = (config: ClusterConfig, made: readonly MadeObject[]): boolean =>
  certManagerIssuer(config) === undefined && made.some(({ key }) => key === "names.role");

function isOwnAccess({ names }: ClusterConfig, { key, live }: MadeObject): boolean {
  const { rules = [] } = (live ?? {}) as { rules?: { resourceNames?: string[] }[] };
  const grants = rules.some(({ resourceNames = [] }) => resourceNames.includes(names.secret));
  return key === "names.role" && live !== undefined && isOwned(live) && grants;
}

/** The router's access to the endpoint's secret. */
function accessObjects(config: ClusterConfig): AskedObject[] {
  if (endpointSecret(config) === undefined) return [];
  const { role, roleBinding, secret } = config.names;
  return [
    { key: "names.role", wanted: { ...object(RBAC_API, "Role", role), rules: secretReaderRules(secret) } },
    { key: "names.roleBinding", wanted: routerBinding(role, roleBinding) },
  ];
}

/** Issuer and Certificate. */
function certificateObjects(config: ClusterConfig, { host }: FederationRoute): AskedObject[] {
  const issuer = certManagerIssuer(config);
  if (issuer === undefined) return [];
  const { names, certificateTimes } = config;
  const { duration, renewBefore, renewJitterHours } = certificateTimes;
  const { objects, reference: issuerRef } = planIssuer(issuer, host);
  const spec = {
    ...certificateSpec({ host, secretName: names.secret, duration, issuerRef }),
    // With jitter it is drawn.
    ...(renewJitterHours === 0 && { renewBefore }),
  };
  return [
    ...objects.map(({ kind, name, spec: of }) => ({ key: "issuer", wanted: object(CERT_MANAGER_API, kind, name, of) })),
    { key: "names.certificate", wanted: object(CERT_MANAGER_API, "Certificate", names.certificate, spec) },
  ];
}

function ownRoute(config: ClusterConfig, { host, own, managedRoute }: FederationRoute): AskedObject[] {
  if (own === undefined) return [];
  const federation = federationSpec(renderBundleEndpoint(bundleEndpoint(config), host), [], managedRoute);
  return [{ key: "names.route", wanted: object(ROUTE_API, "Route", config.names.route, routeSpec(host, federation)) }];
}

function object(apiVersion: string, kind: string, name: string, spec?: object): WantedObject {
  return { apiVersion, kind, metadata: { name, namespace: OPERAND_NAMESPACE }, ...(spec && { spec }) };
}
