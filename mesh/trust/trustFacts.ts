/** What there is to read in a cluster of whom it trusts, for all commands that judge it. */
import type { TrustObject } from "../../components/bundle/bundleMark";
import type { ClusterReader, ConfigMap, KubeObject } from "../../components/cluster/cluster";
import * as names from "../../components/shared/names";
import type { SpireServerObject } from "../../components/spireServer/spireServerReadiness";
import { logOf, type ServerLog } from "../spire/serverLog";
import type { SpireServer } from "../spire/spireServer";
import { readTrustObjects } from "../spire/trustObjects";
import type { Store } from "./serverStore";

/** Undefined is an object that is not there. */
export interface TrustFacts {
  server: SpireServerObject | undefined;
  /** server.conf. */
  conf: string | undefined;
  trust: TrustObject[];
  /** From here on the SPIRE server itself is asked. Path of its program in its container: */
  program: string;
  store: Store;
  log: ServerLog;
}

/** Ways to a cluster. */
export interface TrustSources {
  reader: ClusterReader;
  server: SpireServer;
  /** The SPIRE server's log of the last hour. */
  log: () => Promise<string>;
}

export const trustReads = ({
  reader,
  server,
  log,
}: TrustSources): { [K in keyof TrustFacts]: () => Promise<TrustFacts[K]> } => ({
  server: () => reader.get(names.OPERATOR_API, "SpireServer", names.SINGLETON),
  conf: async () => {
    const map = await reader.get<ConfigMap>("v1", "ConfigMap", names.SPIRE_SERVER, names.OPERAND_NAMESPACE);
    return map?.data?.["server.conf"];
  },
  trust: () => readTrustObjects(reader),
  program: () => server.program(),
  store: async () => {
    const [bundles, relationships] = await Promise.all([server.bundles(), server.relationships()]);
    return { bundles, relationships };
  },
  log: async () => logOf(await log()),
});

/** The domain below which the cluster's router serves; undefined where it is no OpenShift. */
export async function readIngressDomain(reader: ClusterReader): Promise<string | undefined> {
  type Ingress = KubeObject & { spec?: { domain?: string } };
  return (await reader.get<Ingress>("config.openshift.io/v1", "Ingress", names.SINGLETON))?.spec?.domain;
}
