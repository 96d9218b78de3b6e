/**
 * What stacks tell each other: one output, `federation`. The only reader of StackReference.
 *
 * Stacks refer to each other in circles, so a peer that publishes nothing is a state and no error. If the cluster does
 * not trust it yet, it is pending, and the next `up` after its own joins it. If the cluster trusts it already, its stack
 * was destroyed or its state was lost; the trust is kept until the config ends it.
 */
import * as pulumi from "@pulumi/pulumi";
import { checkPeer, checkPeers } from "../components/shared/arguments";
import type { KeptPeer } from "../components/bundle/keptPeer";
import type { Peer, Profile } from "../components/bundle/peer";
import type { Problem } from "../components/shared/problem";
import { isObject } from "../components/shared/untyped";
import { definedOnly, Fields } from "./fields";
import type { ConfiguredPeer } from "./peers";

/** Raised when a reader of the old one would misunderstand the new one; new optional properties don't raise it. */
export const CONTRACT_VERSION = 1;

/** The output `federation` of every stack. Nothing in it is secret. */
export interface Contract {
  /** Version of this contract; stacks with different versions do not federate. */
  version: typeof CONTRACT_VERSION;
  /** Trust domain of the cluster. */
  trustDomain: string;
  /** URL of the bundle endpoint. */
  bundleEndpointUrl: string;
  /** How the endpoint proves who it is: `https_web` or `https_spiffe`. */
  profile: Profile;
  /** Only with https_spiffe. */
  endpointSpiffeId?: string;
  /** CA certificates (PEM) that vouch for the endpoint, when they are not public. */
  caCertificates?: string;
  /** X.509 roots (PEM) of the trust domain as of the last up; only with `probe: cluster` or `bootstrap: stack`. */
  roots?: string;
  /** Context of the kubeconfig that leads to the cluster. Peers whose machine has it read newer roots there; only where roots are published. */
  context?: string;
}

/** What is known of a peer before anything is asked of it: by its stack, or by the config, which may say more. */
export interface Publication extends Contract {
  /** The bundle (JWKS) that trust begins with; then none is fetched. */
  bundle?: string;
  /** SHA-256 of the only X.509 roots with which trust may begin. */
  fingerprints?: string[];
}

/** A peer, and what its stack has published: undefined when nothing yet. */
export interface Reading {
  peer: ConfiguredPeer;
  published: unknown;
}

/** A peer that can be federated with. */
export interface JoinedPeer {
  peer: Peer;
  rebootstrap: number;
  /** Of a peer that the config describes. */
  publication?: Publication;
  /** By which its stack reaches its cluster. */
  context?: string;
  /** Its roots are those that its own cluster has now. */
  fresh?: true;
  /** Why its own cluster could not be asked for them. */
  unread?: string;
}

export interface PeerResolution {
  joined: JoinedPeer[];
  /** Names of the joined peers that publish nothing any more: the cluster goes on trusting them as it does now. */
  kept: string[];
  /** Names of the peers that have published nothing yet. */
  pending: string[];
  problems: Problem[];
}

/**
 * Reads what the peers have published. The values are plain, because the number of resources depends on them; the
 * engine knows them in a preview too. A stack that was never made ends the program in the engine, beyond our reach:
 * that is why `pulumi stack init` comes first for all members.
 */
export function readPeers(peers: readonly ConfiguredPeer[]): Promise<Reading[]> {
  return Promise.all(
    peers.map(async (peer) => {
      if (peer.publication !== undefined) return { peer, published: peer.publication };
      const stack = new pulumi.StackReference(peer.id);
      return { peer, published: (await stack.getOutputValue("federation")) as unknown };
    }),
  );
}

/**
 * Pure: who can be federated with, who is pending, and what is wrong with what was published.
 *
 * @param trusted the peer as the cluster trusts it now; asked for peers that publish nothing
 */
export function resolvePeers(
  ownTrustDomain: string,
  readings: readonly Reading[],
  trusted: (name: string, objectName: string | undefined) => KeptPeer | undefined = () => undefined,
): PeerResolution {
  const resolved = readings.map(({ peer, published }) => ({
    ...peer,
    ...(peer.publication === undefined
      ? resolve(peer.name, published, (name) => trusted(name, peer.objectName))
      : { peer: asDescribed(peer.name, peer.publication), context: undefined, silent: false, faults: [] }),
  }));
  const joined = resolved.flatMap(({ peer, fingerprints, objectName, rebootstrap, publication, context }) =>
    peer
      ? [
          {
            peer: { ...peer, ...definedOnly({ fingerprints, objectName }) },
            rebootstrap,
            ...definedOnly({ publication, context }),
          },
        ]
      : [],
  );
  const together = checkPeers(
    "peers",
    ownTrustDomain,
    joined.map(({ peer }) => peer),
  );
  return {
    joined,
    kept: resolved.filter(({ peer, silent }) => silent && peer !== undefined).map(({ name }) => name),
    pending: resolved
      .filter(({ peer, silent, faults }) => silent && !peer && faults.length === 0)
      .map(({ name }) => name),
    // The key is all of `peers`: each message names the peer, which is where the problem is corrected.
    problems: [...resolved.flatMap(({ faults }) => faults), ...together.map(({ message }) => message)].map(
      (message) => ({
        path: "peers",
        message,
      }),
    ),
  };
}

/** The config has been judged when it was read. */
function asDescribed(stack: string, publication: Publication): Peer {
  const { trustDomain, bundleEndpointUrl, profile, endpointSpiffeId, caCertificates, bundle, fingerprints } =
    publication;
  return {
    ...{ stack, trustDomain, bundleEndpointUrl, profile },
    ...definedOnly({ endpointSpiffeId, caCertificates, bundle, fingerprints }),
  };
}

interface Resolved {
  peer?: Peer;
  context?: string;
  /** Its stack publishes nothing. */
  silent: boolean;
  faults: string[];
}

/**
 * Whether a stack has published this output. What an `up` went past, because of `--target` or a failure before it, is
 * not known, and Pulumi keeps a marker in its place.
 */
export const isPublished = <T>(output: T): output is NonNullable<T> =>
  output !== undefined && output !== null && output !== pulumi.runtime.unknownValue;

function resolve(name: string, published: unknown, trusted: (name: string) => KeptPeer | undefined): Resolved {
  if (isPublished(published)) return { silent: false, ...parseContract(name, published) };
  const kept = trusted(name);
  if (kept === undefined) return { silent: true, faults: [] };
  return "fault" in kept ? { silent: true, faults: [kept.fault] } : { silent: true, peer: kept.peer, faults: [] };
}

/** What the stack `name` has published, as a peer, or what is wrong with it. */
function parseContract(name: string, value: unknown): Omit<Resolved, "silent"> {
  const about = `stack "${name}" publishes`;
  if (!isObject(value)) return { faults: [`${about} federation: ${JSON.stringify(value)}; it is an object`] };
  if (value["version"] !== CONTRACT_VERSION) {
    const version = JSON.stringify(value["version"] ?? null);
    return {
      faults: [
        `${about} federation.version ${version}, and here it is ${CONTRACT_VERSION}; run the same release on both`,
      ],
    };
  }
  const problems: Problem[] = [];
  const fields = new Fields(value, "federation", problems);
  const peer: Peer = {
    stack: name,
    trustDomain: fields.requiredText("trustDomain"),
    bundleEndpointUrl: fields.requiredText("bundleEndpointUrl"),
    profile: fields.choice("profile", ["https_web", "https_spiffe"]) ?? fields.missing("profile", "https_web"),
    ...fields.texts("endpointSpiffeId", "caCertificates", "roots"),
  };
  const place = fields.texts("context");
  if (problems.length === 0) problems.push(...checkPeer("federation", peer));
  const faults = problems.map(({ path, message }) => `${about} ${path}: ${message}`);
  return faults.length === 0 ? { peer, ...place, faults } : { faults };
}
