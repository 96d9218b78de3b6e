import { accessFlags, type ClusterAccess, oc } from "../cluster/access";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { condition, describe, isTrueNow, nameOf, notTrue, type Conditioned } from "../cluster/conditions";
import type { IssuerReference } from "./issuer";
import { CERT_MANAGER_API, OPERAND_NAMESPACE } from "../shared/names";
import { failed, ready, waiting, type Verdict } from "../waiting/readiness";

const ACME_API = "acme.cert-manager.io/v1";
/** What belongs to which Certificate. */
const CERTIFICATE_NAME = "cert-manager.io/certificate-name";
/** cert-manager may still show the failure of the attempt before. */
const SETTLE_SECONDS = 15;
/** How long something that looks like a failure may last: a solver that is starting, an ACME server that is slow to register an account. */
const PATIENCE_SECONDS = 60;

/** Order or Challenge of ACME. */
interface AcmeObject extends KubeObject {
  spec?: { type?: string };
  status?: { state?: string; reason?: string };
}

/** A Certificate and what stands between it and its secret; the rest is read only when one of the first two is not ready. */
export interface CertificateState {
  certificate: Conditioned | undefined;
  issuer: Conditioned | undefined;
  requests?: Conditioned[];
  orders?: AcmeObject[];
  challenges?: AcmeObject[];
}

/** The issuer itself; undefined when it, or its kind, is not there. */
export const readIssuer = <T extends KubeObject>(
  reader: ClusterReader,
  { kind, name }: IssuerReference,
): Promise<T | undefined> =>
  reader.get<T>(CERT_MANAGER_API, kind, name, kind === "Issuer" ? OPERAND_NAMESPACE : undefined);

export async function lookAtCertificate(
  reader: ClusterReader,
  name: string,
  issuer: IssuerReference,
): Promise<Verdict> {
  const [certificate, found] = await Promise.all([
    reader.get<Conditioned>(CERT_MANAGER_API, "Certificate", name, OPERAND_NAMESPACE),
    readIssuer<Conditioned>(reader, issuer),
  ]);
  if (bothReady(certificate, found)) {
    return ready;
  }
  const [requests, orders, challenges] = await Promise.all([
    reader.list<Conditioned>(CERT_MANAGER_API, "CertificateRequest", OPERAND_NAMESPACE),
    reader.list<AcmeObject>(ACME_API, "Order", OPERAND_NAMESPACE),
    reader.list<AcmeObject>(ACME_API, "Challenge", OPERAND_NAMESPACE),
  ]);
  const ofName = (object: KubeObject): boolean => object.metadata?.annotations?.[CERTIFICATE_NAME] === name;
  const ownOrders = orders.filter(ofName);
  return certificateReadiness(
    name,
    {
      certificate,
      issuer: found,
      requests: requests.filter(ofName),
      orders: ownOrders,
      // A challenge is named after its order.
      challenges: challenges.filter((challenge) =>
        ownOrders.some((order) => challenge.metadata?.name?.startsWith(`${order.metadata?.name ?? ""}-`) === true),
      ),
    },
    issuer,
    reader.access,
  );
}

/** A certificate outlives a broken issuer until its renewal, weeks later: so the issuer counts, too. */
function bothReady(certificate: Conditioned | undefined, issuer: Conditioned | undefined): boolean {
  return [certificate, issuer].every((object) => object !== undefined && isTrueNow(object, "Ready"));
}

/** Whether the certificate is issued and can be renewed; if not, the object nearest to the cause says why. */
export function certificateReadiness(
  name: string,
  state: CertificateState,
  issuer: IssuerReference,
  access: ClusterAccess,
): Verdict {
  const { certificate } = state;
  if (certificate === undefined) {
    return failed(
      `Certificate ${name} is not there; somebody deleted it, "pulumi up --refresh" makes it again`,
      SETTLE_SECONDS,
    );
  }
  if (bothReady(certificate, state.issuer)) {
    return ready;
  }
  if (state.issuer === undefined) {
    return failed(`${issuer.kind} ${issuer.name} is not there; create it, or name another issuer`, SETTLE_SECONDS);
  }
  const issuing = condition(certificate, "Issuing");
  const details = explain(state);
  if (issuing?.status === "False") {
    // cert-manager waits an hour before it tries again; nobody should wait with it.
    const cure = `put right what it says, then "cmctl ${accessFlags(access)}renew ${name} -n ${OPERAND_NAMESPACE}" tries again at once`;
    return failed(`${describe(issuing)}; ${details}; ${cure}`, SETTLE_SECONDS);
  }
  const issuerReady = condition(state.issuer, "Ready");
  if (issuerReady?.status === "False") {
    const cure = "put right what it says: until it is ready nothing is issued or renewed";
    return failed(`${issuer.kind} ${issuer.name}: ${notTrue(state.issuer)}; ${cure}`, SETTLE_SECONDS);
  }
  const because = `${notTrue(certificate)}; ${details}`;
  if (issuerReady === undefined) {
    const cure = "cert-manager has never looked at it: check that its controller runs and is to serve this namespace";
    return failed(`${because}; ${issuer.kind} ${issuer.name} has no condition Ready: ${cure}`, PATIENCE_SECONDS);
  }
  return isUnanswered(state.challenges)
    ? failed(`${because}; ${unanswered(access)}`, PATIENCE_SECONDS)
    : waiting(because);
}

const unanswered = (access: ClusterAccess): string =>
  "cert-manager asks for the challenge over HTTP itself, for days, before it lets the ACME server ask. Check that " +
  "issuer.ingressClassName is a class that the router serves, that the host's port 80 leads to that router, and that no " +
  `NetworkPolicy or service mesh keeps the router from the solver's pod: ${oc(access, `get networkpolicies,pods -n ${OPERAND_NAMESPACE}`)}`;

/** A challenge that cert-manager does not even answer to itself: it never says that this has failed. */
function isUnanswered(challenges: AcmeObject[] = []): boolean {
  return challenges.some(
    ({ spec, status }) => spec?.type === "HTTP-01" && status?.state === "pending" && Boolean(status.reason),
  );
}

/** What the issuer, the requests, the orders and the challenges say that are not through. */
function explain(state: CertificateState): string {
  const lines: string[] = [];
  if (state.issuer !== undefined && !isTrueNow(state.issuer, "Ready")) {
    lines.push(`its issuer: ${notTrue(state.issuer)}`);
  }
  for (const request of state.requests ?? []) {
    if (!isTrueNow(request, "Ready")) {
      lines.push(`${nameOf("CertificateRequest", request)}: ${notTrue(request)}`);
    }
  }
  const acme = [
    ...(state.orders ?? []).map((order) => ["Order", order] as const),
    ...(state.challenges ?? []).map((challenge) => ["Challenge", challenge] as const),
  ];
  for (const [kind, object] of acme) {
    if (object.status?.state !== "valid") {
      lines.push(
        `${nameOf(kind, object)}: ${object.status?.state ?? "no state yet"}${object.status?.reason ? `, ${object.status.reason}` : ""}`,
      );
    }
  }
  return lines.length > 0 ? lines.join("; ") : "no request was made yet";
}
