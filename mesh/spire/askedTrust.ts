/** Whom a cluster is told to trust, by whatever means: read from the cluster, not from any stack. */
import { TRUST_KIND } from "../../components/bundle/bundleMark";
import type { ClusterReader } from "../../components/cluster/cluster";
import { FEDERATION_CLASS, OPERATOR_API, SINGLETON } from "../../components/shared/names";
import type { SpireServerObject } from "../../components/spireServer/spireServerReadiness";
import { readTrustObjects } from "./trustObjects";

/** An object that makes the SPIRE server fetch a trust domain's bundle: a ClusterFederatedTrustDomain, or the SpireServer. */
export interface AskedTrust {
  object: string;
  trustDomain: string;
  /** From where SPIRE has its bundle, as a ClusterFederatedTrustDomain says. */
  url?: string;
}

export async function readAsked(reader: ClusterReader): Promise<AskedTrust[]> {
  const [objects, server] = await Promise.all([
    readTrustObjects(reader),
    reader.get<SpireServerObject>(OPERATOR_API, "SpireServer", SINGLETON),
  ]);
  return [
    ...objects
      // The controller ignores those of another class.
      .filter(({ spec }) => spec?.className === FEDERATION_CLASS)
      .map(({ metadata, spec }) => ({
        object: `${TRUST_KIND} ${metadata?.name ?? ""}`,
        trustDomain: spec?.trustDomain ?? "",
        ...(spec?.bundleEndpointURL !== undefined && { url: spec.bundleEndpointURL }),
      })),
    ...(server?.spec?.federation?.federatesWith ?? []).map(({ trustDomain }) => ({
      object: `SpireServer ${SINGLETON} (spec.federation.federatesWith)`,
      trustDomain,
    })),
  ];
}
