/** What the checks are asked of: a member, and a pair of a member and one of its peers. */
import { word } from "../../components/shared/shell";
import { accessFlags, oc } from "../../components/cluster/access";
import type { FederationRoute } from "../../components/route/federationRoute";
import { OPERAND_NAMESPACE } from "../../components/shared/names";
import type { Peer } from "../../components/bundle/peer";
import type { ClusterConfig } from "../../stacks/config";
import type { Declared } from "../trust/expected";
import { see } from "./check";
import type { Facts, Objects } from "./memberFacts";
import type { Presented } from "./presented";
import { type Place, upAgain } from "../kernel/place";
import type { Looked } from "../kernel/looked";
import type { HeldBundle, Signing } from "../spire/bundle";

export interface MemberView extends Place {
  config: ClusterConfig;
  version: Looked<string>;
  facts: Looked<Facts>;
  /** Where its bundle endpoint is, by its trust domain and its cluster's ingress domain. */
  route: Looked<FederationRoute>;
  presented: Looked<Presented>;
  /** Whom it is to trust; not seen when a peer's trust domain is not known. */
  declared: Looked<Declared>;
  now: Date;
}

/** One direction: whether the member has what it takes to trust the peer. */
export interface PairView extends MemberView {
  peer: PeerReading;
}

/** A peer as it is itself, and not as anybody's config has it. */
export interface PeerReading {
  /** What people call it. */
  label: string;
  /** Name of its objects in the member's cluster. */
  name: string;
  /** Name of its ClusterFederatedTrustDomain there. */
  object: string;
  /** Id of its stack. */
  id: string;
  trustDomain: Looked<string>;
  /** Where and how it serves its bundle. */
  published: Looked<Peer>;
  /** Whether its cluster has been given a federation at all. */
  federates: Looked<boolean>;
  /** Its present bundle, as its own SPIRE server has it or as its endpoint serves it to those who verify the endpoint. */
  keys: Looked<PresentKeys>;
  /** What cannot be known of a peer that is no member. */
  notSeen?: string;
  /** With what its SPIRE server signs. */
  signing: Looked<Signing>;
  /** When its SPIRE server started below an upstream CA, which may give it a new JWT key; undefined where there is none. */
  started: Looked<Date | undefined>;
  /** When its SPIRE server started; undefined when it is not running. */
  serverStart: Looked<Date | undefined>;
  /** When its SPIRE server revoked a JWT key last; undefined when its log does not say so. */
  revoked: Looked<Date | undefined>;
}

export interface PresentKeys {
  bundle: HeldBundle;
  /** Who says so: the peer "has" it in its SPIRE server, or "serves" it. */
  says: "has" | "serves";
}

/** Said of what only an endpoint shows that cannot be reached from here, and need not be. */
export const OUT_OF_SIGHT = "cannot be seen from here: ";
export const PROBE_IS_CLUSTER = "spire-federation:probe is cluster";

/** One fact of a member. */
export function fact<K extends keyof Objects>(view: MemberView, key: K): Objects[K] {
  return see<Objects[K]>(see(view.facts)[key]);
}

/** Has the endpoint's certificate issued anew. */
export const renewCommand = (view: Place & Pick<MemberView, "config">): string =>
  `cmctl ${accessFlags(view)}renew ${word(view.config.names.certificate)} -n ${OPERAND_NAMESPACE}`;

export { oc, upAgain };

/** The same in the namespace of what ZTWIM runs. */
export const ocHere = (place: Place, command: string): string => oc(place, `-n ${OPERAND_NAMESPACE} ${command}`);

/** @param kind whose conditions say it */
export const askOperator = (place: Place, kind = "spireserver"): string =>
  `put right what ZTWIM's operator says: ${oc(place, `get ${word(kind)} cluster -o yaml`)}`;
