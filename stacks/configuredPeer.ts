/** A peer, as the config names or describes it. */
import type { Bootstrap } from "../components/bundle/givenBundle";
import type { Publication } from "./publication";

interface NamedPeer {
  /** Names it in messages and in its objects; unique among the peers, and lasting. */
  name: string;
  /** Tells it from every other peer of the backend: `organization/project/stack`, or the entry that describes it. */
  id: string;
  /** A changed number fetches its bundle anew. */
  rebootstrap: number;
  /** Where its first bundle comes from, if not from its endpoint. */
  bootstrap?: Bootstrap;
  /** It is trusted, and need not trust this cluster. */
  oneWay?: true;
  /** Name of its ClusterFederatedTrustDomain, where that is not made of its own name. */
  objectName?: string;
}

/** A stack to federate with, whether it has published anything or not. */
export interface PeerStack extends NamedPeer {
  publication?: never;
  /** The trust domain that it has to publish. */
  trustDomain?: string;
  /** SHA-256 of the only X.509 roots with which trust may begin. */
  fingerprints?: string[];
  /** SHA-256 of CAs of its endpoint that SPIRE may trust for every host. */
  caFingerprints?: string[];
}

/** A trust domain that no stack of ours runs. */
export interface DescribedPeer extends NamedPeer {
  /** What a stack would publish. */
  publication: Publication;
  trustDomain?: never;
  fingerprints?: never;
  caFingerprints?: never;
}

export type ConfiguredPeer = PeerStack | DescribedPeer;

/** Where problems are noted, by their full path. */
export type Note = (path: string, message: string) => void;

/** Reads a file of the project's folder; the error of one that cannot be used says why. */
export type ReadFile = (path: string) => string;
