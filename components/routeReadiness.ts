import type { ClusterReader, Condition, KubeObject } from "./cluster";
import { describe } from "./conditions";
import { routeTls } from "./federationRoute";
import type { AskedFederation } from "./federationSpec";
import { FEDERATION_ROUTE, OPERAND_NAMESPACE, ROUTE_API, ROUTER } from "./names";
import { failed, ready, waiting, type Verdict } from "./readiness";

/** A refusal may be an old one while the operator and the router are at work. */
const SETTLE_SECONDS = 20;
/** A router that is there sees a Route within seconds; it may just be starting. */
const UNSEEN_SECONDS = 60;

/** Restored access alone changes nothing: the router looks again when the Route or its secret changes, or after half an hour. */
const LOOK_AGAIN =
  "once its access to the secret is right, make the router look again: " +
  `oc annotate route -n ${OPERAND_NAMESPACE} ${FEDERATION_ROUTE} --overwrite spire-federation/look-again="$(date +%s)"`;

export interface Route extends KubeObject {
  spec?: { host?: string; tls?: { termination?: string; externalCertificate?: { name?: string } } };
  status?: { ingress?: { host?: string; routerName?: string; conditions?: Condition[] }[] };
}

export async function lookAtRoute(reader: ClusterReader, asked: AskedFederation): Promise<Verdict> {
  return routeReadiness(asked, await reader.get<Route>(ROUTE_API, "Route", FEDERATION_ROUTE, OPERAND_NAMESPACE));
}

/** Whether the router has admitted the Route for the host, with the certificate that was asked for (step 14). */
export function routeReadiness(asked: AskedFederation, route: Route | undefined): Verdict {
  const name = `Route ${FEDERATION_ROUTE}`;
  // The operator may still be at work on its Route; one of the stack's own has been somebody else's work since.
  const changed = (what: string): Verdict =>
    asked.federation.managedRoute === "true"
      ? waiting(`${name} ${what}`)
      : failed(`${name} ${what}; somebody has changed it, and "pulumi up --refresh" puts it right`, SETTLE_SECONDS);
  if (route === undefined) {
    return changed("is not there");
  }
  if (route.spec?.host !== asked.host) {
    return failed(
      `${name} has host ${route.spec?.host ?? "none"}; it must be ${asked.host}, which is the certificate's name`,
      SETTLE_SECONDS,
    );
  }
  const { termination, secret } = routeTls(asked.federation);
  const tls = route.spec.tls;
  if (tls?.termination !== termination || tls.externalCertificate?.name !== secret) {
    return changed(
      `is ${tls?.termination ?? "without TLS"} with secret ${tls?.externalCertificate?.name ?? "none"}, not ${termination} with ${secret ?? "none"}`,
    );
  }
  const routers = (route.status?.ingress ?? []).filter((ingress) => ingress.host === asked.host);
  const admissions = routers.flatMap((ingress) =>
    (ingress.conditions ?? []).filter((entry) => entry.type === "Admitted"),
  );
  if (admissions.some((entry) => entry.status === "True")) {
    return ready;
  }
  const refused = admissions.find((entry) => entry.status === "False");
  if (refused === undefined) {
    const cure = `check that the router runs ("oc get pods -n ${ROUTER.namespace}") and that its IngressController selects this Route`;
    return failed(`${name} is seen by no router; ${cure}`, UNSEEN_SECONDS);
  }
  const cure = refused.reason === "HostAlreadyClaimed" ? "delete the Route that has the host" : LOOK_AGAIN;
  return failed(`${name} is refused by the router: ${describe(refused)}; ${cure}`, SETTLE_SECONDS);
}
