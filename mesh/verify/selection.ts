/** Only the pairs and checks that somebody has asked for. Pure. */
import { UsageError } from "../kernel/exit";
import { fromId, means } from "../members/identity";
import type { MeshMember } from "../members/members";
import type { Code, Outcome } from "./check";
import { memberChecks, pairChecks } from "./checks/all";
import { outsideChecks } from "./checks/outsideChecks";
import { probeMemberChecks, probePairChecks } from "./checks/probeChecks";
import { precheckChecks } from "./precheck";
import { healthOf, type Verification } from "./verification";

export interface Selection {
  /** Labels of the peers of the pairs; none for all. */
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

/**
 * @param asked what the command line says
 * @param members those whose pairs are judged
 * @returns what the peers are called in the verification
 * @throws UsageError for somebody who is no peer of any of them
 */
export function peersNamed(asked: readonly string[], members: readonly MeshMember[]): string[] {
  const peers = members.flatMap(({ config, labels }) =>
    config.peers.map(({ id, publication }) => ({
      label: labels[id] ?? id,
      stack: publication ? undefined : fromId(id),
    })),
  );
  const labelsOf = (text: string): string[] =>
    peers.flatMap(({ label, stack }) => (label === text || (stack !== undefined && means(text, stack)) ? [label] : []));
  const unknown = asked.filter((text) => labelsOf(text).length === 0);
  if (unknown.length > 0) {
    const known = [...new Set(peers.map(({ label }) => label))].sort().join(", ");
    throw new UsageError(`${unknown.join(", ")}: no such peer; there are ${known || "none"}`);
  }
  return [...new Set(asked.flatMap(labelsOf))];
}

/** @throws UsageError for checks that such a run does not ask */
export function refuseUnasked(
  codes: readonly Code[],
  { precheck, probe }: { precheck: boolean; probe: boolean },
): void {
  const ofProbe = [...probeMemberChecks, ...probePairChecks];
  const usual = [...memberChecks, ...pairChecks, ...outsideChecks, ...(probe ? ofProbe : [])];
  const asked: readonly { code: Code }[] = precheck ? precheckChecks : usual;
  const has = (checks: readonly { code: Code }[], code: Code): boolean => checks.some((one) => one.code === code);
  const faults = codes
    .filter((code) => !has(asked, code))
    .map((code) => {
      if (precheck) return `${code} is not asked by precheck`;
      return `${code} is asked only by ${has(ofProbe, code) ? "--probe" : "precheck"}`;
    });
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
}
