import type { Condition, KubeObject } from "./cluster";

/** A Kubernetes object with `status.conditions`. */
export interface Conditioned extends KubeObject {
  status?: { conditions?: (Condition & { observedGeneration?: number })[] };
}

export function condition(object: Conditioned | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((entry) => entry.type === type);
}

export function isTrue(object: Conditioned | undefined, type: string): boolean {
  return condition(object, type)?.status === "True";
}

/**
 * Whether a condition is True and, where the condition says it, of the object's present generation: what was true of
 * the specification before says nothing about this one.
 */
export function isTrueNow(object: Conditioned | undefined, type: string): boolean {
  const found = object?.status?.conditions?.find((entry) => entry.type === type);
  const generation = object?.metadata?.generation ?? 0;
  return found?.status === "True" && (found.observedGeneration ?? generation) >= generation;
}

/** A condition as people write it: `Ready=False (Pending): waiting for the order`. */
export function describe(entry: Condition): string {
  return `${entry.type}=${entry.status}${entry.reason ? ` (${entry.reason})` : ""}${entry.message ? `: ${entry.message}` : ""}`;
}

/** The conditions that are not True, which is what somebody looking for the cause wants to read. */
export function notTrue(object: Conditioned | undefined): string {
  const entries = (object?.status?.conditions ?? []).filter((entry) => entry.status !== "True");
  return entries.length > 0 ? entries.map(describe).join("; ") : "no condition says why";
}

/** `Certificate spire-server-federation-tls`, as messages name an object. */
export function nameOf(kind: string, object: KubeObject): string {
  return `${kind} ${object.metadata?.name ?? "without a name"}`;
}
