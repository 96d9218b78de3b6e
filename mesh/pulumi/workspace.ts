/** The project, its Pulumi, and what its stacks have published. */
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { type EngineEvent, LocalWorkspace, type OpMap, PulumiCommand, type Workspace } from "@pulumi/pulumi/automation";
import { type Contract, isPublished } from "../../stacks/contract";
import type { Interruption } from "../kernel/interruption";
import { pulumi } from "./cli";
import { PulumiError } from "./runPulumi";

export type { EngineEvent, OpMap, Workspace };

/** What a stack has published, as far as the mesh looks at it. */
export interface Published {
  /** Undefined as long as the stack has no endpoint that answered. */
  federation?: Contract;
  /** Whether the stack needs one more up, whatever its peers publish. */
  runAgain?: boolean;
  /** Peers that had published nothing when the stack ran last. */
  pendingPeers: string[];
  /** Whom the cluster trusts, by stack. */
  peers: Record<string, { trustDomain: string; fingerprints: string[] }>;
}

/** Opens the project in a folder; `pulumi` is the project's own, as `npx pulumi` would be. */
export async function openProject(dir: string): Promise<Workspace> {
  return LocalWorkspace.create({ workDir: dir, pulumiCommand: await pulumiOf(resolve(dir)) });
}

/**
 * The program that npm's `pulumi` starts, or whatever is on the PATH of a project without that. Not npm's itself: a
 * signal ends that at once, and leaves Pulumi running.
 */
async function pulumiOf(dir: string): Promise<PulumiCommand> {
  const require = createRequire(join(dir, "package.json"));
  let npm: { resolve: () => Promise<string> };
  try {
    npm = require("pulumi/lib/resolve.js") as typeof npm;
  } catch {
    return PulumiCommand.get();
  }
  return PulumiCommand.get({ root: dirname(dirname(await npm.resolve())) });
}

/**
 * Makes a stack. The one that the user has selected stays selected.
 *
 * @param secretsProvider URL; undefined: the backend's own, a passphrase or Pulumi Cloud
 */
export async function makeStack(workspace: Workspace, id: string, secretsProvider?: string): Promise<void> {
  const by = secretsProvider === undefined ? [] : [`--secrets-provider=${secretsProvider}`];
  await pulumi(workspace, ["stack", "init", id, "--no-select", ...by]);
}

/** Undefined when the backend has no such stack: the reading says so, and to ask before it would take as long again. */
export async function published(
  workspace: Workspace,
  id: string,
  interruption?: Interruption,
): Promise<Published | undefined> {
  try {
    const said = await pulumi(workspace, ["stack", "output", "--json", "--stack", id], {
      ...(interruption && { interruption }),
    });
    return publishedIn(JSON.parse(said) as Partial<Published>);
  } catch (error) {
    if (error instanceof PulumiError && error.isMissing) return undefined;
    throw error;
  }
}

/** Other outputs are for people. A peer whose roots are not known is one that an `up` went past. */
export const publishedIn = ({
  federation,
  runAgain,
  pendingPeers = [],
  peers = {},
}: Partial<Published>): Published => ({
  ...(isPublished(federation) && { federation }),
  ...(runAgain === true && { runAgain }),
  pendingPeers,
  peers: Object.fromEntries(Object.entries(peers).filter(([, { fingerprints }]) => isPublished(fingerprints))),
});
