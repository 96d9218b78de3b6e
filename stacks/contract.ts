/**
 * What stacks tell each other: one output, `federation`. The only reader of StackReference.
 *
 * Stacks refer to each other in circles, so a peer that has published nothing yet is a state and no error: it is
 * pending, and the next `up` picks it up.
 */
import * as pulumi from "@pulumi/pulumi";
import { checkPeer, checkPeers } from "../components/arguments";
import type { Peer, Profile } from "../components/peer";
import type { Problem } from "../components/problem";
import type { PeerStack } from "./config";
import { Fields, isObject } from "./fields";

/** Raised when a reader of the old one would misunderstand the new one; new optional properties don't raise it. */
export const CONTRACT_VERSION = 1;

/** The output `federation` of every stack. Nothing in it is secret. */
export interface Contract {
  version: typeof CONTRACT_VERSION;
  trustDomain: string;
  bundleEndpointUrl: string;
  profile: Profile;
  /** Only with https_spiffe. */
  endpointSpiffeId?: string;
  /** CA certificates (PEM) that vouch for the endpoint, when they are not public. */
  caCertificates?: string;
}

/** A peer, and what its stack has published: undefined when nothing yet. */
export interface Reading {
  peer: PeerStack;
  published: unknown;
}

/** A peer that can be federated with. */
export interface JoinedPeer {
  peer: Peer;
  rebootstrap: number;
}

export interface PeerResolution {
  joined: JoinedPeer[];
  /** Names of the peers that have published nothing yet. */
  pending: string[];
  problems: Problem[];
}

/**
 * Reads what the peers have published. The values are plain, because the number of resources depends on them; the
 * engine knows them in a preview too. A stack that was never made ends the program in the engine, beyond our reach:
 * that is why `pulumi stack init` comes first for all members.
 */
export function readPeers(peers: readonly PeerStack[]): Promise<Reading[]> {
  return Promise.all(
    peers.map(async (peer) => {
      const stack = new pulumi.StackReference(peer.reference);
      return { peer, published: (await stack.getOutputValue("federation")) as unknown };
    }),
  );
}

/** Pure: who can be federated with, who is pending, and what is wrong with what was published. */
export function resolvePeers(ownTrustDomain: string, readings: readonly Reading[]): PeerResolution {
  const published = readings.filter((reading) => reading.published !== undefined && reading.published !== null);
  const checked = published.map((reading) => ({ ...reading, ...parseContract(reading.peer.name, reading.published) }));
  const joined = checked.flatMap(({ peer: { rebootstrap }, contract }) =>
    contract ? [{ peer: contract, rebootstrap }] : [],
  );
  const together = checkPeers(
    "peers",
    ownTrustDomain,
    joined.map(({ peer }) => peer),
  );
  return {
    joined,
    pending: readings.filter((reading) => !published.includes(reading)).map(({ peer }) => peer.name),
    // The key is all of `peers`: what is wrong is said of a stack, by its name, and put right over there.
    problems: [...checked.flatMap(({ faults }) => faults), ...together.map(({ message }) => message)].map(
      (message) => ({
        path: "peers",
        message,
      }),
    ),
  };
}

/** What the stack `name` has published, as a peer, or what is wrong with it. */
function parseContract(name: string, value: unknown): { contract?: Peer; faults: string[] } {
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
    ...fields.texts("endpointSpiffeId", "caCertificates"),
  };
  if (problems.length === 0) problems.push(...checkPeer("federation", peer));
  const faults = problems.map(({ path, message }) => `${about} ${path}: ${message}`);
  return faults.length === 0 ? { contract: peer, faults } : { faults };
}
