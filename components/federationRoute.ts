import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { checkHost } from "./arguments";
import type { AskedFederation, FederationSpec } from "./federationSpec";
import { FEDERATION_ROUTE, OPERAND_NAMESPACE, OWNED, ROUTE_API, SPIRE_SERVER } from "./names";

/** Where a cluster serves its bundle endpoint, and who makes the Route. */
export interface FederationRoute {
  host: string;
  /** The operator makes it. Otherwise it is the stack's own. */
  managed: boolean;
}

/**
 * The operator's Route is always `federation.<trust domain>`. Where that is not a name that the cluster's router serves,
 * which is below its ingress domain, the stack makes the Route, for `federation.<ingress domain>`.
 */
export function federationRoute(trustDomain: string, ingressDomain: string): FederationRoute {
  const host = `federation.${trustDomain}`;
  const managed = host.endsWith(`.${ingressDomain}`) && checkHost("host", host).length === 0;
  return managed ? { host, managed } : { host: `federation.${ingressDomain}`, managed };
}

/**
 * Only where the endpoint's certificate is in a secret does the router present it, and speaks TLS with SPIRE anew; in
 * all other cases SPIRE has the certificate, and TLS is passed through.
 */
export function routeTls({ bundleEndpoint }: FederationSpec): { termination: string; secret: string | undefined } {
  const secret = bundleEndpoint.httpsWeb?.servingCert?.externalSecretRef;
  return { termination: secret === undefined ? "passthrough" : "reencrypt", secret };
}

/**
 * Pulumi deletes in the foreground, which the garbage collector has to finish by an update. But OpenShift lets nobody
 * update a Route with an external certificate who may not create routes/custom-host, and the garbage collector may not:
 * the Route would never go, and the destroy never end.
 */
const DELETION = { "pulumi.com/deletionPropagationPolicy": "background" };

/** The Route as the operator would make it, but for the host. */
export function makeRoute(
  parent: pulumi.Resource,
  name: string,
  asked: pulumi.Output<AskedFederation>,
): pulumi.CustomResource {
  const spec = asked.apply(({ host, federation }) => {
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
  });
  const metadata = {
    name: FEDERATION_ROUTE,
    namespace: OPERAND_NAMESPACE,
    annotations: { ...OWNED, ...DELETION },
  };
  return new k8s.apiextensions.CustomResource(
    name,
    { apiVersion: ROUTE_API, kind: "Route", metadata, spec },
    { parent },
  );
}
