/**
 * What a patch of `spec.federation` would take away from somebody else. The one place that judges it, for the component and
 * for a stack's preflight.
 *
 * What would be lost is refused: it was set by others, and the patch would overwrite it. What the patch itself has set before
 * and somebody has changed since is no loss; it is corrected.
 */
import { isDeepStrictEqual } from "node:util";
import { TRUST_KIND, type TrustObject } from "../bundle/bundleMark";
import { madeByProgram } from "../bundle/keptPeer";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { owners } from "../cluster/fieldOwners";
import { type ForeignValue, leaves, valueAt } from "../cluster/foreignValue";
import { FIELD_MANAGER, SPIRE_API } from "../shared/names";
import type { FederatesWith } from "../bundle/peer";
import { type BundleEndpointSpec, type FederationSpec } from "../route/federation";
import { entryText } from "./federationSpec";

export type FederatedServer = KubeObject & {
  spec?: { federation?: { bundleEndpoint?: Partial<BundleEndpointSpec>; federatesWith?: FederatesWith[] } };
};

const FEDERATION = ["spec", "federation"];

/**
 * What the patch would take away. Pure.
 *
 * @param trust the ClusterFederatedTrustDomains of the cluster: those that this program has made tell which entries of a list
 * that somebody has edited were the stack's
 */
export function foreignFederation(
  asked: FederationSpec,
  live: FederatedServer | undefined,
  trust: readonly TrustObject[],
): ForeignValue[] {
  return [...foreignValues(asked, live), ...foreignPeers(asked, live, trust)];
}

/** The same, read from the cluster. */
export async function readForeignFederation(
  reader: ClusterReader,
  asked: FederationSpec,
  live: FederatedServer | undefined,
): Promise<ForeignValue[]> {
  const foreign = foreignFederation(asked, live, []);
  // Only with foreign entries does it matter whose the objects are.
  if (!foreign.some(({ path }) => path === "federatesWith")) return foreign;
  return foreignFederation(asked, live, await reader.list<TrustObject>(SPIRE_API, TRUST_KIND));
}

/** Values outside the list of peers, as long as no stack owns any of the federation. */
function foreignValues(asked: FederationSpec, live: FederatedServer | undefined): ForeignValue[] {
  if (owners(live, FEDERATION).includes(FIELD_MANAGER)) return [];
  const { bundleEndpoint, managedRoute } = asked;
  return leaves({ bundleEndpoint, managedRoute }).flatMap(({ path, value }) => {
    const there = valueAt(live?.spec?.federation, path);
    const by = owners(live, [...FEDERATION, ...path]);
    if (there === undefined || by.length === 0 || isDeepStrictEqual(there, value)) return [];
    return [{ path: path.join("."), found: `is ${JSON.stringify(there)} and would be ${JSON.stringify(value)}`, by }];
  });
}

/** The list of peers is one value to the API server, and has the owner who changed it last. */
function foreignPeers(
  asked: FederationSpec,
  live: FederatedServer | undefined,
  trust: readonly TrustObject[],
): ForeignValue[] {
  const { federatesWith: wanted } = asked;
  const by = owners(live, [...FEDERATION, "federatesWith"]);
  if (wanted === undefined || by.length === 0 || by.includes(FIELD_MANAGER)) return [];
  const ours = new Set(trust.filter(madeByProgram).map(({ spec }) => spec?.trustDomain));
  return (live?.spec?.federation?.federatesWith ?? []).flatMap((entry) => {
    const { trustDomain } = entry;
    const peer = wanted.find((one) => one.trustDomain === trustDomain);
    const would = peer === undefined ? "would be taken out" : `would be ${entryText(peer)}`;
    if (ours.has(trustDomain) || (peer !== undefined && entryText(peer) === entryText(entry))) return [];
    return [{ path: "federatesWith", found: `lists ${trustDomain} (${entryText(entry)}), which ${would}`, by }];
  });
}
