/** What an `up` would change in whom a member trusts. Pure. */
import { TRUST_KIND } from "../../components/bundle/bundleMark";
import { PROGRAM } from "../../components/shared/names";
import type { ClusterConfig } from "../../stacks/config";
import type { Contract } from "../../stacks/contract";
import type { Published } from "../pulumi/workspace";
import type { AskedTrust } from "../spire/askedTrust";

export interface TrustChanges {
  /** Trust domains that it will begin to trust. One that it trusts already under another name of the peer is none. */
  gains: {
    peer: string;
    trustDomain: string;
    bundleEndpointUrl: string;
    oneWay?: true;
    /** It is trusted already, and its bundle came from this URL: trust begins anew, with what another URL serves. */
    from?: string;
  }[];
  /** Trust domains that it will stop trusting, because none of its peers has them any more. */
  loses: (TrustedPeer & {
    /** Trust domain that the peer has now, if it is still one. */
    now?: string;
  })[];
  /** Trust domains that somebody else has listed in the SpireServer, and that the stack takes out, as `spireServer.takeOver` says. */
  overwrites: string[];
  /** Peers that it goes on trusting although their stacks publish nothing any more. */
  keeps: TrustedPeer[];
  /** Peers in its config whose stacks have published nothing yet. */
  waitsFor: string[];
}

export interface TrustedPeer {
  peer: string;
  trustDomain: string;
}

/** What is said of a peer in `keeps`. */
export const KEPT = `its stack no longer publishes an endpoint. To end the trust, remove it from peers, or run npx ${PROGRAM} remove`;

/**
 * @param publications what the stack of each peer publishes; a peer whose stack could not be read is not in it
 * @param own what the member's own stack publishes; undefined before its first up
 * @param asked whom the cluster is told to trust; empty where that is not known
 */
export function trustChanges(
  config: Pick<ClusterConfig, "peers" | "federatesWith" | "takesOverFederation">,
  publications: ReadonlyMap<string, Contract | undefined>,
  own: Published | undefined,
  asked: readonly AskedTrust[] = [],
): TrustChanges {
  const trusted = own?.peers ?? {};
  const last = Object.entries(trusted).map(([peer, { trustDomain }]) => ({ peer, trustDomain }));
  const wanted = config.peers.map(({ name }) => name);
  const silent = wanted.filter((peer) => publications.has(peer) && publications.get(peer) === undefined);
  const before = new Set(last.map(({ trustDomain }) => trustDomain));
  const after = new Set(wanted.map((peer) => (publications.get(peer) ?? trusted[peer])?.trustDomain));
  return {
    gains: config.peers.flatMap(({ name: peer, oneWay }) => {
      const contract = publications.get(peer);
      if (contract === undefined) return [];
      const { trustDomain, bundleEndpointUrl } = contract;
      const from = before.has(trustDomain) ? otherUrl(contract, asked) : undefined;
      if (before.has(trustDomain) && from === undefined) return [];
      return [{ peer, trustDomain, bundleEndpointUrl, ...(oneWay && { oneWay }), ...(from !== undefined && { from }) }];
    }),
    loses: last
      .filter(({ trustDomain }) => !after.has(trustDomain))
      .map(({ peer, trustDomain }) => {
        const now = wanted.includes(peer) ? publications.get(peer)?.trustDomain : undefined;
        return { peer, trustDomain, ...(now !== undefined && { now }) };
      }),
    overwrites: overwritten(config, [...before, ...after], asked),
    keeps: last.filter(({ peer }) => silent.includes(peer)),
    waitsFor: silent.filter((peer) => trusted[peer] === undefined),
  };
}

/** The URL from which the cluster has that trust domain's bundle, when it is another one. */
function otherUrl({ trustDomain, bundleEndpointUrl }: Contract, asked: readonly AskedTrust[]): string | undefined {
  const urls = asked.flatMap((one) => (one.trustDomain === trustDomain ? (one.url ?? []) : []));
  return urls.includes(bundleEndpointUrl) ? undefined : urls[0];
}

/** Whether an up overwrites what somebody else has listed in the SpireServer. A stack that lists no peers leaves the list to others. */
export const takesOverList = ({
  peers,
  federatesWith,
  takesOverFederation,
}: Parameters<typeof trustChanges>[0]): boolean =>
  takesOverFederation && federatesWith === "static" && peers.length > 0;

/**
 * Trust domains that somebody else has listed in the SpireServer, and that an up takes out. One that a
 * ClusterFederatedTrustDomain asks for stays trusted.
 *
 * @param ours trust domains of the stack's peers, before and after
 */
export function overwritten(
  config: Parameters<typeof trustChanges>[0],
  ours: readonly (string | undefined)[],
  asked: readonly AskedTrust[],
): string[] {
  if (!takesOverList(config)) return [];
  const objects = asked.filter(({ object }) => object.startsWith(TRUST_KIND)).map(({ trustDomain }) => trustDomain);
  return [...new Set(asked.map(({ trustDomain }) => trustDomain))].filter(
    (trustDomain) => !ours.includes(trustDomain) && !objects.includes(trustDomain),
  );
}
