/** The members of a mesh as the operator is to run them: their stack files, and what these name. */
import { readFile } from "node:fs/promises";
import { join, normalize, relative } from "node:path";
import { isObject, parsed } from "../../components/shared/untyped";
import { shortName } from "../../stacks/stackName";
import { UsageError } from "../../mesh/kernel/exit";
import { type MeshMember, readMembers } from "../../mesh/members/members";
import { type Project, projectOf } from "../../mesh/members/project";
import { findStackFile, readStackFile, secretsProvider } from "../../mesh/members/stackFile";
import type { StackFile } from "../../mesh/members/stackConfig";
import type { Workspace } from "../../mesh/pulumi/workspace";

/** A file of the project's folder. */
export interface ProjectFile {
  /** From the project's folder. */
  path: string;
  text: string;
}

/** A stack that has to exist before a member runs. */
export interface NeededStack {
  id: string;
  /** URL of what encrypts its secrets; undefined: the backend's own. */
  secretsProvider?: string;
}

export interface DeployedMember {
  /** Name of its Kubernetes objects; peers call it the same in their outputs. */
  name: string;
  project: string;
  /** Its own stack first, then those of its peers in this mesh. */
  stacks: readonly [NeededStack, ...NeededStack[]];
  /** Its stack file, and the bundles that this names. */
  files: readonly ProjectFile[];
  /** Context that the stack file names. */
  context?: string;
  /** The stack file names a kubeconfig, which a pod does not have. */
  namesKubeconfig: boolean;
}

/** The operator refuses a Stack with a longer name. */
const LONGEST_NAME = 42;

/**
 * @param names of members; none for all
 * @throws UsageError with everything that is wrong with any of their files
 */
export async function readDeployed(workspace: Workspace, names: readonly string[]): Promise<DeployedMember[]> {
  const project = await projectOf(workspace);
  const everybody = await readMembers(workspace, names, "all");
  const chosen = names.length === 0 ? everybody : await readMembers(workspace, names);
  const files = new Map<string, StackFile>();
  for (const { id, config } of everybody) files.set(id, await readStackFile(project.configDir, config.self.stack));
  const deployed = await Promise.all(chosen.map((member) => deployedMember(workspace.workDir, project, member, files)));
  checkNames(deployed);
  return deployed;
}

async function deployedMember(
  dir: string,
  project: Project,
  { id, peers, config }: MeshMember,
  files: ReadonlyMap<string, StackFile>,
): Promise<DeployedMember> {
  const own = files.get(id) ?? {};
  const stack = (needed: string): NeededStack => {
    const provider = secretsProvider(files.get(needed) ?? {}, undefined);
    return { id: needed, ...(provider !== undefined && { secretsProvider: provider }) };
  };
  const context = parsed(own.config?.[`${project.name}:context`]);
  return {
    name: shortName(config.self, config.self),
    project: project.name,
    stacks: [stack(id), ...[...peers].sort().map(stack)],
    files: await filesOf(dir, project, config.self.stack, own),
    ...(typeof context === "string" && context !== "" && { context }),
    namesKubeconfig: config.kubeconfig !== undefined,
  };
}

/** @throws UsageError for a bundle outside of the project's folder */
async function filesOf(dir: string, project: Project, stack: string, file: StackFile): Promise<ProjectFile[]> {
  const found = await findStackFile(project.configDir, stack);
  if (found === undefined) throw new UsageError(`Pulumi.${stack}.yaml: it is missing`);
  const paths = bundleFiles(file, project.name).map((path) => normalize(path));
  const outside = paths.find((path) => path.startsWith("..") || path.startsWith("/"));
  if (outside !== undefined) {
    throw new UsageError(
      `${found.file}: bundleFile "${outside}" is outside the project's folder, where a pod does not have it; move it there`,
    );
  }
  const bundles = [...new Set(paths)].map(async (path) => ({ path, text: await readFile(join(dir, path), "utf8") }));
  return [{ path: relative(dir, join(found.dir, found.file)), text: found.text }, ...(await Promise.all(bundles))];
}

/** Files of bundles that `peers` names. */
function bundleFiles(file: StackFile, project: string): string[] {
  const peers = parsed(file.config?.[`${project}:peers`]);
  const entries: unknown[] = Array.isArray(peers) ? peers : [];
  return entries.flatMap((entry) =>
    isObject(entry) && typeof entry["bundleFile"] === "string" ? [entry["bundleFile"]] : [],
  );
}

function checkNames(members: readonly DeployedMember[]): void {
  const faults = members.flatMap(({ name, stacks: [own] }, index) => {
    const other = members.slice(0, index).find((one) => one.name === name);
    return [
      ...(name.length > LONGEST_NAME
        ? [`${own.id}: the operator's Stack would be called "${name}", and ${LONGEST_NAME} characters are allowed`]
        : []),
      ...(other ? [`${own.id} and ${other.stacks[0].id} would both be called "${name}"; rename one of them`] : []),
    ];
  });
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
}
