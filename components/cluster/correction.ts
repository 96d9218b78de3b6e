/**
 * Corrects what somebody has changed in an object that the stack owns.
 *
 * Pulumi compares only the list entries that it has set: it does not see a second subject of a RoleBinding, a rule added
 * to a Role, or another trust domain in federatesWith. So a component compares by itself: the object in the cluster with
 * what it asks for, which it knows before it declares the object. An object that differs gets another annotation. A
 * preview shows that as a change, and an up then applies the whole object, which sets its lists.
 */
import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader, KubeObject } from "./cluster";
import { OWNED } from "../shared/names";
import { orStop } from "../shared/stopProgram";

/** The version of the object that differed and was applied again; an object that never differed doesn't have it. */
export const APPLIED = "spire-federation/applied";

/** An object as a component asks for it: its identity, and the fields to compare as plain values. */
export interface WantedObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

/**
 * The annotations of an object that the stack owns.
 *
 * @param more further annotations
 */
export function ownedAnnotations(
  cluster: ClusterReader,
  wanted: pulumi.Input<WantedObject>,
  component: pulumi.Resource,
  more: Record<string, string> = {},
): pulumi.Output<Record<string, string>> {
  const asked = pulumi.output(wanted);
  const live = asked.apply(({ apiVersion, kind, metadata }) =>
    orStop(cluster.get(apiVersion, kind, metadata.name, metadata.namespace), component),
  );
  const identity = { apiVersion: undefined, kind: undefined, metadata: undefined };
  return pulumi.all([live, asked]).apply(([found, all]) => annotationsFor(found, { ...all, ...identity }, more));
}

/** Whether this program has applied the object, for whatever stack, also if somebody has changed it since. */
export function isOwned({ metadata: { annotations = {} } = {} }: KubeObject): boolean {
  return Object.entries(OWNED).every(([key, value]) => annotations[key] === value);
}

/** The annotations of an object that was read as `live`. */
export function annotationsFor(
  live: KubeObject | undefined,
  wanted: object,
  more: Record<string, string> = {},
): Record<string, string> {
  const applied = appliedAt(live, wanted);
  return { ...OWNED, ...more, ...(applied !== undefined && { [APPLIED]: applied }) };
}

/** The same, with the rest of the object's metadata. */
export function ownedMetadata(
  cluster: ClusterReader,
  wanted: pulumi.Input<WantedObject & { metadata: { namespace: string } }>,
  component: pulumi.Resource,
  more?: Record<string, string>,
) {
  const { name, namespace } = pulumi.output(wanted).apply(({ metadata }) => metadata);
  return { name, namespace, annotations: ownedAnnotations(cluster, wanted, component, more) };
}

/** The annotation's value: as it is, or the version of an object that differs. */
export function appliedAt(live: KubeObject | undefined, wanted: object): string | undefined {
  if (live === undefined) return undefined; // it is created, as asked for
  return contains(live, wanted) ? live.metadata?.annotations?.[APPLIED] : versionOf(live);
}

/** Changes with the object's specification; a changed status counts only where there is no generation. */
function versionOf({ metadata }: KubeObject): string {
  return `${metadata?.uid ?? ""}/${metadata?.generation ?? metadata?.resourceVersion ?? ""}`;
}

/** Whether `live` has all that is wanted, and no further entries in its lists; the API server adds fields, but no entries. */
export function contains(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((entry, index) => contains((live as unknown[])[index], entry))
    );
  }
  if (typeof wanted === "object" && wanted !== null) {
    return Object.entries(wanted).every(
      ([key, value]) => value === undefined || contains((live as Record<string, unknown> | undefined)?.[key], value),
    );
  }
  return live === wanted;
}
