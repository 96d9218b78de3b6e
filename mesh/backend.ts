/** The way to Pulumi: one place for the Automation API. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  type EngineEvent,
  LocalWorkspace,
  type OpMap,
  PulumiCommand,
  Stack,
  StackNotFoundError,
  type Workspace,
} from "@pulumi/pulumi/automation";
import type { Contract } from "../stacks/contract";

const run = promisify(execFile);

export type { EngineEvent, OpMap, Workspace };

/** What a stack has published, as far as the mesh looks at it. */
export interface Published {
  /** Undefined as long as the stack has no endpoint that answered. */
  federation?: Contract;
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

/** The stack, or undefined when the backend has none of that name. The one that the user has selected stays selected. */
export async function findStack(workspace: Workspace, name: string): Promise<Stack | undefined> {
  const unselecting = Object.create(workspace, { selectStack: { value: () => Promise.resolve() } }) as Workspace;
  const stack = await Stack.select(name, unselecting);
  try {
    await stack.info(false);
    return stack;
  } catch (error) {
    if (error instanceof StackNotFoundError) return undefined;
    throw error;
  }
}

/** Makes a stack, and selects it no more than `findStack` does. */
export async function makeStack({ pulumiCommand, workDir }: Workspace, name: string): Promise<void> {
  await run(pulumiCommand.command, ["stack", "init", name, "--no-select", "--non-interactive"], { cwd: workDir });
}

export async function published(stack: Stack): Promise<Published> {
  const outputs = await stack.outputs();
  const value = (key: string): unknown => outputs[key]?.value as unknown;
  return {
    ...(value("federation") === undefined ? {} : { federation: value("federation") as Contract }),
    pendingPeers: (value("pendingPeers") as string[] | undefined) ?? [],
    peers: (value("peers") as Published["peers"] | undefined) ?? {},
  };
}
