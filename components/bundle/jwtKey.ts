/** A key that JWT-SVIDs are verified with, read so that SPIRE (Go) and Node see the same key. Pure. */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { problem, type Problem } from "../shared/problem";

/** A JWT key of a bundle. */
export interface ReadJwtKey {
  /** Its `kid`. */
  id: string;
  /** The members that make the key, in the one form that Node writes. */
  jwk: JsonWebKey;
  /** SHA-256 of its SubjectPublicKeyInfo (DER) in hexadecimal. */
  fingerprint: string;
}

/** The members that make a key (RFC 7518 §6), by `kty`. JWT-SVIDs are signed with RSA or EC alone. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = { EC: ["crv", "x", "y"], RSA: ["n", "e"] };
const CURVES = ["P-256", "P-384", "P-521"];

/** RFC 7518 §3.3 forbids less; Go's TLS takes no more than 8192. */
const MODULUS = { min: 2048, max: 8192 };
/** go-jose keeps an exponent in an int, which a larger one would overflow. */
const MOST_EXPONENT = 2n ** 31n - 1n;

const KINDS = "use RSA of 2048 to 8192 bits, or EC P-256, P-384 or P-521";

/** SHA-256 in hexadecimal. */
export const fingerprintOf = (der: Buffer): string => createHash("sha256").update(der).digest("hex");

/** The key, or what is wrong with it. */
export function jwtKeyOf(path: string, key: Readonly<Record<string, unknown>>): ReadJwtKey | Problem[] {
  const id = key["kid"];
  if (typeof id !== "string" || id === "") return problem(`${path}.kid`, "is missing; a jwt-svid key is found by it");
  // Go writes another character for each half of a pair, so that two ids become one.
  if (!isWellFormed(id)) return problem(`${path}.kid`, "is not valid Unicode");
  const { kty } = key;
  const members = typeof kty === "string" && Object.hasOwn(MEMBERS, kty) ? MEMBERS[kty] : undefined;
  if (members === undefined) return problem(`${path}.kty`, `is not a kind of key that signs JWT-SVIDs; ${KINDS}`);
  const material = Object.fromEntries(members.map((member) => [member, key[member]]));
  const read = readKey({ kty, ...material } as JsonWebKey);
  if (read === undefined || !isTaken(read)) {
    return problem(path, `is not a public key with ${members.join(", ")}; ${KINDS}`);
  }
  return {
    id,
    jwk: read.export({ format: "jwk" }),
    fingerprint: fingerprintOf(read.export({ type: "spki", format: "der" })),
  };
}

const isWellFormed = (text: string): boolean => Buffer.from(text, "utf8").toString("utf8") === text;

function readKey(key: JsonWebKey): KeyObject | undefined {
  const { kty, ...material } = key;
  const isText = Object.values(material).every((value) => typeof value === "string" && /^[A-Za-z0-9_-]+$/.test(value));
  if (!isText || (kty === "EC" && !CURVES.includes(key.crv ?? ""))) return undefined;
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch {
    return undefined;
  }
}

function isTaken({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): boolean {
  if (asymmetricKeyType === "ec") return true;
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails;
  const isExponent = publicExponent >= 3n && publicExponent <= MOST_EXPONENT && publicExponent % 2n === 1n;
  return modulusLength >= MODULUS.min && modulusLength <= MODULUS.max && isExponent;
}
