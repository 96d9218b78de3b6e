import type { ClusterReader, KubeObject } from "./cluster";
import { CERT_MANAGER_API, OPERAND_NAMESPACE } from "./names";

/** What cert-manager has asked an issuer for, and got. */
interface CertificateRequest extends KubeObject {
  status?: { certificate?: string; ca?: string };
}

/**
 * The CA certificates (PEM) that vouch for an issued Certificate, as its issuer has named them; undefined when it names
 * none, as ACME servers do.
 *
 * They are in the request that the certificate came from, so that the secret, which holds the key, is never read. The
 * requests go with their Certificate, and the secret stays: one that takes it up has none until its first renewal.
 */
export async function readIssuingCa(reader: ClusterReader, certificate: string): Promise<string | undefined> {
  const all = await reader.list<CertificateRequest>(CERT_MANAGER_API, "CertificateRequest", OPERAND_NAMESPACE);
  const issued = all.filter(
    ({ metadata, status }) =>
      metadata?.annotations?.["cert-manager.io/certificate-name"] === certificate && status?.certificate !== undefined,
  );
  const newest = issued.sort((a, b) => revision(b) - revision(a))[0];
  return newest?.status?.ca === undefined ? undefined : Buffer.from(newest.status.ca, "base64").toString();
}

function revision({ metadata }: KubeObject): number {
  return Number(metadata?.annotations?.["cert-manager.io/certificate-revision"] ?? 0);
}
