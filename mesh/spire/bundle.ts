/** Trust bundles, and their keys: what they are called, which are still valid, and which are not the peer's. Pure. */
import { createHash, X509Certificate } from "node:crypto";
import { counted } from "../kernel/text";

/** The bundle of a trust domain, as a SPIRE server holds it. */
export interface HeldBundle {
  trustDomain: string;
  /** X.509 roots, DER. */
  roots: Buffer[];
  jwtKeys: JwtKey[];
  /** Counts the changes of the bundle; undefined where nobody says it. Of a bundle that was polled SPIRE has 0: nothing is compared by it. */
  sequence?: number;
  /** Seconds within which the trust domain wants to be looked at again; undefined where nobody says it. */
  refreshHint?: number;
}

/** A key that JWT-SVIDs are verified with. */
export interface JwtKey {
  id: string;
  /** DER. */
  publicKey: Buffer;
}

/** The keys that a SPIRE server signs with now; others of its bundle are to come, or were. */
export interface Signing {
  /** SHA-256 of the root that vouches for its X.509-SVIDs; several that have the same key, or none when it isn't known. */
  x509: string[];
  /** `JwtKey.id`; none when the server has no active key. */
  jwt: string[];
}

/** SHA-256 in hexadecimal. */
export const fingerprint = (der: Buffer): string => createHash("sha256").update(der).digest("hex");

export function validRoots({ roots }: HeldBundle, now: Date): Buffer[] {
  return roots.filter((root) => now.getTime() < Date.parse(new X509Certificate(root).validTo));
}

/** Enough of a fingerprint to tell two apart by eye. */
export const short = (print: string): string => `${print.slice(0, 12)}…`;

/** `1 X.509 root 3f9a12ab…, 2 JWT keys, sequence 4`. */
export function describeBundle({ roots, jwtKeys, sequence }: HeldBundle): string {
  const prints = roots.map((root) => short(fingerprint(root))).join(", ");
  return [
    `${counted(roots.length, "X.509 root")} ${prints}`,
    counted(jwtKeys.length, "JWT key"),
    ...(sequence === undefined ? [] : [`sequence ${sequence}`]),
  ].join(", ");
}

/** The id alone proves nothing: anybody can give a key the id of another one. */
export const sameJwtKey = (one: JwtKey, other: JwtKey): boolean =>
  one.id === other.id && one.publicKey.equals(other.publicKey);
