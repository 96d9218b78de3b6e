/**
 * The first bundle of a peer where none is fetched: its owner has handed it over, or the peer's own stack publishes it, which
 * has read the roots from its own cluster.
 *
 * Whoever can write the file, or the state of the peer's stack, then decides with which roots trust in the peer begins. Pure.
 */
import { splitPem } from "../shared/arguments";
import type { Peer } from "./peer";
import { pinned } from "./pinnedRoots";
import { explain } from "../shared/problem";
import { word } from "../shared/shell";
import { bundleFromCertificates, parseTrustBundle, type TrustBundle } from "./trustBundle";

/** Where the first bundle of a peer comes from. @enum */
export const Bootstrap = {
  /** The peer's bundle endpoint. */
  Endpoint: "endpoint",
  /** The outputs of the peer's stack. */
  Stack: "stack",
} as const;
export type Bootstrap = (typeof Bootstrap)[keyof typeof Bootstrap];

/** What the owner of a SPIRE server runs to hand its bundle over. */
export const SHOW_BUNDLE =
  '"spire-server bundle show -format spiffe", or on OpenShift "oc exec -n zero-trust-workload-identity-manager spire-server-0 ' +
  '-c spire-server -- /spire-server bundle show -format spiffe"';

const GIVE_AGAIN = `its owner makes a new one with ${SHOW_BUNDLE}`;

const publishAgain = ({ stack }: Peer): string =>
  `run npx pulumi up --stack ${word(stack)} on a machine that reaches that cluster, then try again`;

/** What is said of roots with which an `https_spiffe` endpoint cannot be verified. */
export function notOfEndpoint(peer: Peer, why: string): string {
  const { stack, bundle, bundleEndpointUrl } = peer;
  const [whose, cure] =
    bundle === undefined
      ? [`the roots that stack "${stack}" published at its last up`, publishAgain(peer)]
      : [`the bundle that is given for peer "${stack}"`, GIVE_AGAIN];
  return `${bundleEndpointUrl} cannot be verified with ${whose}: ${why}; ${cure}`;
}

/** With https_spiffe always: only a SPIRE server can verify that endpoint, and only with the roots of such a bundle. */
export const isGiven = ({ profile, bundle }: Peer, bootstrap: Bootstrap = "endpoint"): boolean =>
  bundle !== undefined || bootstrap === "stack" || profile === "https_spiffe";

/** The bundle, judged by the rules for one that an endpoint serves, or why trust must not begin with it. */
export function givenBundle(peer: Peer, now: Date): TrustBundle | { fault: string } {
  if (peer.bundle !== undefined) {
    const read = pinned(parseTrustBundle(peer.bundle, peer.trustDomain, now), peer);
    if (!Array.isArray(read)) return read;
    return {
      fault: `the bundle that is given for peer "${peer.stack}" must not be trusted: ${explain(read)}; ${GIVE_AGAIN}`,
    };
  }
  const about = `stack "${peer.stack}" publishes`;
  const again = publishAgain(peer);
  const roots = peer.profile === "https_spiffe" ? peer.caCertificates : peer.roots;
  if (roots === undefined) {
    const cure = `there set probe to cluster, or bootstrap of one of its peers to stack, ${again}`;
    return { fault: `${about} no bundle, which bootstrap: stack takes from it; ${cure}` };
  }
  const published = parseTrustBundle(bundleFromCertificates(splitPem(roots)), peer.trustDomain, now);
  const wrong = "a bundle that must not be trusted, as of its last up";
  if (Array.isArray(published)) return { fault: `${about} ${wrong}: ${explain(published)}; ${again}` };
  const bundle = pinned(published, peer);
  return Array.isArray(bundle) ? { fault: `${about} ${wrong}: ${explain(bundle)}` } : bundle;
}
