/** Which stacks are the members, and which of them the command line names. Pure. */
import type { StackName } from "../../stacks/stackName";
import { UsageError } from "../kernel/exit";
import type { Organizations } from "../pulumi/organization";
import { idOf, means } from "./identity";

export interface Roster {
  all: StackName[];
  /** In the order of the command line, each once. */
  named: StackName[];
  /** Names of the command line for which there is no stack. */
  unknown: string[];
}

/**
 * A file Pulumi.<stack>.yaml says no organization. It is the one that the command line says, or where the stack is, or
 * where Pulumi would make it.
 *
 * @param files names of the stacks that have a file
 * @throws UsageError for a stack that is in several organizations
 */
export function rosterOf(
  files: readonly string[],
  names: readonly string[],
  project: string,
  organizations: Organizations,
): Roster {
  const home = { organization: organizations.home, project };
  const faults: string[] = [];
  const all = files.map((stack): StackName => {
    const inHome = { ...home, stack };
    const said = names.flatMap((name) => (organizations.several ? (organizationIn(name, inHome) ?? []) : []));
    const found = said.length > 0 ? [...new Set(said)] : organizations.having(stack);
    const [first = home.organization] = found;
    const isHome = said.length === 0 && found.includes(home.organization);
    if (found.length > 1 && !isHome) {
      const choices = found.map((organization) => idOf({ ...inHome, organization })).join(" or ");
      faults.push(`${stack}: this may be ${choices}; name one of them in full`);
    }
    return { ...inHome, organization: isHome ? home.organization : first };
  });
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
  return {
    all,
    named: [...new Set(names.flatMap((name) => all.filter((stack) => means(name, stack))))],
    unknown: names.filter((name) => !all.some((stack) => means(name, stack))),
  };
}

/** The organization that a name of the stack says; `<stack>` and `<project>/<stack>` say none. */
function organizationIn(name: string, { project, stack }: StackName): string | undefined {
  const parts = name.split("/");
  if (parts.length < 2 || parts.at(-1) !== stack) return undefined;
  const [organization = "", second = ""] = parts;
  const ofProject = parts.length === 2 || second === project;
  return ofProject && !(parts.length === 2 && organization === project) ? organization : undefined;
}
