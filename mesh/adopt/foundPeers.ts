/** The peers that a cluster trusts, as a stack's config names or describes them. Pure. */
import { X509Certificate } from "node:crypto";
import type { TrustObject } from "../../components/bundle/bundleMark";
import { objectName } from "../../components/bundle/objectName";
import type { FederationSpec } from "../../components/route/federation";
import { SHOW_BUNDLE } from "../../components/bundle/givenBundle";
import { FEDERATION_CLASS } from "../../components/shared/names";
import { serverSpiffeId } from "../../components/bundle/peer";
import { bundleFromCertificates, parseTrustBundle } from "../../components/bundle/trustBundle";
import { definedOnly } from "../../stacks/fields";
import type { Looked } from "../kernel/looked";
import { type HeldBundle, validRoots } from "../spire/bundle";
import { isOlder } from "../trust/foreignTrust";

/** Something that this program does not take over as it is. */
export interface Obstacle {
  /** Kind and name of the object. */
  object: string;
  found: string;
  cure: string;
  /** Config key that takes it away, if the stack's file has it. */
  unless?: string;
}

export interface FoundPeers {
  /** Entries of `peers`. */
  entries: unknown[];
  /** The SpireServer lists all of them, as a stack does that is static. */
  listed: boolean;
  obstacles: Obstacle[];
  leaves: string[];
}

interface TrustFound {
  trust: readonly TrustObject[];
  federatesWith: NonNullable<FederationSpec["federatesWith"]>;
  /** What the SPIRE server holds of them. */
  held: Looked<HeldBundle[]>;
}

/** One of them, in the words of `peers`. */
interface Described {
  name: string;
  trustDomain: string;
  bundleEndpointUrl: string | undefined;
  profile: string | undefined;
  endpointSpiffeId: string | undefined;
  /** Name of its ClusterFederatedTrustDomain; undefined where it has none. */
  object?: string;
  /** The bundle in that. */
  bundle?: string | undefined;
}

/** @param stacks stacks by their trust domains */
export function foundPeers(found: TrustFound, stacks: ReadonlyMap<string, string>, now: Date): FoundPeers {
  const { described, leaves } = describedBy(found);
  const obstacles: Obstacle[] = [];
  const entries = described.map((one) => {
    const stack = stacks.get(one.trustDomain);
    if (stack === undefined) return entryOf(one, bundleOf(one, found.held, now), obstacles);
    return one.object === undefined || one.object === objectName(stack) ? stack : { stack, objectName: one.object };
  });
  const listed = described.every(({ trustDomain }) =>
    found.federatesWith.some((entry) => entry.trustDomain === trustDomain),
  );
  return { entries, listed, obstacles, leaves };
}

/** Of each trust domain the object that the controller goes by; then those that SPIRE trusts by its configuration alone. */
function describedBy({ trust, federatesWith }: TrustFound): { described: Described[]; leaves: string[] } {
  const leaves: string[] = [];
  const described: Described[] = [];
  for (const { metadata, spec = {} } of [...trust].sort((one, other) => (isOlder(one, other) ? -1 : 1))) {
    const object = metadata?.name ?? "";
    const { trustDomain = "", bundleEndpointURL, bundleEndpointProfile, className, trustDomainBundle } = spec;
    const label = `ClusterFederatedTrustDomain ${object}`;
    const before = described.find((one) => one.trustDomain === trustDomain);
    if (className !== FEDERATION_CLASS) {
      leaves.push(`${label}: its class is ${className ?? "none"}, so ZTWIM's controller ignores it`);
    } else if (before !== undefined) {
      const older = before.object ?? "another";
      leaves.push(`${label}: ${older} is for ${trustDomain} as well and is older, so ZTWIM's controller goes by that`);
    } else {
      described.push({
        name: nameOf(object.replace(/-federation$/, "")),
        trustDomain,
        bundleEndpointUrl: bundleEndpointURL,
        profile: bundleEndpointProfile?.type,
        endpointSpiffeId: bundleEndpointProfile?.endpointSPIFFEID,
        object,
        bundle: trustDomainBundle,
      });
    }
  }
  for (const { trustDomain, bundleEndpointUrl, bundleEndpointProfile: profile, endpointSpiffeId } of federatesWith) {
    if (described.some((one) => one.trustDomain === trustDomain)) continue;
    described.push({ name: nameOf(trustDomain), trustDomain, bundleEndpointUrl, profile, endpointSpiffeId });
  }
  return { described, leaves };
}

/** A name that a peer can have. */
const nameOf = (text: string): string =>
  text
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replaceAll(/^-|-$/g, "");

function entryOf(peer: Described, bundle: string | undefined, obstacles: Obstacle[]): Record<string, unknown> {
  const { name, trustDomain, bundleEndpointUrl, profile, endpointSpiffeId, object } = peer;
  if (profile === "https_spiffe" && bundle === undefined) {
    const found = "neither it nor the SPIRE server has a bundle with a root that is valid";
    const cure = `its owner makes one with ${SHOW_BUNDLE}; describe the peer with it in the stack's file, docs/outside-peers.md says how`;
    obstacles.push({ object: `ClusterFederatedTrustDomain ${object ?? name}`, found, cure, unless: "peers" });
  }
  const ownId = profile === "https_spiffe" && endpointSpiffeId !== serverSpiffeId(trustDomain);
  return {
    ...{ name, trustDomain, bundleEndpointUrl, profile },
    ...(ownId && { endpointSpiffeId }),
    ...(object !== undefined && object !== objectName(name) && { objectName: object }),
    ...definedOnly({ bundle }),
  };
}

/** With which bundle a stack's trust in an https_spiffe peer begins: the one that SPIRE holds is newer than the object's. */
function bundleOf(peer: Described, held: Looked<HeldBundle[]>, now: Date): string | undefined {
  if (peer.profile !== "https_spiffe") return undefined;
  const holds = "seen" in held ? held.seen.find(({ trustDomain }) => trustDomain === peer.trustDomain) : undefined;
  const roots = holds === undefined ? [] : validRoots(holds, now);
  if (roots.length > 0) return bundleFromCertificates(roots.map((root) => new X509Certificate(root).toString()));
  const given = parseTrustBundle(peer.bundle ?? "", peer.trustDomain, now);
  return Array.isArray(given) ? undefined : given.jwks;
}
