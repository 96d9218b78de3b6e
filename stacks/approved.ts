/**
 * What a person has approved before this run: with which keys, and at which URLs, trust in new peers may begin. `spire-federation
 * up` hands it to the run of `pulumi up`, which begins trust with nothing else. Where a peer is pinned, the pins hold besides.
 */
import type { Problem } from "../components/shared/problem";
import { isObject } from "../components/shared/untyped";
import type { JoinedPeer } from "./contract";

/** The environment variable that carries it, as JSON. */
export const APPROVED_VARIABLE = "SPIRE_FEDERATION_APPROVED";

/** By trust domain. A peer that is not in it was not approved and is not checked here. */
export type Approved = Readonly<Record<string, ApprovedPeer>>;

export interface ApprovedPeer {
  bundleEndpointUrl: string;
  /** SHA-256 of each root and of each JWT key. */
  keys: string[];
}

/**
 * The peers with their approved keys, and what speaks against them.
 *
 * @param text the variable's value; undefined: no plan was approved
 */
export function withApproved(
  joined: readonly JoinedPeer[],
  text = process.env[APPROVED_VARIABLE],
): { joined: JoinedPeer[]; problems: Problem[] } {
  const approved = text === undefined ? new Map<string, ApprovedPeer>() : parse(text);
  if (approved === undefined) {
    const message = `${APPROVED_VARIABLE} is set and lists no approved peers; unset it, or run spire-federation up again`;
    return { joined: [...joined], problems: [{ path: "peers", message }] };
  }
  const problems: Problem[] = [];
  const judged = joined.map((one) => {
    const { stack, trustDomain, bundleEndpointUrl } = one.peer;
    const known = approved.get(trustDomain);
    if (known === undefined) return one;
    if (known.bundleEndpointUrl !== bundleEndpointUrl) {
      const message = `peer "${stack}" is at ${bundleEndpointUrl} now, and ${known.bundleEndpointUrl} was approved`;
      problems.push({ path: "peers", message });
    }
    return { ...one, peer: { ...one.peer, approvedKeys: known.keys } };
  });
  return { joined: judged, problems };
}

/** Undefined for anything else than a list of approved peers. */
function parse(text: string): Map<string, ApprovedPeer> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || !Object.values(value).every(isApprovedPeer)) return undefined;
    return new Map(Object.entries(value as Approved));
  } catch {
    return undefined;
  }
}

const isApprovedPeer = (value: unknown): boolean =>
  isObject(value) &&
  typeof value["bundleEndpointUrl"] === "string" &&
  Array.isArray(value["keys"]) &&
  value["keys"].length > 0 &&
  value["keys"].every((key) => /^[0-9a-f]{64}$/.test(String(key)));
