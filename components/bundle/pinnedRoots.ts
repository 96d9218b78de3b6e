import { problem, type Problem } from "../shared/problem";
import type { TrustBundle } from "./trustBundle";

/**
 * Roots that somebody has compared by another way, such as by telephone: trust begins with no other ones. Pure.
 *
 * @param pins SHA-256 in lower-case hexadecimal; undefined: nobody has
 */
export function judgePins(bundle: TrustBundle, pins: readonly string[] | undefined): Problem[] {
  const others = pins === undefined ? [] : bundle.fingerprints.filter((root) => !pins.includes(root));
  return others.length === 0
    ? []
    : problem(
        "fingerprints",
        `do not have root sha256 ${others.join(", ")} of the bundle; ask the peer's owner whether it is theirs, and add it if so`,
      );
}

/** The bundle, unless it has a root that is not pinned. */
export function pinned(bundle: TrustBundle | Problem[], pins: readonly string[] | undefined): TrustBundle | Problem[] {
  const faults = Array.isArray(bundle) ? [] : judgePins(bundle, pins);
  return faults.length > 0 ? faults : bundle;
}
