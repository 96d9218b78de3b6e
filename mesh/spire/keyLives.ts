/** For how long a cluster's SpireServer has its keys and tokens live. */
import type { ClusterReader, KubeObject } from "../../components/cluster/cluster";
import { parseDuration } from "../../components/shared/duration";
import { OPERATOR_API, SINGLETON } from "../../components/shared/names";

/** In seconds. */
export interface KeyLives {
  caValidity: number;
  defaultJWTValidity: number;
}

/** What the operator takes where the SpireServer says nothing. */
const USUAL: KeyLives = { caValidity: 86_400, defaultJWTValidity: 300 };

export async function readKeyLives(reader: ClusterReader): Promise<KeyLives> {
  const server = await reader.get<KubeObject & { spec?: Partial<Record<keyof KeyLives, string>> }>(
    OPERATOR_API,
    "SpireServer",
    SINGLETON,
  );
  const secondsOf = (field: keyof KeyLives): number => parseDuration(server?.spec?.[field] ?? "") || USUAL[field];
  return { caValidity: secondsOf("caValidity"), defaultJWTValidity: secondsOf("defaultJWTValidity") };
}
