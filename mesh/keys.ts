/** Keys of trust bundles: what they are called, which are still valid, and which are not the peer's. Pure. */
import { createHash, X509Certificate } from "node:crypto";
import type { HeldBundle, JwtKey } from "./spireServer";

/** SHA-256 in hexadecimal. */
export const fingerprint = (der: Buffer): string => createHash("sha256").update(der).digest("hex");

export function validRoots({ roots }: HeldBundle, now: Date): Buffer[] {
  return roots.filter((root) => now.getTime() < Date.parse(new X509Certificate(root).validTo));
}

/** Valid roots that are held of a peer and that the peer doesn't have. */
export function foreignRoots(held: HeldBundle, own: HeldBundle, now: Date): Buffer[] {
  return validRoots(held, now).filter((root) => !own.roots.some((theirs) => theirs.equals(root)));
}

/** JWT keys don't say when they expire, so that some that the peer no longer has are nothing: they count when all are. */
export function foreignJwtKeys(held: HeldBundle, own: HeldBundle): JwtKey[] {
  const foreign = held.jwtKeys.filter(({ publicKey }) => !own.jwtKeys.some((key) => key.publicKey.equals(publicKey)));
  return foreign.length === held.jwtKeys.length ? foreign : [];
}
