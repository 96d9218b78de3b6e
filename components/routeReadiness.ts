import type { Condition, KubeObject } from "./cluster";
import { describe } from "./conditions";
import type { FederationSpec } from "./federationSpec";
import { FEDERATION_ROUTE, OPERAND_NAMESPACE } from "./names";
import { failed, ready, waiting, type Verdict } from "./readiness";

/** A refusal may be an old one while the operator and the router are at work. */
const SETTLE_SECONDS = 20;

/** Restored access alone changes nothing: the router looks again when the Route or its secret changes, or after half an hour. */
const LOOK_AGAIN =
  "once its access to the secret is right, make the router look again: " +
  `oc annotate route -n ${OPERAND_NAMESPACE} ${FEDERATION_ROUTE} --overwrite spire-federation/look-again="$(date +%s)"`;

export interface Route extends KubeObject {
  spec?: { host?: string; tls?: { termination?: string; externalCertificate?: { name?: string } } };
  status?: { ingress?: { host?: string; routerName?: string; conditions?: Condition[] }[] };
}

/** Whether the router has admitted the Route for the host, with the certificate that was asked for (step 14). */
export function routeReadiness(asked: { host: string; federation: FederationSpec }, route: Route | undefined): Verdict {
  const name = `Route ${FEDERATION_ROUTE}`;
  if (route === undefined) {
    return waiting(`${name} is not there yet`);
  }
  if (route.spec?.host !== asked.host) {
    return failed(
      `${name} has host ${route.spec?.host ?? "none"}; it must be ${asked.host}, which is the certificate's name`,
      SETTLE_SECONDS,
    );
  }
  const secret = asked.federation.bundleEndpoint.httpsWeb?.servingCert?.externalSecretRef;
  const termination = secret === undefined ? "passthrough" : "reencrypt";
  const tls = route.spec.tls;
  if (tls?.termination !== termination || tls.externalCertificate?.name !== secret) {
    return waiting(
      `${name} has not taken the certificate yet: it is ${tls?.termination ?? "without TLS"} with secret ${tls?.externalCertificate?.name ?? "none"}`,
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
  return refused === undefined
    ? waiting(`${name} is seen by no router yet`)
    : failed(`${name} is refused by the router: ${describe(refused)}; ${LOOK_AGAIN}`, SETTLE_SECONDS);
}
