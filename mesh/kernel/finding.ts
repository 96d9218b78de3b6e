/** What `spire-federation drift` says of a member. */
/** Kinds of findings; what each means stands beside it in finding.ts. */
export type FindingCode =
  /** An object of the stack is not as the stack asks for. */
  | "object-changed"
  /** The same of a Role or RoleBinding: somebody may do more, or less, than the stack grants. */
  | "access-changed"
  /** An object that the stack declares and doesn't have. */
  | "object-missing"
  /** An object that the stack has and no longer declares. */
  | "object-left"
  /** Somebody else has set fields of an object of the stack that the stack leaves alone. */
  | "fields-added"
  /** A ClusterFederatedTrustDomain of no stack, by which SPIRE trusts somebody. */
  | "trust-domain-undeclared"
  /** A ClusterFederatedTrustDomain of no stack for the trust domain of a peer: the controller goes by the older of the two. */
  | "trust-domain-twin"
  /** A ClusterFederatedTrustDomain of no stack that the controller ignores, since it is of another class. */
  | "trust-domain-ignored"
  /** The SpireServer lists a trust domain that no stack declares. */
  | "federates-with-undeclared"
  /** The SpireServer lists a peer otherwise than the peer has published itself, and what it lists wins. */
  | "federates-with-differs"
  /** The SpireServer doesn't list a peer. */
  | "federates-with-missing"
  /** The SPIRE server's configuration is not what the SpireServer says. */
  | "server-conf-differs"
  /** SPIRE's own store has a relationship that nothing in the cluster asks for. */
  | "relationship-undeclared"
  /** SPIRE still holds the bundle of a trust domain that nothing in the cluster asks for, and so still trusts it. */
  | "bundle-left"
  /** SPIRE holds no bundle of a peer. */
  | "bundle-missing"
  /** SPIRE holds keys of a peer that the peer doesn't have: set by hand, or given up by the peer and not yet dropped here. */
  | "bundle-foreign"
  /** All that SPIRE holds of a peer has expired. */
  | "bundle-stale"
  /** A peer's bundle asks SPIRE to look again only after more than an hour. */
  | "bundle-hint";

/** Something that is not as the stacks say, and what to do about it. */
export interface Finding {
  /** Stable: what kind of finding it is. */
  code: FindingCode;
  member: string;
  /** Kind and name of the object, or the trust domain whose bundle or relationship it is. */
  object: string;
  found: string;
  expected?: string;
  cure: string;
}

/** A check that was left out. */
export interface Unchecked {
  member: string;
  what: string;
  because: string;
}
