/** For how long a cluster's SpireServer has its keys and tokens live. */
import type { ClusterReader, KubeObject } from "../../components/cluster/cluster";
import { OPERATOR_API, SINGLETON } from "../../components/shared/names";
import { type KeyLives, keyLivesOf } from "../../components/spireServer/keyTimes";

export async function readKeyLives(reader: ClusterReader): Promise<KeyLives> {
  const server = await reader.get<KubeObject & { spec?: Record<string, unknown> }>(
    OPERATOR_API,
    "SpireServer",
    SINGLETON,
  );
  return keyLivesOf(server?.spec);
}
