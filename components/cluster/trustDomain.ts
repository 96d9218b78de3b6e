import { OPERATOR_API, SINGLETON } from "../shared/names";
import type { ClusterReader, KubeObject } from "./cluster";

/** The trust domain of a cluster; undefined where there is no ZTWIM. */
export async function readTrustDomain(reader: ClusterReader): Promise<string | undefined> {
  const ztwim = await reader.get<KubeObject & { spec?: { trustDomain?: string } }>(
    OPERATOR_API,
    "ZeroTrustWorkloadIdentityManager",
    SINGLETON,
  );
  return ztwim?.spec?.trustDomain;
}
