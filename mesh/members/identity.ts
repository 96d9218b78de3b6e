/**
 * Who a member is. `organization/project/stack` (its id) tells a stack from every other one of the backend, and is what
 * members and peers are compared by. The label is for people: the shortest name, and one that `pulumi --stack` takes.
 */
import { qualified, shortest, type StackName } from "../../stacks/stackName";

/** Where the command runs: the project of this folder, and the organization that a short name is taken to be in. */
export type Home = Omit<StackName, "stack">;

export const idOf = qualified;

export const labelOf = (name: StackName, home: Home): string => shortest(name, { ...home, stack: "" });

/** The stack of an id. */
export function fromId(id: string): StackName {
  const [organization = "", project = "", stack = ""] = id.split("/");
  return { organization, project, stack };
}

/**
 * Whether somebody who writes `text` may mean that stack. On the command line there are only the stacks of this folder to
 * choose from, so `<project>/<stack>` and Pulumi's own `<organization>/<stack>` are both understood.
 */
export function means(text: string, name: StackName): boolean {
  const { organization, project, stack } = name;
  return [stack, `${project}/${stack}`, `${organization}/${stack}`, qualified(name)].includes(text);
}
