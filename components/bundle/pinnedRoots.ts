import { problem, type Problem } from "../shared/problem";
import type { Peer } from "./peer";
import type { TrustBundle } from "./trustBundle";

/**
 * Keys that somebody has compared by another way, such as by telephone: trust begins with no other ones. A JWT key counts as
 * a root does: who signs with it speaks for every workload of the trust domain. Pure.
 *
 * @param pins SHA-256 in lower-case hexadecimal, of roots and of JWT keys; undefined: nobody has compared anything
 */
export function judgePins(bundle: TrustBundle, pins: readonly string[] | undefined): Problem[] {
  const others = keysBeside(bundle, pins);
  return others === ""
    ? []
    : problem(
        "fingerprints",
        `lack keys of the bundle: ${others}; ask the peer's owner whether they are theirs, and add each sha256 if so`,
      );
}

/** The bundle, unless it has a key that is not pinned, or that nobody has approved. */
export function pinned(
  bundle: TrustBundle | Problem[],
  { fingerprints, approvedKeys }: Pick<Peer, "fingerprints" | "approvedKeys">,
): TrustBundle | Problem[] {
  if (Array.isArray(bundle)) return bundle;
  const others = keysBeside(bundle, approvedKeys);
  const faults = [
    ...judgePins(bundle, fingerprints),
    ...(others === "" ? [] : problem("keys", `are not those of the approved plan: ${others}`)),
  ];
  return faults.length > 0 ? faults : bundle;
}

/** The keys of the bundle that are not in the list, in words. */
const keysBeside = (bundle: TrustBundle, list: readonly string[] | undefined): string =>
  keysOf(bundle)
    .filter(({ fingerprint }) => list?.includes(fingerprint) === false)
    .map(describeKey)
    .join(", ");

/** A key of a bundle, as a person compares it. */
export interface ShownKey {
  use: "x509-svid" | "jwt-svid";
  /** The `kid` of a JWT key. */
  id?: string;
  /** SHA-256 in hexadecimal: of a root's certificate, of a JWT key's SubjectPublicKeyInfo. */
  fingerprint: string;
}

/** All keys of the bundle: the roots, then the JWT keys. */
export const keysOf = ({ fingerprints, jwtKeys }: Pick<TrustBundle, "fingerprints" | "jwtKeys">): ShownKey[] => [
  ...fingerprints.map((fingerprint) => ({ use: "x509-svid" as const, fingerprint })),
  ...jwtKeys.map(({ id, fingerprint }) => ({ use: "jwt-svid" as const, id, fingerprint })),
];

/** `root sha256 …` or `JWT key "…" sha256 …`; an id is the peer's own words, so it is escaped. */
export const describeKey = ({ id, fingerprint }: ShownKey): string =>
  id === undefined ? `root sha256 ${fingerprint}` : `JWT key ${JSON.stringify(id)} sha256 ${fingerprint}`;
