/** How the keys that are held of a peer differ from the peer's own. Pure. */
import { BUNDLE_ANNOTATION, markedFetch, type TrustObject } from "../../components/bundle/bundleMark";
import { parseTrustBundle } from "../../components/bundle/trustBundle";
import { REFRESH_HINT } from "../../components/shared/arguments";
import { span } from "../kernel/times";
import {
  describeBundle,
  fingerprint,
  type HeldBundle,
  type JwtKey,
  sameJwtKey,
  short,
  type Signing,
  validRoots,
} from "../spire/bundle";
import { bundleOfJwks } from "../spire/endpointBundle";

/** A kind of keys in a bundle. */
export interface KeyKind<Key> {
  keys: (bundle: HeldBundle) => readonly Key[];
  /** Keys that can still verify something; JWT keys don't say when they end. */
  valid: (bundle: HeldBundle, now: Date) => readonly Key[];
  id: (key: Key) => string;
  same: (one: Key, other: Key) => boolean;
  /** Ids of keys, each of which verifies what the peer signs now; none when that isn't known. */
  signing: (signing: Signing) => readonly string[];
  /** Whether such keys come and go without a word: a root stays in its bundle until it has ended, and where a server starts. */
  comesAndGoes: boolean;
  describe: (bundle: HeldBundle) => string;
}

export const X509: KeyKind<Buffer> = {
  keys: ({ roots }) => roots,
  valid: validRoots,
  id: fingerprint,
  same: (one, other) => one.equals(other),
  signing: ({ x509 }) => x509,
  comesAndGoes: false,
  describe: describeBundle,
};

export const JWT: KeyKind<JwtKey> = {
  keys: ({ jwtKeys }) => jwtKeys,
  valid: ({ jwtKeys }) => jwtKeys,
  id: ({ id }) => id,
  same: sameJwtKey,
  signing: ({ jwt }) => jwt,
  comesAndGoes: true,
  describe: ({ jwtKeys }) => jwtKeys.map(({ id }) => short(id)).join(", ") || "none",
};

/** @returns what is held and still valid, what of the peer's is not held, and what is valid and not the peer's */
export function compareKeys<Key>(
  kind: KeyKind<Key>,
  held: HeldBundle,
  own: HeldBundle,
  now: Date,
): { valid: readonly Key[]; missing: Key[]; strange: Key[] } {
  const { keys, same } = kind;
  const notIn = (others: readonly Key[]) => (key: Key) => !others.some((other) => same(key, other));
  const valid = kind.valid(held, now);
  return { valid, missing: keys(own).filter(notIn(keys(held))), strange: valid.filter(notIn(keys(own))) };
}

/** Why a bundle's refresh hint is a danger: SPIRE knows no upper bound, and a key that was stolen is trusted until the next poll. */
export function hintFault({ refreshHint }: HeldBundle): string | undefined {
  if (refreshHint === undefined || refreshHint <= REFRESH_HINT.max) return undefined;
  return `its bundle asks SPIRE to look again within ${span(refreshHint * 1000)}; until then a revoked key is trusted`;
}

/**
 * Whether none of the roots that trust began with is held any more, though one of them has not ended. SPIRE keeps a root in
 * its bundle until a day after its end, so no rotation does that: the peer has revoked it, has lost its keys and begun
 * anew, or somebody else answers in its place. When all of them have ended, nothing can be said.
 *
 * @param object the ClusterFederatedTrustDomain, which keeps the first bundle
 * @returns undefined when the object is not as its stack made it, so that nobody knows its bundle to be the first
 */
export function sharesFirstRoots(object: TrustObject, held: HeldBundle, now: Date): boolean | "ended" | undefined {
  const { trustDomain = "", trustDomainBundle } = object.spec ?? {};
  if (object.metadata?.annotations?.[BUNDLE_ANNOTATION] === undefined || markedFetch(object) === undefined)
    return undefined;
  const parsed = parseTrustBundle(trustDomainBundle ?? "", trustDomain);
  if (Array.isArray(parsed)) return undefined;
  const first = validRoots(bundleOfJwks(trustDomain, parsed.jwks), now);
  if (first.length === 0) return "ended";
  return first.some((root) => held.roots.some((other) => other.equals(root)));
}
