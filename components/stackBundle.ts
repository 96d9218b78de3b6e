/**
 * The first bundle of a peer, as the peer's own stack publishes it: that stack has read the roots from its own cluster.
 *
 * Whoever can write the state of the peer's stack then decides with which roots trust in the peer begins. Pure.
 */
import { splitPem } from "./arguments";
import type { Peer } from "./peer";
import { explain } from "./problem";
import { bundleFromCertificates, parseTrustBundle, type TrustBundle } from "./trustBundle";

/** Where the first bundle of a peer comes from. */
export const Bootstrap = {
  /** The peer's bundle endpoint. */
  Endpoint: "endpoint",
  /** The outputs of the peer's stack. */
  Stack: "stack",
} as const;
export type Bootstrap = (typeof Bootstrap)[keyof typeof Bootstrap];

/** With https_spiffe always from the stack: only a SPIRE server can verify that endpoint, and only with these roots. */
export const isFromStack = ({ profile }: Peer, bootstrap: Bootstrap = "endpoint"): boolean =>
  bootstrap === "stack" || profile === "https_spiffe";

/** The bundle, judged by the rules for one that an endpoint serves, or why trust must not begin with it. */
export function stackBundle(peer: Peer, now: Date): TrustBundle | { fault: string } {
  const about = `stack "${peer.stack}" publishes`;
  const again = "run pulumi up there, then here again";
  const roots = peer.profile === "https_spiffe" ? peer.caCertificates : peer.roots;
  if (roots === undefined) {
    const cure = `there set probe to cluster or bootstrap to stack, ${again}`;
    return { fault: `${about} no bundle, which bootstrap: stack takes from it; ${cure}` };
  }
  const bundle = parseTrustBundle(bundleFromCertificates(splitPem(roots)), peer.trustDomain, now);
  return Array.isArray(bundle)
    ? { fault: `${about} a bundle that must not be trusted, as of its last up: ${explain(bundle)}; ${again}` }
    : bundle;
}
