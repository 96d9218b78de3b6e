/** Pure checks of peers as a user writes them, or as their stacks publish them. */
import type * as pulumi from "@pulumi/pulumi";
import {
  checkCaCertificates,
  checkHttpsUrl,
  checkName,
  checkTrustDomain,
  isSpiffeIdOf,
  quoted,
} from "../shared/arguments";
import { isKnown } from "../shared/known";
import { problem, type Problem } from "../shared/problem";
import { type PeerArgs, serverSpiffeId } from "./peer";

/** `federatesWith` takes no more. */
export const MAX_PEERS = 50;

/** One peer by itself: what it published can be used. `path` is where the peer comes from, for example `peers[0]`. */
export function checkPeer(path: string, peer: PeerArgs): Problem[] {
  const problems = [
    ...checkTrustDomain(`${path}.trustDomain`, peer.trustDomain),
    ...checkHttpsUrl(`${path}.bundleEndpointUrl`, peer.bundleEndpointUrl),
    ...(peer.objectName === undefined ? [] : checkName(`${path}.objectName`, peer.objectName)),
    ...checkCaCertificates(`${path}.caCertificates`, peer.caCertificates),
    ...checkCaCertificates(`${path}.roots`, peer.roots),
  ];
  const { profile, trustDomain, endpointSpiffeId = "" } = peer;
  if (!isKnown(profile)) return problems;
  if (profile === "https_web") {
    if (peer.endpointSpiffeId !== undefined) {
      problems.push(
        ...problem(`${path}.endpointSpiffeId`, "is given with profile https_web; it belongs to https_spiffe alone"),
      );
    }
    return problems;
  }
  if (isKnown(trustDomain) && isKnown(endpointSpiffeId) && !isSpiffeIdOf(trustDomain, endpointSpiffeId)) {
    problems.push(
      ...problem(
        `${path}.endpointSpiffeId`,
        `${quoted(endpointSpiffeId)} is not a SPIFFE ID of the peer's trust domain; with https_spiffe expected one like ${quoted(serverSpiffeId(trustDomain))}`,
      ),
    );
  }
  if (peer.caCertificates === undefined) {
    problems.push(
      ...problem(
        `${path}.caCertificates`,
        "is missing; with https_spiffe the peer's SPIRE roots vouch for its endpoint",
      ),
    );
  }
  return problems;
}

/** How many peers there are: a SpireServer lists so many, and ClusterFederatedTrustDomains know no limit. */
export function checkPeerCount(path: string, count: number, mode: "static" | "dynamic" = "static"): Problem[] {
  if (mode === "dynamic" || count <= MAX_PEERS) return [];
  const cure = "list them in ClusterFederatedTrustDomains alone, with federatesWith: dynamic";
  return problem(path, `has ${count} peers, and a SpireServer lists ${MAX_PEERS} at most; ${cure}`);
}

/** The peers together: not ourselves, nobody twice, no trust domain twice. */
export function checkPeers(path: string, trustDomain: pulumi.Input<string>, peers: readonly PeerArgs[]): Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, string>();
  peers.forEach((peer, index) => {
    if (!isKnown(peer.trustDomain)) return;
    const where = `${path}[${index}]`;
    const owner = owners.get(peer.trustDomain);
    if (peer.trustDomain === trustDomain) {
      problems.push(
        ...problem(
          where,
          `peer "${peer.stack}" has this cluster's own trust domain "${peer.trustDomain}"; a cluster cannot federate with itself`,
        ),
      );
    } else if (owner !== undefined) {
      problems.push(
        ...problem(
          where,
          `peer "${peer.stack}" has trust domain "${peer.trustDomain}", which is peer "${owner}"'s; each peer needs its own`,
        ),
      );
    }
    owners.set(peer.trustDomain, peer.stack);
  });
  return problems;
}
