/** What a run that was killed has left in a stack's state: operations of which nobody knows whether they were done. Pure. */
import type { Deployment } from "@pulumi/pulumi/automation";

export interface Operation {
  /** `creating`, `updating`, `deleting`. */
  type: string;
  resource: { urn: string; inputs?: { kind?: string; metadata?: { name?: string } } };
}

interface State {
  resources?: { urn: string }[];
  pending_operations?: Operation[];
}

export function interruptedOperations(deployment: Deployment): Operation[] {
  return (deployment.deployment as State).pending_operations ?? [];
}

/**
 * The state after the next run, without the creations that are settled, and those that are left: objects that the run
 * no longer wanted, and that may be there all the same.
 *
 * Pulumi never forgets an interrupted creation by itself, since what was made may have got a name of which only the
 * provider knew. Every object here has a fixed name and is made by server-side apply: to create it again is to take up
 * what is there. What is not in the cluster, such as a fetched bundle, leaves nothing behind.
 */
export function settle({ version, deployment }: Deployment): { settled: Deployment; left: Operation[] } {
  const state = deployment as State;
  const known = new Set(state.resources?.map(({ urn }) => urn));
  const left = (state.pending_operations ?? []).filter(
    ({ resource }) => resource.inputs?.metadata?.name !== undefined && !known.has(resource.urn),
  );
  return { settled: { version, deployment: { ...state, pending_operations: left } }, left };
}

export function describeOperation({ type, resource: { urn, inputs } }: Operation): string {
  const object = inputs?.metadata?.name;
  return `${type} ${urn.split("::").at(-1) ?? urn}${object === undefined ? "" : ` (${inputs?.kind ?? ""} ${object})`}`;
}
