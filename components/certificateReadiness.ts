import type { ClusterReader, KubeObject } from "./cluster";
import { condition, describe, isTrueNow, nameOf, notTrue, type Conditioned } from "./conditions";
import { CERT_MANAGER_API, OPERAND_NAMESPACE } from "./names";
import { failed, ready, waiting, type Verdict } from "./readiness";

const ACME_API = "acme.cert-manager.io/v1";
/** What belongs to which Certificate. */
const CERTIFICATE_NAME = "cert-manager.io/certificate-name";
/** cert-manager may still show the failure of the attempt before. */
const SETTLE_SECONDS = 15;

/** Order or Challenge of ACME. */
interface AcmeObject extends KubeObject {
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

/** Where a Certificate's issuer is. */
export interface IssuerReference {
  kind: "Issuer" | "ClusterIssuer";
  name: string;
}

export async function lookAtCertificate(
  reader: ClusterReader,
  name: string,
  issuer: IssuerReference,
): Promise<Verdict> {
  const namespace = issuer.kind === "Issuer" ? OPERAND_NAMESPACE : undefined;
  const [certificate, found] = await Promise.all([
    reader.get<Conditioned>(CERT_MANAGER_API, "Certificate", name, OPERAND_NAMESPACE),
    reader.get<Conditioned>(CERT_MANAGER_API, issuer.kind, issuer.name, namespace),
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
  );
}

/** A certificate outlives a broken issuer until its renewal, weeks later: so the issuer counts, too. */
function bothReady(certificate: Conditioned | undefined, issuer: Conditioned | undefined): boolean {
  return [certificate, issuer].every((object) => object !== undefined && isTrueNow(object, "Ready"));
}

/** Whether the certificate is issued and can be renewed; if not, the object nearest to the cause says why. */
export function certificateReadiness(name: string, state: CertificateState, issuer: IssuerReference): Verdict {
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
  if (issuing?.status === "False" && issuing.reason === "Failed") {
    // cert-manager waits an hour before it tries again; nobody should wait with it.
    const cure = `put right what it says, then "cmctl renew ${name} -n ${OPERAND_NAMESPACE}" tries again at once`;
    return failed(`${describe(issuing)}; ${details}; ${cure}`, SETTLE_SECONDS);
  }
  if (condition(state.issuer, "Ready")?.status === "False") {
    const why = "until it is ready nothing is issued or renewed";
    return failed(`${issuer.kind} ${issuer.name}: ${notTrue(state.issuer)}; ${why}`, SETTLE_SECONDS);
  }
  return waiting(`${notTrue(certificate)}; ${details}`);
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
