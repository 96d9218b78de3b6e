/** Only the pairs and checks that somebody has asked for. Pure. */
import type { Outcome } from "./check";
import { healthOf, type Verification } from "./verification";

export interface Selection {
  /** Peers of the pairs; none for all. */
  peers: readonly string[];
  /** Codes of checks; none for all. */
  codes: readonly string[];
}

/** Health, and with it the exit code, is that of what is left. */
export function selected(seen: Verification, { peers, codes }: Selection): Verification {
  const only = <T extends { checks: Outcome[] }>(list: readonly T[]): T[] =>
    list.map((one) => {
      const checks = one.checks.filter(({ code }) => codes.length === 0 || codes.includes(code));
      return { ...one, checks, health: healthOf(checks) };
    });
  const named = ({ peer }: { peer: string }): boolean => peers.length === 0 || peers.includes(peer);
  return {
    ...seen,
    members: only(seen.members),
    pairs: only(seen.pairs.filter(named)),
    peers: only(seen.peers.filter(named)),
  };
}
