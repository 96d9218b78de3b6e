/** In which organization of the backend the project's stacks are. */
import type { Workspace } from "@pulumi/pulumi/automation";
import { pulumi } from "./cli";

/** A backend that has no organizations: Pulumi calls the one that they all are in "organization". */
const ONLY = "organization";

export interface Organizations {
  /** Whether there can be more than one. */
  several: boolean;
  /** In which a stack that is named by its name alone is looked for, and made. */
  home: string;
  /** Organizations in which there is a stack of that name in this project. */
  having: (stack: string) => string[];
}

/** Where a backend has none, or cannot be asked. */
export const NO_ORGANIZATIONS: Organizations = { several: false, home: ONLY, having: () => [] };

/** Asks Pulumi. A folder or an object store is known by its URL, and is not asked: it may be out of reach. */
export async function organizationsOf(
  workspace: Workspace,
  project: { name: string; backend?: { url?: string } },
): Promise<Organizations> {
  const url = process.env["PULUMI_BACKEND_URL"] || project.backend?.url;
  if (url !== undefined && !isCloud(url)) return NO_ORGANIZATIONS;
  const { user, url: found = "" } = JSON.parse(await pulumi(workspace, ["whoami", "--json"])) as WhoAmI;
  if (!isCloud(found)) return NO_ORGANIZATIONS;
  const [home, stacks] = await Promise.all([
    pulumi(workspace, ["org", "get-default"]),
    pulumi(workspace, ["stack", "ls", "--json", "--fully-qualify-stack-names"]),
  ]);
  return cloudOrganizations(project.name, user, home, JSON.parse(stacks) as { name: string }[]);
}

interface WhoAmI {
  user: string;
  url?: string;
}

const isCloud = (url: string): boolean => /^https?:\/\//.test(url);

/**
 * Pure.
 *
 * @param said what `pulumi org get-default` prints; without a default, Pulumi takes the user's own organization
 * @param stacks what `pulumi stack ls` prints, with full names
 */
export function cloudOrganizations(
  project: string,
  user: string,
  said: string,
  stacks: readonly { name: string }[],
): Organizations {
  const name = said.trim();
  const names = stacks.map(({ name }) => name.split("/"));
  return {
    several: true,
    // An organization's name has no spaces, and the sentence that says that there is none has.
    home: name === "" || name.includes(" ") ? user : name,
    having: (stack) =>
      names.flatMap(([organization = "", of, own]) => (of === project && own === stack ? [organization] : [])),
  };
}
