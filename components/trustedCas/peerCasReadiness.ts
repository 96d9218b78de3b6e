/** Which ConfigMap with CAs SPIRE's pods have. */
import type { ClusterReader } from "../cluster/cluster";
import { OIDC_PROVIDER, OPERAND_NAMESPACE, SPIRE_AGENT, SPIRE_SERVER, TRUSTED_CA_ENV } from "../shared/names";
import { firstNotReady, ready, type Verdict, waiting } from "../waiting/readiness";
import { rolloutReadiness, type Workload } from "../waiting/workloads";

/** Volume of the CAs, in all that the operator gives them to. */
const VOLUME = "trusted-ca-bundle";

interface Mounting extends Workload {
  spec?: NonNullable<Workload["spec"]> & {
    template?: { spec?: { volumes?: { name?: string; configMap?: { name?: string } }[] } };
  };
}

/** The ConfigMap with CAs that a workload's pods get; undefined where they have the system's. */
export function mountedCas(workload: Workload | undefined): string | undefined {
  const volumes = (workload as Mounting | undefined)?.spec?.template?.spec?.volumes ?? [];
  return volumes.find(({ name }) => name === VOLUME)?.configMap?.name;
}

/** Whether the SPIRE server runs with that ConfigMap, and new pods of agents and OIDC provider get it. */
export const lookAtMountedCas = (reader: ClusterReader, name: string): Promise<Verdict> =>
  look(reader, (mounted) => mounted === name, name);

/** Whether no pod needs any of these ConfigMaps any more. */
export const lookAtUnmountedCas = (reader: ClusterReader, prefix: string): Promise<Verdict> =>
  look(reader, (mounted) => mounted?.startsWith(prefix) !== true, "another");

async function look(
  reader: ClusterReader,
  isRight: (mounted: string | undefined) => boolean,
  wanted: string,
): Promise<Verdict> {
  const places = [
    ["StatefulSet", SPIRE_SERVER],
    ["DaemonSet", SPIRE_AGENT],
    ["Deployment", OIDC_PROVIDER],
  ] as const;
  const found = await Promise.all(
    places.map(async ([kind, name]) => ({
      kind,
      name,
      workload: await reader.get<Workload>("apps/v1", kind, name, OPERAND_NAMESPACE),
    })),
  );
  return firstNotReady(
    ...found.map(({ kind, name, workload }) => (): Verdict => {
      const mounted = mountedCas(workload);
      if (workload === undefined || isRight(mounted)) return ready;
      const state = `mounts ConfigMap ${mounted ?? "none"} with CAs, and not ${wanted}`;
      return waiting(`${kind} ${name} ${state}; OLM gives ${TRUSTED_CA_ENV} to the operator, which then changes it`);
    }),
    () => {
      const server = found[0]?.workload;
      return server === undefined ? ready : rolloutReadiness("StatefulSet", server);
    },
  );
}
