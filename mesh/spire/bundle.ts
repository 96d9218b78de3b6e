/** Trust bundles, and their keys: what they are called, which are still valid, and which are not the peer's. Pure. */
import { createHash, X509Certificate } from "node:crypto";

/** The bundle of a trust domain, as a SPIRE server holds it. */
export interface HeldBundle {
  trustDomain: string;
  /** X.509 roots, DER. */
  roots: Buffer[];
  jwtKeys: JwtKey[];
  /** Counts the changes of the bundle; undefined where nobody says it. */
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

/** Valid roots that are held of a peer and that the peer doesn't have. */
export function foreignRoots(held: HeldBundle, own: HeldBundle, now: Date): Buffer[] {
  return validRoots(held, now).filter((root) => !own.roots.some((theirs) => theirs.equals(root)));
}

/** Whether the peer has changed its bundle since SPIRE fetched it last. */
export const isBehind = (held: HeldBundle, own: HeldBundle): boolean => (held.sequence ?? 0) < (own.sequence ?? 0);

/**
 * JWT keys that are held of a peer and that the peer doesn't have.
 *
 * JWT keys don't say when they expire. In a bundle that is behind they may be keys that the peer has given up, which the
 * next refresh takes away; there they count only when none is the peer's.
 */
export function foreignJwtKeys(held: HeldBundle, own: HeldBundle): JwtKey[] {
  const foreign = held.jwtKeys.filter((key) => !own.jwtKeys.some((other) => sameJwtKey(key, other)));
  return foreign.length === held.jwtKeys.length || !isBehind(held, own) ? foreign : [];
}

/** The id alone proves nothing: anybody can give a key the id of another one. */
export const sameJwtKey = (one: JwtKey, other: JwtKey): boolean =>
  one.id === other.id && one.publicKey.equals(other.publicKey);
