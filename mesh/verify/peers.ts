/** Peers, as they are themselves: a member by its own cluster, one of another project by what its stack publishes. */
import { serverSpiffeId } from "../../components/peer";
import type { Contract } from "../../stacks/contract";
import { present } from "../../stacks/fields";
import type { Declared } from "../trust/expected";
import { objectName } from "../../components/federatedTrustDomain";
import type { MeshMember } from "../members/members";
import { explain } from "../../components/problem";
import type { Code, Outcome } from "./check";
import { servedBundle } from "./checks/endpointChecks";
import type { Presented } from "./presented";
import type { MemberView, PeerReading } from "./subjects";
import type { Looked } from "../kernel/looked";

export const map = <T, U>(looked: Looked<T>, of: (seen: T) => U): Looked<U> =>
  "because" in looked ? looked : { seen: of(looked.seen) };

export const chain = <T, U>(looked: Looked<T>, of: (seen: T) => Looked<U>): Looked<U> =>
  "because" in looked ? looked : of(looked.seen);

/** @param name what the peer is called in the config of whoever trusts it */
export function memberPeer(name: string, view: Omit<MemberView, "declared">): PeerReading {
  const { trustDomain, profile } = view.config;
  const server = chain(view.facts, ({ server }) => server);
  return {
    name,
    trustDomain: { seen: trustDomain },
    published: map(view.route, ({ host }) => ({
      stack: name,
      trustDomain,
      bundleEndpointUrl: `https://${host}`,
      profile,
      ...(profile === "https_spiffe"
        ? { endpointSpiffeId: serverSpiffeId(trustDomain) }
        : present({ caCertificates: endpointCa(view) })),
    })),
    federates: map(server, (object) => object?.spec?.federation !== undefined),
    served: servedBy(view),
    signing: chain(view.facts, ({ signing }) => signing),
  };
}

/** CAs (PEM) that vouch for a member's https_web endpoint; undefined where those are public, or not known. */
export function endpointCa({ config, facts }: Pick<MemberView, "config" | "facts">): string | undefined {
  const issued = "seen" in facts && "seen" in facts.seen.issued ? facts.seen.issued.seen?.ca : undefined;
  // An ACME server is vouched for by public CAs, whatever the request of another issuer says.
  return config.endpointCa ?? (config.issuer.type === "acme" ? undefined : issued);
}

/** @param contract what its stack publishes; undefined as long as it has no endpoint */
export function outsidePeer(
  name: string,
  contract: Looked<Contract | undefined>,
  presented: Looked<Presented>,
  now: Date,
): PeerReading {
  const published: Looked<Contract> = chain(contract, (seen) =>
    seen === undefined ? { because: "its stack publishes no bundle endpoint" } : { seen },
  );
  return {
    name,
    trustDomain: map(published, ({ trustDomain }) => trustDomain),
    published: map(published, ({ trustDomain, bundleEndpointUrl, profile, endpointSpiffeId, caCertificates }) => ({
      stack: name,
      trustDomain,
      bundleEndpointUrl,
      profile,
      ...present({ endpointSpiffeId, caCertificates }),
    })),
    federates: map(contract, (seen) => seen !== undefined),
    served: chain(published, ({ trustDomain }) => servedBy({ presented, config: { trustDomain }, now })),
    signing: { because: "its SPIRE server is of another project" },
  };
}

/** What takes the place of a member's checks for a peer that is none: what a pair needs to know of it. */
export function outsideChecks({ published, served }: PeerReading): Outcome[] {
  const outcome = (code: Code, title: string, looked: Looked<unknown>): Outcome => ({
    code,
    title,
    source: "its stack's outputs and its endpoint",
    ...("because" in looked ? { state: "unknown", evidence: looked.because } : { state: "ok", evidence: "" }),
  });
  return [outcome("MESH101", "it is known where it is", published), outcome("MESH147", "it serves its bundle", served)];
}

function servedBy(from: Parameters<typeof servedBundle>[0]): PeerReading["served"] {
  if ("because" in from.presented) return from.presented;
  const bundle = servedBundle(from);
  return Array.isArray(bundle) ? { because: explain(bundle) } : { seen: bundle };
}

/** Whom a member is to trust, in drift's terms. What the member's own stack has published is not asked. */
export function declaredOf({ config }: MeshMember, peers: readonly PeerReading[]): Looked<Declared> {
  const trustDomains: string[] = [];
  for (const { name, trustDomain } of peers) {
    if ("because" in trustDomain)
      return { because: `the trust domain of ${name} is not known: ${trustDomain.because}` };
    trustDomains.push(trustDomain.seen);
  }
  return {
    seen: {
      objects: new Set(config.peers.map(({ name }) => objectName(name))),
      trustDomains: new Set(trustDomains),
      peers: peers.flatMap(({ published }) => ("seen" in published ? [published.seen] : [])),
      // Whether the bundle of each is held is judged for each pair.
      trusted: new Map(),
    },
  };
}
