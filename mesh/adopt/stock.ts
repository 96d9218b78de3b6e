/** Takes stock of a cluster for a stack that may have no file yet: what its file has to say, and what stands in the way. */
import { relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ClusterAccess } from "../../components/cluster/access";
import type { ClusterReader } from "../../components/cluster/cluster";
import { AccessError } from "../../components/cluster/kubeconfig";
import { isObject } from "../../components/shared/untyped";
import { definedOnly } from "../../stacks/fields";
import { UsageError } from "../kernel/exit";
import { stacksWithFile } from "../members/stackNames";
import type { Project } from "../members/project";
import type { SpireServer } from "../spire/spireServer";
import { type Extension, extendStackFile, readStackFile } from "../members/stackFile";
import { foundConfig, type FoundConfig } from "./foundConfig";
import { survey } from "./survey";

export interface Stock extends FoundConfig {
  stack: string;
  trustDomain: string | undefined;
  /** The stack's file, with what was found. */
  file: Extension;
}

export interface StockWorld {
  project: Project;
  /** Folder of the project, where a relative path of a kubeconfig starts. */
  dir: string;
  reader(access: ClusterAccess): ClusterReader;
  server(access: ClusterAccess): Pick<SpireServer, "bundles">;
}

/**
 * @param given what the command line says of the way to a cluster
 * @throws UsageError for a name that is no stack's, and where the kubeconfig does not lead to its cluster
 */
export async function takeStock(
  names: readonly string[],
  given: ClusterAccess,
  { project, dir, ...world }: StockWorld,
): Promise<Stock[]> {
  const surveys = await Promise.all(
    names.map(async (stack) => {
      const access = await accessOfStack(stack, given, project);
      const here = { ...access, ...definedOnly({ kubeconfig: fromHere(dir, access.kubeconfig) }) };
      const found = await survey(open(world, here), world.server(here));
      return { stack, access, found };
    }),
  );
  const known = new Map<string, string>();
  for (const [stack, domain] of await trustDomains(project)) if (domain !== undefined) known.set(domain, stack);
  for (const { stack, found } of surveys) if (found.trustDomain !== undefined) known.set(found.trustDomain, stack);
  return Promise.all(
    surveys.map(async ({ stack, access, found }): Promise<Stock> => {
      const taken = foundConfig(found, { ...access, stacks: known, now: new Date() });
      const file = await extendStackFile(project.configDir, stack, project.name, taken.config, sameButBundles);
      const { config = {} } = await readStackFile(project.configDir, stack);
      const obstacles = taken.obstacles.filter(({ unless }) => config[`${project.name}:${unless ?? ""}`] === undefined);
      return { stack, trustDomain: found.trustDomain, file, ...taken, obstacles };
    }),
  );
}

/** Whether values of the config say the same; what SPIRE holds of a peer is another bundle after each rotation. */
const sameButBundles = (one: unknown, other: unknown): boolean =>
  isDeepStrictEqual(withoutBundles(one), withoutBundles(other));

const withoutBundles = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map((entry: unknown) => (isObject(entry) ? { ...entry, bundle: undefined, bundleFile: undefined } : entry))
    : value;

/** By the command line, or the stack's file; without either, by a context that is called like the stack. */
async function accessOfStack(
  stack: string,
  given: ClusterAccess,
  { configDir, name }: Project,
): Promise<ClusterAccess & { context: string }> {
  if (!/^[\w.-]{1,100}$/.test(stack)) throw new UsageError(`"${stack}" is not the name of a stack, such as cluster1`);
  const { config = {} } = await readStackFile(configDir, stack);
  const said = (key: keyof ClusterAccess): string | undefined => {
    const value = config[`${name}:${key}`];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const kubeconfig = given.kubeconfig ?? said("kubeconfig");
  return { context: given.context ?? said("context") ?? stack, ...definedOnly({ kubeconfig }) };
}

function open(world: Pick<StockWorld, "reader">, access: ClusterAccess): ClusterReader {
  try {
    return world.reader(access);
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    throw new UsageError(`${error.message}; name the one that leads to the cluster with --context`);
  }
}

/** A path as the project has it, for the current folder. */
export function fromHere(dir: string, kubeconfig: string | undefined): string | undefined {
  return kubeconfig === undefined || /^[~/]/.test(kubeconfig) ? kubeconfig : relative("", resolve(dir, kubeconfig));
}

/**
 * The stacks of the folder, with the trust domains that their files say.
 *
 * @throws UsageError for a file that cannot be read
 */
export async function trustDomains({ configDir, name }: Project): Promise<Map<string, string | undefined>> {
  const stacks = new Map<string, string | undefined>();
  for (const stack of await stacksWithFile(configDir)) {
    const { config = {} } = await readStackFile(configDir, stack).catch((error: unknown) => {
      throw error instanceof UsageError ? new UsageError(`Pulumi.${stack}.yaml: ${error.message}`) : error;
    });
    const trustDomain = config[`${name}:trustDomain`];
    stacks.set(stack, typeof trustDomain === "string" ? trustDomain : undefined);
  }
  return stacks;
}
