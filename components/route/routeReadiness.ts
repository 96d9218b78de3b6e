import { oc } from "../cluster/access";
import type { ClusterReader, Condition, KubeObject } from "../cluster/cluster";
import { describe } from "../cluster/conditions";
import { routeTls } from "./federationRoute";
import type { AskedFederation, OwnRoute } from "./federation";
import {
  CERTIFICATE_SECRET,
  FEDERATION_ROUTE,
  OPERAND_NAMESPACE,
  OWN_ROUTE,
  ROUTE_API,
  ROUTER,
  SECRET_READER,
} from "../shared/names";
import { word } from "../shared/shell";
import { failed, ready, waiting, type Verdict } from "../waiting/readiness";

/** A refusal may be an old one while the operator and the router are at work. */
const SETTLE_SECONDS = 20;
/** Newer routers look again by themselves at a certificate that they could not read: after 5 s, and up to a minute later. */
const CERTIFICATE_SECONDS = 75;
/** A router that is there sees a Route within seconds; it may just be starting. */
const UNSEEN_SECONDS = 60;

export interface Route extends KubeObject {
  spec?: { host?: string; tls?: { termination?: string; externalCertificate?: { name?: string } } };
  status?: { ingress?: { host?: string; routerName?: string; conditions?: Condition[] }[] };
}

/** The name of the Route that serves the endpoint. */
export const routeName = (own: OwnRoute | undefined): string =>
  own === undefined ? FEDERATION_ROUTE : (own.name ?? OWN_ROUTE);

export function readRoute(reader: ClusterReader, own: OwnRoute | undefined): Promise<Route | undefined> {
  return reader.get<Route>(ROUTE_API, "Route", routeName(own), OPERAND_NAMESPACE);
}

export async function lookAtRoute(reader: ClusterReader, asked: AskedFederation): Promise<Verdict> {
  return routeReadiness(asked, await readRoute(reader, asked.ownRoute));
}

/** Whether a router has admitted the Route for the host, with the certificate that was asked for (step 14). */
export function routeReadiness(asked: AskedFederation, route: Route | undefined): Verdict {
  const name = `Route ${routeName(asked.ownRoute)}`;
  // The operator may still be at work on its Route; nobody else works on the stack's own.
  const changed = (what: string): Verdict =>
    asked.ownRoute === undefined
      ? waiting(`${name} ${what}`)
      : failed(`${name} ${what}; somebody has changed it, and "pulumi up --refresh" restores it`, SETTLE_SECONDS);
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
  return admission(asked, route);
}

/** Every router writes an entry of its own. One that admits the Route is enough: a shard need not serve all Routes. */
function admission(asked: AskedFederation, route: Route): Verdict {
  const { host, ownRoute } = asked;
  const name = `Route ${routeName(ownRoute)}`;
  const said = (route.status?.ingress ?? [])
    .filter((ingress) => ingress.host === host)
    .flatMap(({ routerName, conditions = [] }) => conditions.map((entry) => ({ router: routerName, entry })))
    .filter(({ entry }) => entry.type === "Admitted");
  if (said.some(({ entry }) => entry.status === "True")) {
    return ready;
  }
  const refused = said.filter(({ entry }) => entry.status === "False");
  if (refused.length === 0) {
    const cure = `check that the router runs (${ocFor(asked, `get pods -n ${ROUTER.namespace}`)}) and that an IngressController selects this Route by its labels and namespace`;
    return failed(`${name} is seen by no router; ${cure}`, UNSEEN_SECONDS);
  }
  const all = refused.map(({ router, entry }) => `router ${router ?? "without a name"} says ${describe(entry)}`);
  const cures = new Set(refused.map(({ entry }) => admissionCure(entry.reason, asked)));
  const heals = refused.some(({ entry }) => entry.reason?.startsWith("ExternalCertificate") === true);
  const because = `${name} is admitted by no router: ${all.join("; ")}. ${[...cures].join("; ")}`;
  return failed(because, heals ? CERTIFICATE_SECONDS : SETTLE_SECONDS);
}

const CLAIMED = "HostAlreadyClaimed";

const ocFor = ({ access = {} }: AskedFederation, command: string): string => oc(access, command);

function admissionCure(reason: string | undefined, asked: AskedFederation): string {
  switch (reason) {
    case CLAIMED:
      return "Delete the older Route that has the host, or choose another endpointHost";
    case "ExternalCertificateSecretDeleted":
    case "ExternalCertificateGetFailed":
    case "ExternalCertificateValidationFailed":
    case "ExtendedValidationFailed": {
      const { secret = CERTIFICATE_SECRET } = routeTls(asked.federation);
      return (
        `See that secret ${secret} is there with type kubernetes.io/tls and a whole chain in tls.crt ` +
        `(${ocFor(asked, `get secret,certificate -n ${OPERAND_NAMESPACE} ${word(secret)}`)}), and that a Role, by default ${SECRET_READER.role}, lets ` +
        `the router get, list and watch it ("pulumi up --refresh" restores it); ${lookAgain(asked)}`
      );
    }
    case "RouteNotAdmitted":
      return "See spec.routeAdmission, spec.namespaceSelector and spec.routeSelector of the IngressController";
    default:
      return lookAgain(asked);
  }
}

/**
 * Restored access alone changes nothing for older routers: they look again when the Route or its secret changes, or after half
 * an hour.
 */
function lookAgain(asked: AskedFederation): string {
  const annotation = `--overwrite spire-federation/look-again="$(date +%s)"`;
  const command = `annotate route -n ${OPERAND_NAMESPACE} ${routeName(asked.ownRoute)} ${annotation}`;
  return `make the router look again: ${ocFor(asked, command)}`;
}
