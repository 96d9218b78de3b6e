import type { KubeObject } from "./cluster";
import { ready, waiting, type Verdict } from "./readiness";

/** Deployment or StatefulSet, as far as its rollout goes. */
export interface Workload extends KubeObject {
  spec?: { replicas?: number; template?: { metadata?: { annotations?: Record<string, string> } } };
  status?: { observedGeneration?: number; updatedReplicas?: number; readyReplicas?: number; replicas?: number };
}

export interface Pod extends KubeObject {
  status?: {
    phase?: string;
    conditions?: { type: string; status: string; message?: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

interface ContainerStatus {
  name: string;
  ready?: boolean;
  state?: { waiting?: { reason?: string; message?: string }; terminated?: { reason?: string; exitCode?: number } };
}

/** Whether every replica is of the present generation and ready. */
export function rolloutReadiness(kind: string, workload: Workload): Verdict {
  const name = `${kind} ${workload.metadata?.name ?? ""}`;
  const { generation = 0 } = workload.metadata ?? {};
  const { observedGeneration = 0, updatedReplicas = 0, readyReplicas = 0, replicas = 0 } = workload.status ?? {};
  const wanted = workload.spec?.replicas ?? 1;
  if (observedGeneration < generation) {
    return waiting(
      `${name} has not been seen by its controller (generation ${generation}, observed ${observedGeneration})`,
    );
  }
  if (updatedReplicas !== wanted || readyReplicas !== wanted || replicas !== wanted) {
    return waiting(
      `${name} is rolling out: of ${wanted} replicas ${updatedReplicas} are updated and ${readyReplicas} ready`,
    );
  }
  return ready;
}

/** Whether every pod runs and is ready; finished pods of jobs and pods on their way out don't count. */
export function podsReadiness(pods: readonly Pod[]): Verdict {
  for (const pod of pods) {
    if (pod.status?.phase === "Succeeded" || pod.metadata?.deletionTimestamp !== undefined) {
      continue;
    }
    if (pod.status?.conditions?.some((entry) => entry.type === "Ready" && entry.status === "True") !== true) {
      return waiting(`Pod ${pod.metadata?.name ?? ""} is ${describePod(pod)}`);
    }
  }
  return ready;
}

function describePod(pod: Pod): string {
  const containers = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const stuck = containers.flatMap(({ name, state }) => {
    const reason = state?.waiting?.reason ?? state?.terminated?.reason;
    const message = state?.waiting?.message;
    return reason === undefined || reason === "Completed" ? [] : [`${name}: ${reason}${message ? `, ${message}` : ""}`];
  });
  const unscheduled = pod.status?.conditions?.find((entry) => entry.type === "PodScheduled" && entry.status !== "True");
  const causes = stuck.length > 0 ? stuck : unscheduled?.message ? [unscheduled.message] : [];
  return [`${pod.status?.phase ?? "not started"}, not ready`, ...causes].join("; ");
}
