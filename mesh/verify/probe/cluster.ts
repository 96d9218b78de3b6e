/** What a probe may do in a cluster: to read, and to make and take away its own objects. */
import { ApiException, CoreV1Api, PatchStrategy } from "../../../components/cluster/kubernetesClient";
import type { ClusterAccess } from "../../../components/cluster/access";
import type { ClusterReader } from "../../../components/cluster/cluster";
import { connect, connectClient, kubeConfig } from "../../../components/cluster/connect";
import { FIELD_MANAGER } from "../../../components/shared/names";
import { type Made, type Named, PROBE } from "./probeObjects";

export interface ProbeCluster extends ClusterReader {
  /** Whether it was made; if not, it was there. */
  create(object: Made): Promise<boolean>;
  /** Makes it, or makes one that is there be like this. */
  apply(object: Made): Promise<void>;
  /** Asks for it to be deleted; what isn't there is none. */
  remove(object: Named): Promise<void>;
  /** What the workload has said so far; nothing as long as it doesn't run. */
  log(): Promise<string>;
}

/** @throws AccessError at once when the kubeconfig does not lead to a cluster, and an Error from each call when the cluster doesn't answer */
export function connectProbe(access: ClusterAccess): ProbeCluster {
  const client = connectClient(access);
  const core = kubeConfig(access).makeApiClient(CoreV1Api);
  const named = ({ kind, metadata }: Named): string => `${kind} ${metadata.name}`;
  /** Unlike for one that reads, a kind that is not there is an error. */
  const write = async (what: string, request: () => Promise<object>): Promise<void> => {
    const written = await client.attempt<object | undefined>(what, undefined, request);
    if (written === undefined)
      throw new Error(`${client.place}: cannot ${what}: the kind or the namespace is not there`);
  };
  return {
    ...connect(access),
    create: async (object) => {
      try {
        await write(`create ${named(object)}`, () => client.create(object));
      } catch (error) {
        const { cause } = error as Error;
        if (cause instanceof ApiException && cause.code === 409) return false;
        throw error;
      }
      return true;
    },
    apply: (object) =>
      write(`apply ${named(object)}`, () =>
        client.patch(object, undefined, undefined, FIELD_MANAGER, true, PatchStrategy.ServerSideApply),
      ),
    remove: async ({ apiVersion, kind, metadata: { name, namespace } }) => {
      const object = { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } };
      await client.attempt<unknown>(`delete ${kind} ${name}`, undefined, () => client.delete(object));
    },
    log: () => client.attempt("read the log of the probe's pod", "", () => read(core)),
  };
}

async function read(core: CoreV1Api): Promise<string> {
  try {
    return await core.readNamespacedPodLog({ name: PROBE, namespace: PROBE });
  } catch (error) {
    // The API server's way to say that the container has not begun.
    if (error instanceof ApiException && error.code === 400) return "";
    throw error;
  }
}
