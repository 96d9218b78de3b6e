import { X509Certificate, type JsonWebKey } from "node:crypto";
import { problem, type Problem } from "../shared/problem";
import { isObject } from "../shared/untyped";
import { uriNames } from "./x509Extensions";

/**
 * What a SPIFFE trust bundle must be before SPIRE is told to trust it.
 *
 * SPIRE checks none of this when a bundle is set by a ClusterFederatedTrustDomain: a bundle of another trust domain is
 * taken as it is, so it is refused here. Pure: text in, bundle or problems out.
 */

/** A bundle that may be trusted. */
export interface TrustBundle {
  /** The JWKS with its keys whole, in one form: the same bundle always gives the same text. */
  jwks: string;
  /** SHA-256 of each X.509 root in hexadecimal, in the order of the bundle. */
  fingerprints: string[];
  /** The same roots in PEM. */
  roots: string[];
}

type Key = Record<string, unknown>;

/** Members of a JWK that are private (RFC 7518 §6); `k` is a symmetric key. */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "k", "oth"];

/** Bundles are some kilobytes. */
export const MOST_BYTES = 1_048_576;
/** A bundle has a root and a key or two for each CA that is in use; each key costs every agent that gets the bundle. */
const MOST_KEYS = 500;

/**
 * Checks a bundle, all problems at once.
 *
 * @param text the JWKS as the endpoint serves it
 * @param trustDomain whose it must be
 * @param now when it was fetched; expiry is judged at that moment, so that the verdict on a stored bundle never changes.
 *   Undefined: expiry is not judged
 */
export function parseTrustBundle(text: string, trustDomain: string, now?: Date): TrustBundle | Problem[] {
  if (Buffer.byteLength(text) > MOST_BYTES) {
    return problem("bundle", `is larger than ${MOST_BYTES} bytes; it is some kilobytes`);
  }
  const keys = readKeys(text);
  if (keys === undefined) {
    return problem("bundle", 'is not a JWKS; the endpoint serves {"keys": […]}');
  }
  const twice = repeatedMember(text);
  if (twice !== undefined) {
    return problem(
      "bundle",
      `has a member "${printable(twice)}" twice in one object; readers differ in which of them counts`,
    );
  }
  const alias = aliasOfKeys(text);
  if (alias !== undefined) {
    return problem("bundle", `has a member "${printable(alias)}" beside "keys"; SPIRE may take the one for the other`);
  }
  if (keys.length === 0) {
    return problem("bundle.keys", "is empty; a bundle has one x509-svid key at least");
  }
  if (keys.length > MOST_KEYS) {
    return problem("bundle.keys", `has ${keys.length} keys; at most ${MOST_KEYS} are taken`);
  }
  const roots: X509Certificate[] = [];
  const problems = keys.flatMap((key, index) => {
    const path = `bundle.keys[${index}]`;
    if (!isObject(key)) {
      return problem(path, "is not a JWK; it is an object");
    }
    if (key["use"] === "x509-svid") {
      return [...checkNotPrivate(path, key), ...checkRoot(path, key, trustDomain, roots)];
    }
    return [...checkNotPrivate(path, key), ...checkJwtKey(path, key)];
  });
  problems.push(...checkTwins(keys));
  if (problems.length === 0) {
    problems.push(...checkValidity(roots, now));
  }
  return problems.length > 0
    ? problems
    : {
        jwks: canonical(JSON.parse(text)),
        fingerprints: roots.map((root) => fingerprint(root)),
        roots: roots.map(String),
      };
}

/** A bundle of X.509 roots alone, from PEM certificates. It is to be checked as any other. */
export function bundleFromCertificates(certificates: readonly string[]): string {
  const keys = certificates.map((pem) => {
    const certificate = new X509Certificate(pem);
    return { ...jwkOf(certificate), use: "x509-svid", x5c: [certificate.raw.toString("base64")] };
  });
  return canonical({ keys });
}

function readKeys(text: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) && Array.isArray(parsed["keys"]) ? (parsed["keys"] as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

/** SPIRE's JSON reader does not heed case, nor the difference of ſ and s, of \u212a and k; of two such members it takes the last. */
function aliasOfKeys(text: string): string | undefined {
  const names = Object.keys(JSON.parse(text) as object);
  return names.find((name) => name !== "keys" && name.toLowerCase().toUpperCase() === "KEYS");
}

/** The first name that an object of this valid JSON has twice, at whatever depth and however it is escaped. */
function repeatedMember(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[{}[\]]/g)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token.endsWith(":")) {
      const name = JSON.parse(token.slice(0, -1)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}

function checkNotPrivate(path: string, key: Key): Problem[] {
  const found = PRIVATE_MEMBERS.filter((member) => member in key);
  return found.length === 0
    ? []
    : problem(
        path,
        `carries private key material (${found.join(", ")}); a bundle has public keys alone, and this one must be replaced where it came from`,
      );
}

/**
 * A root of X.509-SVIDs: one CA certificate, whose key is the JWK's, and which is not another trust domain's.
 *
 * SPIRE gives a root that it signs itself the trust domain's name. The root of an upstream CA has no such name: nothing in
 * it says whose it is.
 */
function checkRoot(path: string, key: Key, trustDomain: string, roots: X509Certificate[]): Problem[] {
  const x5c: unknown = key["x5c"];
  const [encoded, ...rest] = Array.isArray(x5c) ? (x5c as unknown[]) : [];
  if (typeof encoded !== "string" || rest.length > 0) {
    return problem(`${path}.x5c`, "is not one certificate; an x509-svid key has exactly one, in base64");
  }
  const certificate = readCertificate(encoded);
  if (certificate === undefined) {
    return problem(`${path}.x5c`, "cannot be read; it is the base64 of an X.509 certificate in DER");
  }
  roots.push(certificate.x509);
  const problems: Problem[] = [];
  const { jwk } = certificate;
  if (jwk === undefined) {
    problems.push(
      ...problem(`${path}.x5c`, "has a key of a kind that no JWK can have; use RSA, EC P-256, P-384 or P-521"),
    );
  } else if (["kty", "crv", "n", "e", "x", "y"].some((member) => jwk[member] !== key[member])) {
    problems.push(...problem(path, "has another key than its certificate; the two are the same key"));
  }
  if (!certificate.x509.ca) {
    problems.push(...problem(`${path}.x5c`, "is not a CA's certificate; a root signs SVIDs"));
  }
  const own = `spiffe://${trustDomain}`;
  const foreign = certificate.uris.filter((uri) => /^spiffe:/i.test(uri) && uri !== own);
  if (foreign.length > 0) {
    problems.push(
      ...problem(`${path}.x5c`, `is of ${foreign.map(printable).join(" and ")}; the bundle must be of ${own}`),
    );
  }
  return problems;
}

/** A key that signs JWT-SVIDs is found by its `kid`. Keys of a use that SPIFFE doesn't name are passed on unread. */
function checkJwtKey(path: string, key: Key): Problem[] {
  const kid = key["kid"];
  return key["use"] === "jwt-svid" && (typeof kid !== "string" || kid === "")
    ? problem(`${path}.kid`, "is missing; a jwt-svid key is found by it")
    : [];
}

/** Of two keys with one name SPIRE takes either: a JWT key is named by its `kid`, a root by its certificate. */
function checkTwins(keys: readonly unknown[]): Problem[] {
  const first = new Map<string, number>();
  return keys.flatMap((key, index) => {
    if (!isObject(key)) return [];
    const { use, kid, x5c } = key;
    const name = use === "jwt-svid" ? kid : use === "x509-svid" ? JSON.stringify(x5c) : undefined;
    if (typeof name !== "string") return [];
    const named = `${String(use)} ${name}`;
    const before = first.get(named);
    if (before === undefined) {
      first.set(named, index);
      return [];
    }
    const what = use === "jwt-svid" ? "kid" : "certificate";
    return problem(`bundle.keys[${index}]`, `has the same ${what} as bundle.keys[${before}]; each key is there once`);
  });
}

/**
 * One root must be valid. Others may have expired: SPIRE goes on serving a root for 24 hours after its end, so a server
 * that has rotated its CA always serves one.
 */
function checkValidity(roots: readonly X509Certificate[], now: Date | undefined): Problem[] {
  if (roots.length === 0) {
    return problem("bundle.keys", "has no x509-svid key; without a root no SVID of the peer can be verified");
  }
  if (now === undefined) return [];
  const valid = roots.some(
    (root) => Date.parse(root.validFrom) <= now.getTime() && now.getTime() < Date.parse(root.validTo),
  );
  const spans = roots.map((root) => `${iso(root.validFrom)} to ${iso(root.validTo)}`).join(", ");
  return valid
    ? []
    : problem(
        "bundle.keys",
        `has no root that is valid at ${now.toISOString()} (${spans}); check the peer's SPIRE server and the clocks`,
      );
}

interface RootCertificate {
  x509: X509Certificate;
  uris: string[];
  /** Undefined when its key is of a kind that JWKs don't have. */
  jwk: Key | undefined;
}

function readCertificate(base64: string): RootCertificate | undefined {
  try {
    const der = Buffer.from(base64, "base64");
    const x509 = new X509Certificate(der);
    // Node also takes PEM, and DER with something after it; SPIRE takes neither.
    if (!x509.raw.equals(der)) return undefined;
    return { x509, uris: uriNames(x509.raw), jwk: jwkOf(x509) };
  } catch {
    return undefined;
  }
}

function jwkOf(certificate: X509Certificate): Key | undefined {
  try {
    return publicJwk(certificate);
  } catch {
    return undefined;
  }
}

function publicJwk(certificate: X509Certificate): JsonWebKey {
  return certificate.publicKey.export({ format: "jwk" });
}

/** A name as it stands, except characters that a terminal would act on. */
const printable = (name: string): string => JSON.stringify(name).slice(1, -1);

function fingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

function iso(date: string): string {
  return new Date(date).toISOString();
}

/** JSON without spaces and with sorted members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}
