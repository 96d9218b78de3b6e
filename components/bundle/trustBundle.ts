import { type JsonWebKey, X509Certificate } from "node:crypto";
import { problem, type Problem } from "../shared/problem";
import { isObject } from "../shared/untyped";
import { fingerprintOf, jwtKeyOf } from "./jwtKey";
import { uriNames } from "./x509Extensions";

/**
 * What a SPIFFE trust bundle must be before SPIRE is told to trust it.
 *
 * SPIRE checks none of this when a bundle is set by a ClusterFederatedTrustDomain: a bundle of another trust domain is
 * taken as it is, so it is refused here. What SPIRE gets is written anew, from the members that are checked here and no
 * others: so nothing enters that a second reader could read in another way. Pure: text in, bundle or problems out.
 */

/** A bundle that may be trusted. */
export interface TrustBundle {
  /** The JWKS in one form: the same keys always give the same text. */
  jwks: string;
  /** SHA-256 of each X.509 root in hexadecimal, in the order of the bundle. */
  fingerprints: string[];
  /** The same roots in PEM. */
  roots: string[];
  /** The keys that JWT-SVIDs are verified with, in the order of the bundle. */
  jwtKeys: TrustedJwtKey[];
}

/** A key that JWT-SVIDs are verified with. */
export interface TrustedJwtKey {
  /** Its `kid`. */
  id: string;
  /** SHA-256 of its SubjectPublicKeyInfo (DER) in hexadecimal. */
  fingerprint: string;
}

type Key = Record<string, unknown>;

/** Members of a JWK that are private (RFC 7518 §6); `k` is a symmetric key. */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "k", "oth"];

/** Bundles are some kilobytes. */
export const MOST_BYTES = 1_048_576;
/** A bundle has a root and a key or two for each CA that is in use; each key costs every agent that gets the bundle. */
const MOST_KEYS = 500;
/** A bundle is four deep. */
const MOST_DEPTH = 20;
/** SPIRE asks again after a quarter of it, and knows no upper bound: a hint of years would keep a stolen key trusted. */
const HINT = { min: 60, max: 3600 } as const;

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
  if (isDeeper(text, MOST_DEPTH)) {
    return problem("bundle", `is nested more than ${MOST_DEPTH} deep; a JWKS is four deep`);
  }
  const read = readJwks(text);
  if (read === undefined) {
    return problem("bundle", 'is not a JWKS; the endpoint serves {"keys": […]}');
  }
  const { keys } = read;
  if (keys.length === 0) {
    return problem("bundle.keys", "is empty; a bundle has one x509-svid key at least");
  }
  if (keys.length > MOST_KEYS) {
    return problem("bundle.keys", `has ${keys.length} keys; at most ${MOST_KEYS} are taken`);
  }
  const problems = checkNumbers(read);
  const roots: X509Certificate[] = [];
  const jwtKeys: TrustedJwtKey[] = [];
  const written: Key[] = [];
  const first = new Map<string, number>();
  keys.forEach((key, index) => {
    const path = `bundle.keys[${index}]`;
    if (!isObject(key)) {
      problems.push(...problem(path, "is not a JWK; it is an object"));
      return;
    }
    const before = problems.length;
    problems.push(...checkNotPrivate(path, key));
    if (key["use"] === "x509-svid") {
      const { x509, jwk, problems: found } = checkRoot(path, key, trustDomain);
      problems.push(...found);
      if (x509 === undefined) return;
      roots.push(x509);
      problems.push(...checkTwin(first, `certificate ${x509.fingerprint256}`, index));
      if (problems.length === before) written.push({ ...jwk, use: "x509-svid", x5c: [x509.raw.toString("base64")] });
    } else if (key["use"] === "jwt-svid") {
      const read = jwtKeyOf(path, key);
      if (Array.isArray(read)) {
        problems.push(...read);
        return;
      }
      problems.push(...checkTwin(first, `kid ${read.id}`, index));
      jwtKeys.push({ id: read.id, fingerprint: read.fingerprint });
      if (problems.length === before) written.push({ ...read.jwk, use: "jwt-svid", kid: read.id });
    }
    // Keys of another use are not SPIRE's: they do not enter.
  });
  if (problems.length === 0) {
    problems.push(...checkValidity(roots, now));
  }
  if (problems.length > 0) return problems;
  const { spiffe_sequence, spiffe_refresh_hint } = read;
  return {
    jwks: canonical({ keys: written, spiffe_sequence, spiffe_refresh_hint }),
    fingerprints: roots.map((root) => fingerprintOf(root.raw)),
    roots: roots.map(String),
    jwtKeys,
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

interface Jwks {
  keys: unknown[];
  spiffe_sequence?: unknown;
  spiffe_refresh_hint?: unknown;
}

function readJwks(text: string): Jwks | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) && Array.isArray(parsed["keys"]) ? (parsed as unknown as Jwks) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether text that may be JSON has so many brackets open at once. */
function isDeeper(text: string, most: number): boolean {
  let open = 0;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g)) {
    if (token === "{" || token === "[") open += 1;
    else if (token === "}" || token === "]") open -= 1;
    if (open > most) return true;
  }
  return false;
}

/** SPIRE reads the sequence as 64 bits, and JavaScript keeps 53 of them. */
function checkNumbers({ spiffe_sequence: sequence, spiffe_refresh_hint: hint }: Jwks): Problem[] {
  const isSequence = sequence === undefined || (Number.isSafeInteger(sequence) && (sequence as number) >= 0);
  const isHint =
    hint === undefined || (Number.isInteger(hint) && (hint as number) >= HINT.min && (hint as number) <= HINT.max);
  return [
    ...(isSequence ? [] : problem("bundle.spiffe_sequence", "is not allowed; expected a whole number below 2^53")),
    ...(isHint
      ? []
      : problem(
          "bundle.spiffe_refresh_hint",
          `is not allowed; expected ${HINT.min} to ${HINT.max} seconds, which the peer's owner sets as its refresh hint`,
        )),
  ];
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
function checkRoot(path: string, key: Key, trustDomain: string): Partial<RootCertificate> & { problems: Problem[] } {
  const x5c: unknown = key["x5c"];
  const [encoded, ...rest] = Array.isArray(x5c) ? (x5c as unknown[]) : [];
  if (typeof encoded !== "string" || rest.length > 0) {
    return {
      problems: problem(`${path}.x5c`, "is not one certificate; an x509-svid key has exactly one, in base64"),
    };
  }
  const certificate = readCertificate(encoded);
  if (certificate === undefined) {
    return { problems: problem(`${path}.x5c`, "cannot be read; it is the base64 of an X.509 certificate in DER") };
  }
  const problems: Problem[] = [];
  const { jwk } = certificate;
  if (jwk === undefined) {
    problems.push(
      ...problem(`${path}.x5c`, "has a key of a kind that no JWK can have; use RSA, EC P-256, P-384 or P-521"),
    );
  } else if (["kty", "crv", "n", "e", "x", "y"].some((member) => jwk[member] !== key[member])) {
    problems.push(...problem(path, "its key differs from its certificate's key; they must be equal"));
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
  return { ...certificate, problems };
}

/** Of two keys with one name SPIRE takes either: a JWT key is named by its `kid`, a root by its certificate. */
function checkTwin(first: Map<string, number>, name: string, index: number): Problem[] {
  const before = first.get(name);
  if (before === undefined) {
    first.set(name, index);
    return [];
  }
  const [what = ""] = name.split(" ");
  return problem(`bundle.keys[${index}]`, `has the same ${what} as bundle.keys[${before}]; each key is there once`);
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
    // OpenSSL shows a time that is none, which Go refuses.
    if ([x509.validFrom, x509.validTo].some((time) => Number.isNaN(Date.parse(time)))) return undefined;
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

function iso(date: string): string {
  return new Date(date).toISOString();
}

/** JSON without spaces and with sorted members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}
