/** Operations in a stack's state that a killed run has left, and of which nobody knows whether they were done. Pure. */
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
 * Interrupted creations of objects that the run after the interruption has not created: it no longer wanted them, and they
 * may be there all the same.
 *
 * Pulumi never forgets an interrupted creation by itself, since only the provider may know the name of what was created.
 * Every object here has a fixed name and is created by server-side apply: to create it again is to take over what is there.
 * What is not in the cluster, such as a fetched bundle, leaves nothing behind.
 */
export function noLongerWanted({ deployment }: Deployment): Operation[] {
  const state = deployment as State;
  const known = new Set(state.resources?.map(({ urn }) => urn));
  return (state.pending_operations ?? []).filter(
    ({ type, resource }) =>
      type === "creating" && resource.inputs?.metadata?.name !== undefined && !known.has(resource.urn),
  );
}

export function describeOperation({ type, resource: { urn, inputs } }: Operation): string {
  const object = inputs?.metadata?.name;
  return `${type} ${urn.split("::").at(-1) ?? urn}${object === undefined ? "" : ` (${inputs?.kind ?? ""} ${object})`}`;
}
