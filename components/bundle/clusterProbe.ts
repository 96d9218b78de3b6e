/**
 * The bundle endpoint, proved from inside its cluster: for machines that reach the API server and no router.
 *
 * The API server asks Service spire-server in our place. That proves that a ready SPIRE server serves this trust domain's
 * bundle on port 8443. It proves nothing about the way from outside through the router, or the certificate there.
 */
import { Forbidden, type ServiceProxy } from "../cluster/cluster";
import { BUNDLE_PORT, OPERAND_NAMESPACE, SPIRE_SERVER } from "../shared/names";
import { explain } from "../shared/problem";
import { failed, ready, type Verdict, waiting } from "../waiting/readiness";
import { parseTrustBundle } from "./trustBundle";

/** From where a bundle endpoint is probed. @enum */
export const ProbeFrom = {
  /** A request to its URL from the machine that runs Pulumi. */
  Machine: "machine",
  /** A request by the API server to the SPIRE server, which does not test the way through the router. */
  Cluster: "cluster",
} as const;
export type ProbeFrom = (typeof ProbeFrom)[keyof typeof ProbeFrom];

const SERVICE = `Service ${SPIRE_SERVER} on port ${BUNDLE_PORT}`;

/** What whoever may not ask has to be given. */
export const PROXY_RIGHTS = "docs/rbac/auditor-cluster-probe.yaml grants it";

/** The JWKS that the SPIRE server serves inside its cluster. */
export async function readServedBundle(proxy: ServiceProxy): Promise<string> {
  const served = await proxy.ask(SPIRE_SERVER, BUNDLE_PORT, OPERAND_NAMESPACE);
  if (served === undefined) throw new Error(`there is no Service ${SPIRE_SERVER}`);
  return served;
}

/** Whether the SPIRE server serves the bundle of its trust domain inside its cluster. */
export async function lookAtServedBundle(proxy: ServiceProxy, trustDomain: string): Promise<Verdict> {
  let served: string;
  try {
    served = await readServedBundle(proxy);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof Forbidden) return failed(`${message}; ${PROXY_RIGHTS}`);
    return waiting(
      `${message}; check that pod ${SPIRE_SERVER}-0 is ready, and that no NetworkPolicy keeps the API server from its ` +
        `port ${BUNDLE_PORT}`,
    );
  }
  const bundle = parseTrustBundle(served, trustDomain, new Date());
  return Array.isArray(bundle) ? waiting(`${SERVICE} serves a wrong bundle: ${explain(bundle)}`) : ready;
}
