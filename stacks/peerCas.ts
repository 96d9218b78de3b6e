/** Plans what happens to the CAs of peers' endpoints, before anything is changed. */
import { Forbidden } from "../components/cluster/cluster";
import type { Peer } from "../components/bundle/peer";
import { problem } from "../components/shared/problem";
import {
  type CaPlan,
  describeUnbound,
  hasPrivateCa,
  planTrust,
  readTrustedCas,
  type TrustedCas,
  unboundCas,
} from "../components/trustedCas/trustedCas";
import type { PeerResolution } from "./contract";
import type { PassedPreflight } from "./preflight";
import { judgeProxy } from "./preflightPlatform";

/** The CAs that SPIRE trusts now, or why they cannot be read; undefined if the stack may not change them. */
export const trustedCas = async ({ config, reader }: PassedPreflight): Promise<TrustedCas | Error | undefined> =>
  config.trustPeerCas ? readTrustedCas(reader).catch((error: unknown) => error as Error) : undefined;

/** Why SPIRE is not to trust the CA of a peer. One that it trusts already stays: taking it away would end trust unasked. */
export const describeUnboundIn = (trusted: TrustedCas | Error | undefined, peer: Peer): string | undefined =>
  trusted === undefined || trusted instanceof Error
    ? undefined
    : describeUnbound(peer, unboundCas(peer, trusted.configMap?.pem));

/** Reads the cluster only if a peer's endpoint has a CA of its own. */
export async function planPeerCas(
  { config, reader, platform }: PassedPreflight,
  { joined }: PeerResolution,
  trusted: TrustedCas | Error | undefined,
): Promise<CaPlan> {
  const peers = joined.map(({ peer }) => peer);
  if (!peers.some(hasPrivateCa)) {
    // Without a CA to add the stack sets nothing, and a proxied operator would wait for ever.
    return { problems: config.trustPeerCas ? judgeProxy(config, platform) : [], warnings: [] };
  }
  try {
    if (trusted instanceof Error) throw trusted;
    const plan = planTrust(config.trustPeerCas, peers, trusted ?? (await readTrustedCas(reader)));
    const unbound = (plan.trust ?? []).flatMap((peer) => describeUnbound(peer, unboundCas(peer)) ?? []);
    return {
      ...plan,
      warnings: [...plan.warnings, ...unbound.map((fault) => `SPIRE trusts it already, but ${fault}.`)],
    };
  } catch (error) {
    const { message } = error as Error;
    // Without trustPeerCas this only decides about a warning, so a missing right does not stop the up.
    if (error instanceof Forbidden && !config.trustPeerCas) return { problems: [], warnings: [message] };
    return { problems: problem("trustPeerCas", message), warnings: [] };
  }
}
