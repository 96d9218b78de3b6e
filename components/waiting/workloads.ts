import { word } from "../shared/shell";
import { type ClusterAccess, oc } from "../cluster/access";
import type { KubeObject } from "../cluster/cluster";
import { failed, ready, waiting, type Verdict } from "./readiness";

/** A container may end a few times while what it needs is starting: SPIRE's controller manager does, until the server answers. */
const SETTLE_SECONDS = 30;

/** Deployment or StatefulSet, as far as its rollout goes. */
export interface Workload extends KubeObject {
  spec?: { replicas?: number; template?: { metadata?: { annotations?: Record<string, string> } } };
  status?: { observedGeneration?: number; updatedReplicas?: number; readyReplicas?: number; replicas?: number };
}

export interface Pod extends KubeObject {
  spec?: { nodeName?: string };
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
  restartCount?: number;
  state?: {
    running?: { startedAt?: string };
    waiting?: { reason?: string; message?: string };
    terminated?: Termination;
  };
  lastState?: { terminated?: Termination };
}

interface Termination {
  reason?: string;
  exitCode?: number;
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

/** Why a pod is not ready, in a few words; undefined when it is. */
export function whyNotReady(pod: Pod): string | undefined {
  const isReady = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  return isReady ? undefined : describePod(pod);
}

/** Whether every pod runs and is ready; finished pods of jobs and pods on their way out don't count. */
export function podsReadiness(pods: readonly Pod[], access: ClusterAccess): Verdict {
  for (const pod of pods) {
    if (pod.status?.phase === "Succeeded" || pod.metadata?.deletionTimestamp !== undefined) {
      continue;
    }
    const why = whyNotReady(pod);
    if (why !== undefined) {
      const said = `Pod ${pod.metadata?.name ?? ""} is ${why}`;
      const cure = containers(pod).flatMap((container) => cureOf(pod, container, access))[0];
      return cure === undefined ? waiting(said) : failed(`${said}; ${cure}`, SETTLE_SECONDS);
    }
  }
  return ready;
}

/** What to do about a container that will not come to run by itself; nothing when it may still. */
function cureOf({ metadata }: Pod, container: ContainerStatus, access: ClusterAccess): string[] {
  const { name, ready = false, restartCount = 0, ...status } = container;
  const place = `-n ${word(metadata?.namespace ?? "")} ${word(metadata?.name ?? "")}`;
  const reason = status.state?.waiting?.reason ?? "";
  // Between two back-offs it runs for a moment; that it was restarted stays.
  const crashed = restartCount > 1 && (status.lastState?.terminated?.exitCode ?? 0) !== 0;
  if (!ready && (crashed || reason === "CrashLoopBackOff")) {
    return [`"${oc(access, `logs ${place} -c ${word(name)} --previous`)}" says why it ends`];
  }
  return /^(ErrImage|ImagePull|InvalidImage|CreateContainer|RunContainer)/.test(reason)
    ? [`"${oc(access, `describe pod ${place}`)}" says more`]
    : [];
}

function containers({ status }: Pod): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function describePod(pod: Pod): string {
  const stuck = containers(pod).flatMap(({ name, state, lastState }) => {
    const reason = state?.waiting?.reason ?? state?.terminated?.reason;
    const message = state?.waiting?.message;
    const exit = lastState?.terminated?.exitCode;
    return reason === undefined || reason === "Completed"
      ? []
      : [`${name}: ${reason}${message ? `, ${message}` : ""}${exit === undefined ? "" : `, last exit code ${exit}`}`];
  });
  const unscheduled = pod.status?.conditions?.find((entry) => entry.type === "PodScheduled" && entry.status !== "True");
  const causes = stuck.length > 0 ? stuck : unscheduled?.message ? [unscheduled.message] : [];
  return [`${pod.status?.phase ?? "not started"}, not ready`, ...causes].join("; ");
}
