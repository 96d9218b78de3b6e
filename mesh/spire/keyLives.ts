/** For how long a cluster's SpireServer has its keys and tokens live, and after how long peers fetch its bundle again. */
import type { ClusterReader, KubeObject } from "../../components/cluster/cluster";
import { REFRESH_HINT } from "../../components/shared/arguments";
import { OPERATOR_API, SINGLETON } from "../../components/shared/names";
import { type KeyLives, keyLivesOf } from "../../components/spireServer/keyTimes";

type Live = KubeObject & {
  spec?: Partial<Record<keyof KeyLives, unknown>> & { federation?: { bundleEndpoint?: { refreshHint?: number } } };
};

/** The refresh hint, too, is in seconds. SPIRE puts it into what its endpoint serves, not into the bundle of its store. */
export async function readKeyLives(reader: ClusterReader): Promise<KeyLives & { refreshHint: number }> {
  const server = await reader.get<Live>(OPERATOR_API, "SpireServer", SINGLETON);
  const { refreshHint = REFRESH_HINT.default } = server?.spec?.federation?.bundleEndpoint ?? {};
  return { ...keyLivesOf(server?.spec), refreshHint };
}
