/** What the files are going to say: a file for each new member, and more peers in those that are there. */
import type { ClusterAccess } from "../../components/cluster/access";
import { parseConfig } from "../../stacks/config";
import { definedOnly } from "../../stacks/fields";
import { ConfigError } from "../../stacks/refusal";
import { UsageError } from "../kernel/exit";
import type { Project } from "../members/project";
import { addPeers, type Edit, extendStackFile, readStackFile } from "../members/stackFile";
import type { Judged } from "./judgement";

/** What no cluster says. */
export interface Choices {
  /** Of new members whose cluster has no bundle endpoint yet. */
  issuer: Record<string, unknown> | undefined;
  profile: string | undefined;
  /** Stacks that trust each other; undefined: all trust all. */
  pairs: readonly (readonly [string, string])[] | undefined;
}

/** A file that is written. */
export interface PlannedFile extends Edit {
  /** Peers that it gets, where it is there. */
  peers: string[];
}

/**
 * @param judged of which the new ones get a file
 * @param existing stacks that have a file
 * @param inFile the way to a cluster, as the stack's file has it
 * @throws UsageError for a pair that names no stack, for config that no stack takes, and for a file that cannot be edited
 */
export async function planFiles(
  judged: readonly Judged[],
  existing: readonly string[],
  choices: Choices,
  project: Project,
  inFile: (kubeconfig: string) => string,
): Promise<PlannedFile[]> {
  const fresh = judged.filter(({ report }) => report.state === "new");
  const names = fresh.map(({ report }) => report.stack ?? "");
  const all = [...existing, ...names];
  const peersOf = trustAmong(all, choices.pairs);
  const files = await Promise.all(
    fresh.map(async (one, index): Promise<PlannedFile> => {
      const stack = names[index] ?? "";
      const { kubeconfig } = one.way;
      const access = { ...definedOnly({ kubeconfig: kubeconfig && inFile(kubeconfig) }), context: one.way.context };
      const config = configOf(one, access, peersOf(stack), choices);
      refuseFaults(config, project.name, stack);
      const file = await extendStackFile(project.configDir, stack, project.name, config);
      return { ...file, peers: peersOf(stack) };
    }),
  );
  const changed = await Promise.all(
    existing.map(async (stack): Promise<PlannedFile[]> => {
      // Who trusts whom among those that were there stays as it is.
      const peers = peersOf(stack).filter((peer) => names.includes(peer));
      if (peers.length === 0) return [];
      await refuseHidden(project, stack, peers);
      const edit = await addPeers(project.configDir, stack, project.name, peers);
      return edit === undefined ? [] : [{ ...edit, peers }];
    }),
  );
  return [...files, ...changed.flat()];
}

function trustAmong(all: readonly string[], pairs: Choices["pairs"]): (stack: string) => string[] {
  if (pairs === undefined) return (stack) => all.filter((other) => other !== stack);
  for (const name of pairs.flat()) {
    if (!all.includes(name))
      throw new UsageError(
        `--pair ${pairs.find((pair) => pair.includes(name))?.join(":") ?? ""}: there is no stack ${name}; stacks are ${all.join(", ")}`,
      );
  }
  return (stack) =>
    all.filter((other) => other !== stack && pairs.some((pair) => pair.includes(stack) && pair.includes(other)));
}

/** What the cluster has already wins: an up would be refused otherwise. */
function configOf(
  { report, config }: Judged,
  access: ClusterAccess,
  peers: readonly string[],
  { issuer, profile }: Choices,
): Record<string, unknown> {
  const chosen = { ...definedOnly({ profile, issuer }), ...config };
  if (chosen["profile"] === "https_spiffe") delete chosen["issuer"];
  return { ...access, trustDomain: report.trustDomain, peers, ...chosen };
}

/** Whether its issuer is to be chosen. */
export const needsIssuer = ({ report, config }: Judged, profile: string | undefined): boolean =>
  report.state === "new" && config["issuer"] === undefined && (config["profile"] ?? profile) !== "https_spiffe";

function refuseFaults(config: Record<string, unknown>, project: string, stack: string): void {
  try {
    parseConfig(config, { organization: "organization", project, stack });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.problems.map(({ path, message }) => `Pulumi.${stack}.yaml: ${project}:${path}: ${message}`);
    throw new UsageError(lines.join("\n"));
  }
}

/** A list in the file would replace the one that the stack has from elsewhere. */
async function refuseHidden(project: Project, stack: string, peers: readonly string[]): Promise<void> {
  const key = `${project.name}:peers`;
  const { config = {}, environment } = await readStackFile(project.configDir, stack);
  const usual = project.defaults[key];
  if (config[key] !== undefined || (environment === undefined && (!Array.isArray(usual) || usual.length === 0))) return;
  const where = environment === undefined ? "Pulumi.yaml has them" : "an environment that it imports may have them";
  throw new UsageError(
    `Pulumi.${stack}.yaml: ${key} is not in it, and ${where}; add ${peers.join(", ")} there by hand`,
  );
}
