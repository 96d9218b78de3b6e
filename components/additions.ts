import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader, KubeObject } from "./cluster";
import { OWNED } from "./names";
import { asFault } from "./problem";
import { onlyInUp } from "./savedPlan";

/**
 * Shows what somebody has added to an object of the stack as a change in a preview, and lets an up correct it.
 *
 * Pulumi compares only the list entries it has set: it does not see a second subject of a RoleBinding, a rule added to
 * a Role, or another trust domain in federatesWith. So the program compares by itself. An object that does not have
 * exactly what was asked for gets another annotation. That makes Pulumi apply the whole object, which sets its lists.
 */
export function showAdditions(reader: ClusterReader): pulumi.ResourceTransformation {
  return ({ resource, props, opts }) => {
    const { apiVersion, kind, metadata, ...content } = props as Partial<Declared>;
    if (apiVersion === undefined || kind === undefined || metadata?.annotations === undefined) return undefined;
    if (!Object.keys(OWNED).every((key) => key in (metadata.annotations ?? {}))) return undefined;
    const { name, namespace } = metadata;
    const applied = plain(content)
      .then(async (asked) => appliedAt(await reader.get(apiVersion, kind, name, namespace), asked))
      .catch(asFault(resource));
    const annotations = { ...metadata.annotations, [APPLIED]: pulumi.output(applied) };
    return { props: { ...props, metadata: { ...metadata, annotations } }, opts };
  };
}

/**
 * What an object asks for, undefined as long as it is not known. A promise, not an output: the content may depend on
 * another resource, and when that is replaced, Pulumi replaces every object whose metadata depends on it.
 */
async function plain(content: object): Promise<object | undefined> {
  const value = pulumi.unsecret(pulumi.output(content));
  const serialized = (await pulumi.runtime.serializeProperties("content", { value })) as { value: unknown };
  return serialized.value === pulumi.runtime.unknownValue ? undefined : (serialized.value as object);
}

/** The version of the object that was not as asked for, so that it was applied; objects that always were don't have it. */
export const APPLIED = "spire-federation/applied";

/** An object of Kubernetes, as the components declare them. */
interface Declared {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, pulumi.Input<string>> };
}

/** What the annotation is to be: what it is, or the object's version when the object is not as asked for. */
export function appliedAt(live: KubeObject | undefined, asked: object | undefined): pulumi.Input<string | undefined> {
  const applied = live?.metadata?.annotations?.[APPLIED];
  if (live === undefined) return undefined; // it is created, as asked for
  if (asked === undefined) return onlyInUp(() => applied); // the preview cannot know whether it is as asked for
  return contains(live, asked) ? applied : versionOf(live);
}

/** Another one after each change of what the object asks for; a changed status counts only where there is no generation. */
function versionOf({ metadata }: KubeObject): string {
  return `${metadata?.uid ?? ""}/${metadata?.generation ?? metadata?.resourceVersion ?? ""}`;
}

/** Whether `live` has all that was asked for, and of lists nothing else; the API server adds fields, but no entries. */
export function contains(live: unknown, asked: unknown): boolean {
  if (Array.isArray(asked)) {
    return (
      Array.isArray(live) &&
      live.length === asked.length &&
      asked.every((entry, index) => contains((live as unknown[])[index], entry))
    );
  }
  if (typeof asked === "object" && asked !== null) {
    return Object.entries(asked).every(
      ([key, value]) => value === undefined || contains((live as Record<string, unknown> | undefined)?.[key], value),
    );
  }
  return live === asked;
}
