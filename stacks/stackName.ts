/** Names of stacks: what a person writes, what a StackReference needs, and what the objects of a peer are called. */

/** The stack itself, or another one; the three together are unique in a backend. */
export interface StackName {
  organization: string;
  project: string;
  stack: string;
}

/**
 * A stack name as written in config: `cluster2`, `project/cluster2` or `organization/project/cluster2`; undefined when it
 * is none of these, or has two meanings (see `meanings`).
 */
export function parseStackName(text: string, self: StackName): StackName | undefined {
  const read = meanings(text, self);
  return read.length === 1 ? read[0] : undefined;
}

/**
 * Every stack that a text may name. Pulumi reads `a/b` as organization and stack, so `acme/cluster2`, written in
 * organization acme, has two meanings: nobody guesses which one is meant.
 */
export function meanings(text: string, self: StackName): StackName[] {
  const parts = text.split("/");
  // A letter or digit at least: the names of Kubernetes objects are made from it.
  if (!parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part) && /[A-Za-z0-9]/.test(part))) return [];
  const [first = "", second = "", third = ""] = parts;
  if (parts.length === 1) return [{ ...self, stack: first }];
  if (parts.length === 3) return [{ organization: first, project: second, stack: third }];
  if (parts.length !== 2) return [];
  const inProject = { ...self, project: first, stack: second };
  return isAmbiguous(first, self) ? [inProject, { ...self, stack: second }] : [inProject];
}

/** Whether `<first>/<stack>` may be the project or the organization of that name. */
const isAmbiguous = (first: string, self: StackName): boolean => first === self.organization && first !== self.project;

/** The form that names the stack from anywhere; two names are the same stack when these are equal. */
export function qualified(name: StackName): string {
  return `${name.organization}/${name.project}/${name.stack}`;
}

/** The shortest text that names the stack beside `self`: the reverse of `parseStackName`. */
export function shortest(name: StackName, self: StackName): string {
  if (name.organization !== self.organization) return qualified(name);
  if (name.project === self.project) return name.stack;
  return isAmbiguous(name.project, self) ? qualified(name) : `${name.project}/${name.stack}`;
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
