/** The ClusterFederatedTrustDomains of a cluster, with trust domains as SPIRE knows them. */
import { TRUST_KIND, type TrustObject } from "../../components/bundle/bundleMark";
import { writtenTrustDomain } from "../../components/bundle/writtenTrustDomain";
import type { ClusterReader } from "../../components/cluster/cluster";
import { SPIRE_API } from "../../components/shared/names";

export async function readTrustObjects(reader: Pick<ClusterReader, "list">): Promise<TrustObject[]> {
  const objects = await reader.list<TrustObject>(SPIRE_API, TRUST_KIND);
  return objects.map((object) => {
    // What was read may be of any shape.
    const written: unknown = object.spec?.trustDomain;
    if (typeof written !== "string") return object;
    return { ...object, spec: { ...object.spec, trustDomain: writtenTrustDomain(written) } };
  });
}
