/** What the stacks of new members are called. Pure. */
import { UsageError } from "../kernel/exit";

/** A cluster that needs a name. */
export interface Nameless {
  context: string;
  trustDomain?: string;
  ingressDomain?: string;
  /** What the command line calls it. */
  stack?: string;
}

/**
 * A name for each, in their order: that of the command line, or the context's; where that is no stack's name, such as `oc
 * login` makes them, or every installer's `admin`, the cluster's own in its ingress domain.
 *
 * @param taken names that other stacks have
 * @throws UsageError for a name of the command line that cannot be a stack's or is taken, and where no name is left
 */
export function nameStacks(clusters: readonly Nameless[], taken: readonly string[]): string[] {
  const used = new Set(taken.map(keyOf));
  for (const { stack, context } of clusters) {
    if (stack === undefined) continue;
    if (!isName(stack)) throw new UsageError(`"${stack}" is not the name of a stack, such as cluster1`);
    if (used.has(keyOf(stack)))
      throw new UsageError(`${stack}=${context}: there is a stack ${stack} already; choose another name`);
    used.add(keyOf(stack));
  }
  return clusters.map((cluster) => {
    if (cluster.stack !== undefined) return cluster.stack;
    const name = ideas(cluster).find((one) => isName(one) && !used.has(keyOf(one)));
    if (name === undefined)
      throw new UsageError(
        `context "${cluster.context}": no name is left for its stack; say one, as <stack>=<context>`,
      );
    used.add(keyOf(name));
    return name;
  });
}

/** The first one that is free is taken. */
function ideas({ context, trustDomain = "", ingressDomain = "" }: Nameless): string[] {
  const domains = [ingressDomain, trustDomain].map((domain) => domain.replace(/^apps\./, ""));
  return [
    ...(context === "admin" ? [] : [context]),
    ...domains.map((domain) => domain.split(".")[0] ?? ""),
    ...domains.map((domain) => domain.replaceAll(".", "-")),
  ];
}

/** Pulumi takes these, files have such names everywhere, and a letter or digit is needed for the names of objects. */
const isName = (text: string): boolean => /^[\w.-]{1,100}$/.test(text) && /^[A-Za-z0-9]/.test(text);

/** Two stacks of one key would have files, or objects in a cluster, of one name. */
const keyOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
