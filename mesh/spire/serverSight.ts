/** What a run has done to a SPIRE server, as its cluster shows it: Pulumi's steps do not say what the operator makes of them. */
import type { ClusterReader, KubeObject } from "../../components/cluster/cluster";
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../../components/shared/names";
import { readAsked } from "./askedTrust";

export interface ServerSight {
  /** Of the SPIRE server's pods; another one is a restart. Undefined before there is one. */
  revision?: string | undefined;
  /** Trust domains that the cluster is told to trust. */
  trusts: string[];
}

export async function readServer(reader: ClusterReader): Promise<ServerSight> {
  const [server, asked] = await Promise.all([
    reader.get<KubeObject & { status?: { updateRevision?: string } }>(
      "apps/v1",
      "StatefulSet",
      SPIRE_SERVER,
      OPERAND_NAMESPACE,
    ),
    readAsked(reader),
  ]);
  return { revision: server?.status?.updateRevision, trusts: asked.map(({ trustDomain }) => trustDomain) };
}

export interface ServerChange {
  restarted: boolean;
  /** Trust domains that the cluster was told to trust, and no longer is. */
  ended: string[];
  /** Those that it is told to trust now. */
  begun: string[];
}

/** What is different after a run. */
export const serverChange = (before: ServerSight, after: ServerSight): ServerChange => ({
  restarted: before.revision !== undefined && before.revision !== after.revision,
  ended: without(before.trusts, after.trusts),
  begun: without(after.trusts, before.trusts),
});

const without = (some: readonly string[], others: readonly string[]): string[] =>
  [...new Set(some)].filter((one) => !others.includes(one));
