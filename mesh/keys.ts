/** Keys of trust bundles: what they are called, which are still valid, and which are not the peer's. Pure. */
import { createHash, X509Certificate } from "node:crypto";
import type { HeldBundle, JwtKey } from "./spireServer";

/** SHA-256 in hexadecimal. */
export const fingerprint = (der: Buffer): string => createHash("sha256").update(der).digest("hex");

/** What a SPIRE server calls the authority of a root: SHA-1 of its public key, without the name of its algorithm (RFC 5280, 4.2.1.2). */
export function authorityId(root: Buffer): string {
  const [spki] = split(new X509Certificate(root).publicKey.export({ type: "spki", format: "der" }));
  const [, afterAlgorithm] = split(spki);
  const [bits] = split(afterAlgorithm);
  return createHash("sha1").update(bits.subarray(1)).digest("hex"); // without the count of unused bits
}

/** The content of the first DER element, and what comes after it. */
function split(der: Buffer): [content: Buffer, rest: Buffer] {
  const first = der[1] ?? 0;
  const digits = first < 0x80 ? 0 : first - 0x80;
  const begin = 2 + digits;
  const end = begin + (digits === 0 ? first : der.readUIntBE(2, digits));
  return [der.subarray(begin, end), der.subarray(end)];
}

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
