/** Kubernetes objects among the resources of a program. */
import { known, type Resource } from "./rule";

interface Props {
  metadata?: { name?: string; namespace?: string };
}

/** Whether it declares an object of a kind, as a whole or as a patch, in any version of its API. */
export function isKind({ type }: Resource, group: string, kind: string): boolean {
  const [, api = "", declared = ""] = /^kubernetes:([^/]+)\/[^:]+:(\w+)$/.exec(type) ?? [];
  return api === group && declared.replace(/Patch$/, "") === kind;
}

/** Whether it sets fields of an object that somebody else may have created. */
export const isPatch = ({ type }: Resource): boolean => type.endsWith("Patch");

export function namespaceOf({ props, provider }: Resource): string {
  const { namespace } = provider?.props ?? {};
  return (props as Props).metadata?.namespace ?? (typeof namespace === "string" ? namespace : "default");
}

/** By its name in the cluster, or in the program where that is not known. */
export const nameOf = ({ props, name }: Resource): string => known(() => (props as Props).metadata?.name) ?? name;

/** A program may have several clusters, each with a provider of its own. */
export function byCluster(resources: readonly Resource[]): Resource[][] {
  const clusters = new Map<string, Resource[]>();
  for (const resource of resources) {
    const cluster = resource.provider?.urn ?? "";
    clusters.set(cluster, [...(clusters.get(cluster) ?? []), resource]);
  }
  return [...clusters.values()];
}
