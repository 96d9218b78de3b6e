import { accessFlags } from "../cluster/access";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { CERT_MANAGER_API, OPERAND_NAMESPACE } from "../shared/names";
import { word } from "../shared/shell";
import { readIssuer } from "./certificateReadiness";
import type { IssuerReference } from "./issuer";

/** What cert-manager has asked an issuer for, and got. */
interface CertificateRequest extends KubeObject {
  status?: { certificate?: string; ca?: string };
}

/** A certificate as its issuer gave it, in PEM. */
export interface Issued {
  certificate: string;
  /** CA certificates that vouch for it, when the issuer names them; ACME servers don't. */
  ca: string | undefined;
}

/**
 * The newest certificate that was issued for a Certificate; undefined when there is none.
 *
 * It is in the request that it came from, so that the secret, which holds the key, is never read. The requests go with
 * their Certificate, and the secret stays: one that takes it up has none until its first renewal.
 */
export async function readIssued(reader: ClusterReader, certificate: string): Promise<Issued | undefined> {
  const all = await reader.list<CertificateRequest>(CERT_MANAGER_API, "CertificateRequest", OPERAND_NAMESPACE);
  const issued = all.filter(
    ({ metadata, status }) =>
      metadata?.annotations?.["cert-manager.io/certificate-name"] === certificate && status?.certificate !== undefined,
  );
  const newest = issued.sort((a, b) => revision(b) - revision(a))[0]?.status;
  const decode = (base64: string): string => Buffer.from(base64, "base64").toString();
  return newest?.certificate === undefined
    ? undefined
    : { certificate: decode(newest.certificate), ca: newest.ca === undefined ? undefined : decode(newest.ca) };
}

/**
 * The CA certificates (PEM) that vouch for an issued Certificate, as its issuer has named them; undefined where it names none.
 *
 * @param unknown what to give where the request is gone and with it what the issuer has named
 * @throws Error without that: peers would stop trusting the endpoint if its CA were taken for none
 */
export async function readIssuingCa(
  reader: ClusterReader,
  certificate: string,
  issuer: IssuerReference,
  unknown?: string,
): Promise<string | undefined> {
  const issued = await readIssued(reader, certificate);
  if (issued !== undefined) return issued.ca;
  const { spec } = (await readIssuer<KubeObject & { spec?: { acme?: object } }>(reader, issuer)) ?? {};
  if (spec?.acme !== undefined) return undefined; // an ACME server names none
  if (unknown !== undefined) return unknown;
  const renew = `cmctl ${accessFlags(reader.access)}renew ${word(certificate)} -n ${OPERAND_NAMESPACE}`;
  throw new Error(
    `Certificate ${certificate}: the CertificateRequest that it was issued by is gone, and with it the CA that peers have to ` +
      `trust. Have it issued again, then run the up again: ${renew}`,
  );
}

function revision({ metadata }: KubeObject): number {
  return Number(metadata?.annotations?.["cert-manager.io/certificate-revision"] ?? 0);
}
