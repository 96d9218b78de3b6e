import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { CERT_MANAGER_API, OPERAND_NAMESPACE } from "../shared/names";

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

function revision({ metadata }: KubeObject): number {
  return Number(metadata?.annotations?.["cert-manager.io/certificate-revision"] ?? 0);
}
