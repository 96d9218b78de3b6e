/**
 * What stacks tell each other: one output, `federation`. The only reader of StackReference.
 *
 * Stacks refer to each other in circles, so a peer that publishes nothing is a state and no error. If the cluster does
 * not trust it yet, it is pending, and the next `up` after its own joins it. If the cluster trusts it already, its stack
 * was destroyed or its state was lost; the trust is kept until the config ends it.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Bootstrap } from "../components/bundle/givenBundle";
import { checkPeer, checkPeers } from "../components/bundle/checkPeer";
import type { KeptPeer } from "../components/bundle/keptPeer";
import type { Peer } from "../components/bundle/peer";
import type { Problem } from "../components/shared/problem";
import { isObject } from "../components/shared/untyped";
import { definedOnly, Fields } from "./fields";
import { type Before, type Declared, identitiesOf, identityFaults, lostCa } from "./peerIdentity";
import type { ConfiguredPeer } from "./configuredPeer";
import { CONTRACT_VERSION, type Contract, type Publication } from "./publication";

export { CONTRACT_VERSION, type Contract, type Publication };

/** A peer, and what its stack has published: undefined when nothing yet. */
export interface Reading {
  peer: ConfiguredPeer;
  published: unknown;
  /** Whether the stack marks it as a secret. */
  isSecret?: boolean;
}

/** A peer that can be federated with. */
export interface JoinedPeer {
  peer: Peer;
  rebootstrap: number;
  /** Where its first bundle comes from, if not from its endpoint. */
  bootstrap?: Bootstrap;
  /** Of a peer that the config describes. */
  publication?: Publication;
  /** The kubeconfig context with which its stack reaches its cluster. */
  context?: string;
  /** Its roots are those that its own cluster has now. */
  fresh?: true;
  /** Why they could not be read from its own cluster. */
  unread?: string;
}

export interface PeerResolution {
  joined: JoinedPeer[];
  /** Names of the joined peers that publish nothing any more: the cluster goes on trusting them as it does now. */
  kept: string[];
  /** Names of the peers that have published nothing yet. */
  pending: string[];
  /** Peers whose stacks publish what cannot be used. Those that the cluster trusts are joined as it trusts them now. */
  faulty: { name: string; fault: string }[];
  /** Conflicts between peers, and peers that cannot be kept as they are. */
  problems: Problem[];
}

/** What is known of a peer that is a stack, beside what that stack publishes. */
export interface Known {
  /** Returns the peer as the cluster trusts it now. */
  trusted?: (name: string, objectName: string | undefined) => KeptPeer | undefined;
  /** The trust domain that this project says the peer has, and where it says so. */
  declared?: (peer: ConfiguredPeer) => Declared | undefined;
  /** Why SPIRE is not to trust the CA of the peer's endpoint. */
  unbound?: (peer: Peer) => string | undefined;
}

/**
 * Reads what the peers have published. The values are plain, because the number of resources depends on them; the
 * engine knows them in a preview too. If a peer's stack does not exist, the engine ends the program and we cannot catch
 * that, so `pulumi stack init` comes first for all members.
 */
export function readPeers(peers: readonly ConfiguredPeer[]): Promise<Reading[]> {
  return Promise.all(
    peers.map(async (peer) => {
      if (peer.publication !== undefined) return { peer, published: peer.publication };
      const stack = new pulumi.StackReference(peer.id);
      const read: { value?: unknown; secretValue?: unknown } = await stack.getOutputDetails("federation");
      return { peer, published: read.value ?? read.secretValue, isSecret: read.secretValue !== undefined };
    }),
  );
}

/**
 * Pure: who can be federated with, who is pending, and what is wrong with what was published.
 *
 * A stack cannot choose its trust domain: this project declares it, or the cluster trusts it already. A stack that publishes
 * something unusable does not affect the other peers.
 */
export function resolvePeers(
  ownTrustDomain: string,
  readings: readonly Reading[],
  { trusted = () => undefined, declared = () => undefined, unbound = () => undefined }: Known = {},
): PeerResolution {
  const all = readings.map(({ peer, published, isSecret = false }) => {
    const now = peer.publication === undefined ? trusted(peer.name, peer.objectName) : undefined;
    const before: Before = { peer, declared: declared(peer), trusted: now && "peer" in now ? now.peer : undefined };
    return { ...before, published, isSecret, lost: now && "fault" in now ? [now.fault] : [] };
  });
  const identities = identitiesOf(all);
  const resolved = all.map(({ peer, published, isSecret, lost, ...before }) => ({
    ...peer,
    ...(peer.publication === undefined
      ? resolve({ published, isSecret }, { peer, ...before }, lost, (one) => [
          ...identityFaults(one, { peer, ...before }, ownTrustDomain, identities),
          ...present(unbound({ ...one, ...pinsOf(peer) })),
        ])
      : { peer: asDescribed(peer.name, peer.publication), context: undefined, silent: false, faults: [], fault: "" }),
  }));
  const joined = resolved.flatMap(({ peer, objectName, rebootstrap, bootstrap, publication, context, ...entry }) =>
    peer
      ? [
          {
            peer: { ...peer, ...pinsOf(entry), ...definedOnly({ objectName }) },
            rebootstrap,
            ...definedOnly({ bootstrap, publication, context }),
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
    faulty: resolved.filter(({ fault }) => fault !== "").map(({ name, fault }) => ({ name, fault })),
    // The key is all of `peers`: each message names the peer, which is where the problem is corrected.
    problems: [
      ...resolved.flatMap(({ faults }) => faults),
      ...together.map(({ message }) => message),
      ...joined.flatMap(({ peer }) => present(unbound(peer))),
    ].map((message) => ({ path: "peers", message })),
  };
}

const pinsOf = ({ fingerprints, caFingerprints }: Pick<ConfiguredPeer, "fingerprints" | "caFingerprints">) =>
  definedOnly({ fingerprints, caFingerprints });

const present = (fault: string | undefined): string[] => (fault === undefined ? [] : [fault]);

/** The config has been judged when it was read. */
function asDescribed(stack: string, publication: Publication): Peer {
  const { trustDomain, bundleEndpointUrl, profile, endpointSpiffeId, caCertificates, bundle, ...pins } = publication;
  const { fingerprints, caFingerprints } = pins;
  return {
    ...{ stack, trustDomain, bundleEndpointUrl, profile },
    ...definedOnly({ endpointSpiffeId, caCertificates, bundle, fingerprints, caFingerprints }),
  };
}

interface Resolved {
  peer?: Peer;
  context?: string;
  /** Its stack publishes nothing. */
  silent: boolean;
  /** What is wrong with what its stack publishes; "" for nothing. */
  fault: string;
  /** Problems that only a person can solve. */
  faults: string[];
}

/**
 * Whether a stack has published this output. If an `up` did not reach it, because of `--target` or an earlier failure,
 * Pulumi keeps a marker in its place.
 */
export const isPublished = <T>(output: T): output is NonNullable<T> =>
  output !== undefined && output !== null && output !== pulumi.runtime.unknownValue;

/** @param lost why the peer cannot be kept as the cluster trusts it now */
function resolve(
  { published, isSecret }: Omit<Reading, "peer">,
  before: Before,
  lost: string[],
  judge: (published: Peer) => string[],
): Resolved {
  const now = definedOnly({ peer: before.trusted });
  if (!isPublished(published)) return { silent: true, ...now, fault: "", faults: lost };
  if (isSecret) {
    const fault = `stack "${before.peer.name}" publishes federation as a secret; nothing in it is one, publish it as plain text`;
    return { silent: false, ...now, fault, faults: lost };
  }
  const { peer, context, publicCa = false, faults } = parseContract(before.peer.name, published);
  const wrong = peer === undefined ? faults : [...judge(peer), ...lostCa(peer, publicCa, before)];
  if (wrong.length === 0) return { silent: false, ...definedOnly({ peer, context }), fault: "", faults: [] };
  return { silent: false, ...now, fault: wrong.join("; "), faults: lost };
}

interface ParsedContract {
  peer?: Peer;
  context?: string;
  publicCa?: boolean;
  faults: string[];
}

/** What the stack `name` has published, as a peer, or what is wrong with it. */
function parseContract(name: string, value: unknown): ParsedContract {
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
  const publicCa = fields.flag("publicCa") === true;
  if (problems.length === 0) problems.push(...checkPeer("federation", peer));
  const faults = problems.map(({ path, message }) => `${about} ${path}: ${message}`);
  return faults.length === 0 ? { peer, ...place, publicCa, faults } : { faults };
}
