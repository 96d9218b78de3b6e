/** What is known of one kind of keys while one of them is replaced: all that the next step is chosen by. */
import type { Agent, BundleKey, Kind } from "../spire/authorities";
import type { Slots } from "../spire/authority";

/** A peer's SPIRE server: the key ids that it holds of the trust domain, or why that isn't known. */
export type PeerSight = { member: string; holds: string[] } | { member: string; because: string };

export interface Timing {
  now: Date;
  /** Refresh hint of the trust domain's bundle, in seconds. */
  hint: number;
  /** For how long an authority is valid, in milliseconds. */
  lifetime: number;
  /** The longest that a JWT-SVID is valid, in milliseconds. */
  jwtLife: number;
  /** Registration entries. */
  entries: number;
}

export interface KeySight {
  kind: Kind;
  slots: Slots;
  /** Of the trust domain's own bundle. */
  bundle: BundleKey[];
  /** Members that trust it. */
  peers: PeerSight[];
  /** Trust domains that are no members, and may trust it: nobody can ask them. Of a peer whose own isn't known, the label. */
  outside: string[];
  agents: Agent[];
  timing: Timing;
}

/** Both kinds, seen at one time. */
export type Sights = Readonly<Record<Kind, KeySight>>;

/** When this run first saw something: SPIRE notes the time of no step. */
export interface Memory {
  /** Since when all peers were seen to hold a key, by its id. */
  held: ReadonlyMap<string, Date>;
  /** Since when a key was seen to be tainted, by its id, and the agents that there were. */
  tainted: ReadonlyMap<string, { at: Date; agents: readonly Agent[] }>;
}
