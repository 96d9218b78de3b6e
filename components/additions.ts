import * as pulumi from "@pulumi/pulumi";
import type { ClusterReader, KubeObject } from "./cluster";
import { OWNED } from "./names";
import { asFault } from "./problem";

/**
 * Makes what somebody has added to an object of the stack a change that a preview shows and an up puts right.
 *
 * Of a list Pulumi compares as many entries as it has set: a second subject of a RoleBinding, a rule added to a Role or
 * another trust domain in federatesWith is none of its business. So the program looks by itself. An object that does not
 * have just what was asked for gets another annotation, and is applied as a whole, which sets its lists.
 */
export function showAdditions(reader: ClusterReader): pulumi.ResourceTransformation {
  return ({ resource, props, opts }) => {
    const { apiVersion, kind, metadata, ...content } = props as Partial<Declared>;
    if (apiVersion === undefined || kind === undefined || metadata?.annotations === undefined) return undefined;
    if (!Object.keys(OWNED).every((key) => key in (metadata.annotations ?? {}))) return undefined;
    const { name, namespace } = metadata;
    const applied = valueIfKnown(pulumi.output(content))
      .then(async (asked) => {
        const live = await reader.get(apiVersion, kind, name, namespace);
        return asked === undefined ? live?.metadata?.annotations?.[APPLIED] : appliedAt(live, asked);
      })
      .catch(asFault(resource));
    const annotations = { ...metadata.annotations, [APPLIED]: pulumi.output(applied) };
    return { props: { ...props, metadata: { ...metadata, annotations } }, opts };
  };
}

/**
 * The value of an output, undefined as long as it is not known. A promise, and no output: what the object asks for may
 * depend on an object that is to be made anew, and Pulumi makes everything anew whose metadata depends on such a one.
 */
async function valueIfKnown<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  // Pulumi's own way to ask, which its types don't show.
  const asking = output as unknown as { isKnown: Promise<boolean>; promise(): Promise<T> };
  return (await asking.isKnown) ? asking.promise() : undefined;
}

/** When an object was applied because it was not as asked for; objects that always were don't have it. */
export const APPLIED = "spire-federation/applied";

/** An object of Kubernetes, as the components declare them. */
interface Declared {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, pulumi.Input<string>> };
}

/** What the annotation is to be: what it is, or now when the object is not as asked for. */
export function appliedAt(live: KubeObject | undefined, asked: object): string | undefined {
  if (live === undefined) return undefined; // it is made, as asked for
  return contains(live, asked) ? live.metadata?.annotations?.[APPLIED] : new Date().toISOString();
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
