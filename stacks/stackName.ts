/** Names of stacks: what a person writes, what a StackReference needs, and what the objects of a peer are called. */

/** The stack itself, or another one; the three together are unique in a backend. */
export interface StackName {
  organization: string;
  project: string;
  stack: string;
}

/** A stack name as written in config (`cluster2`, or `organization/project/cluster2`); undefined when it is neither. */
export function parseStackName(text: string, self: StackName): StackName | undefined {
  const parts = text.split("/");
  // A letter or digit at least: the names of Kubernetes objects are made from it.
  if (!parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part) && /[A-Za-z0-9]/.test(part))) return undefined;
  const [first = "", project = "", stack = ""] = parts;
  if (parts.length === 1) return { ...self, stack: first };
  return parts.length === 3 ? { organization: first, project, stack } : undefined;
}

/** The form that names the stack from anywhere; two names are the same stack when these are equal. */
export function qualified(name: StackName): string {
  return `${name.organization}/${name.project}/${name.stack}`;
}

/**
 * The short, lasting name that a peer's objects carry, such as `cluster2` in `cluster2-federation`: the stack's own name
 * within one project, preceded by whatever of project and organization is not ours. Kubernetes allows it as it is.
 */
export function shortName(name: StackName, self: StackName): string {
  const parts = [name.stack];
  if (qualified({ ...name, stack: self.stack }) !== qualified(self)) parts.unshift(name.project);
  if (name.organization !== self.organization) parts.unshift(name.organization);
  return parts
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
