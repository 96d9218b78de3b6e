/** What the verdict of a member rests on in its peers: trust is worth as much as the endpoint that its keys come from. Pure. */
import type { Code } from "./check";
import { memberChecks } from "./checks/all";
import { healthOf, type VerifiedPeer } from "./verification";

/** The peer's endpoint is believed, and serves the peer's own keys. */
const ENDPOINT: readonly Code[] = ["MESH146", "MESH148"];

/** These checks, and all that they need. */
function withNeeds(codes: readonly Code[]): Set<Code> {
  const all = new Set<Code>();
  const add = (code: Code): void => {
    if (all.has(code)) return;
    all.add(code);
    memberChecks.find((check) => check.code === code)?.needs?.forEach(add);
  };
  codes.forEach(add);
  return all;
}

export const endpointCodes = withNeeds(ENDPOINT);

/** The peers in which such a check did not pass, each once, with these checks alone. */
export function restingOn(peers: readonly VerifiedPeer[]): VerifiedPeer[] {
  const found = new Map<string, VerifiedPeer>();
  for (const peer of peers) {
    const checks = peer.checks.filter(
      ({ code, state }) => endpointCodes.has(code) && (state === "failed" || state === "unknown"),
    );
    if (checks.length === 0) continue;
    found.set(JSON.stringify([peer.peer, checks]), { ...peer, checks, health: healthOf(checks) });
  }
  return [...found.values()];
}
