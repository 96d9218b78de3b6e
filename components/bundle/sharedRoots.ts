/**
 * Trust domains that have the same X.509 root, as clusters under one PKI do. Pure.
 *
 * That is allowed: SPIFFE verifies a certificate with the bundle of the trust domain that its ID names, and compares the
 * ID. But a root says nothing about trust domains, so a CA below it that issues for one can issue for the other.
 */
import { createHash, X509Certificate } from "node:crypto";

/** What vouches for a trust domain's X.509-SVIDs. */
export interface Roots {
  trustDomain: string;
  /** Certificates, PEM or DER. */
  roots: readonly (string | Buffer)[];
}

export interface SharedRoot {
  /** SHA-256 of the certificate in hexadecimal; of one of them when it was renewed with the same key. */
  root: string;
  /** Two at least, in the order in which they were given. */
  trustDomains: string[];
}

/** Roots with the same key are the same root. Those that have expired vouch for nothing. */
export function sharedRoots(all: readonly Roots[], now: Date): SharedRoot[] {
  const byKey = new Map<string, SharedRoot>();
  for (const { trustDomain, roots } of all) {
    for (const certificate of roots.map((root) => new X509Certificate(root))) {
      if (Date.parse(certificate.validTo) <= now.getTime()) continue;
      const key = certificate.publicKey.export({ type: "spki", format: "der" }).toString("base64");
      const root = byKey.get(key) ?? { root: fingerprint(certificate), trustDomains: [] };
      if (!root.trustDomains.includes(trustDomain)) root.trustDomains.push(trustDomain);
      byKey.set(key, root);
    }
  }
  return [...byKey.values()].filter(({ trustDomains }) => trustDomains.length > 1);
}

export const describeSharedRoot = ({ root, trustDomains }: SharedRoot): string =>
  `${trustDomains.join(", ")} have the same X.509 root (sha256 ${root}): whoever can issue certificates below it can speak ` +
  "for each of them";

/** What to do about it. */
export const SHARED_ROOT_ADVICE =
  "Workloads still tell them apart as SPIFFE demands: by the exact SPIFFE ID, verified with the bundle of its trust domain. " +
  "Where one must not be able to speak for the other, give each trust domain a root of its own";

function fingerprint({ raw }: X509Certificate): string {
  return createHash("sha256").update(raw).digest("hex");
}
