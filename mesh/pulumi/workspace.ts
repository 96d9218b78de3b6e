/** The way to Pulumi: one place for the Automation API. */
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import {
  type EngineEvent,
  LocalWorkspace,
  type OpMap,
  type OutputMap,
  PulumiCommand,
  Stack,
  StackNotFoundError,
  type Workspace,
} from "@pulumi/pulumi/automation";
import type { Contract } from "../../stacks/contract";
import { pulumi } from "./cli";

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

/** The stack of that name, whether there is one or not. The one that the user has selected stays selected. */
export async function stackOf(workspace: Workspace, name: string): Promise<Stack> {
  return withoutReport(await Stack.select(name, sparing(workspace)));
}

/** What PulumiCommand has and its type leaves out: a failure is a CommandError, as of all else that the Automation API runs. */
interface PulumiRunner {
  run(args: string[], cwd: string, env: Record<string, string>): Promise<{ stdout: string }>;
}

/**
 * Selects nothing, and reads outputs once, where the Automation API would again with secrets: no output is one. A state
 * comes with its secrets encrypted, as it goes back.
 */
function sparing(workspace: Workspace): Workspace {
  const runner = workspace.pulumiCommand as unknown as PulumiRunner;
  const read = async (of: string, stack: string, ...flags: string[]): Promise<unknown> =>
    JSON.parse((await runner.run(["stack", of, ...flags, "--stack", stack], workspace.workDir, {})).stdout);
  const stackOutputs = async (stack: string): Promise<OutputMap> => {
    const outputs = (await read("output", stack, "--json")) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, { value, secret: false }]));
  };
  return Object.create(workspace, {
    selectStack: { value: () => Promise.resolve() },
    stackOutputs: { value: stackOutputs },
    exportStack: { value: (stack: string) => read("export", stack) },
  }) as Workspace;
}

/** Leaves out the outputs and the history that end each operation, which nobody here asks for: three more runs of Pulumi. */
function withoutReport(stack: Stack): Stack {
  const nothing = { value: () => Promise.resolve({}) };
  return Object.create(stack, { outputs: nothing, info: nothing }) as Stack;
}

/**
 * Makes a stack, and selects it no more than `stackOf` does.
 *
 * @param secretsProvider URL; undefined: the backend's own, a passphrase or Pulumi Cloud
 */
export async function makeStack(workspace: Workspace, id: string, secretsProvider?: string): Promise<void> {
  const by = secretsProvider === undefined ? [] : [`--secrets-provider=${secretsProvider}`];
  await pulumi(workspace, ["stack", "init", id, "--no-select", ...by]);
}

/** Undefined when the backend has no such stack: the reading says so, and to ask before it would take as long again. */
export async function published({ name, workspace }: Stack): Promise<Published | undefined> {
  try {
    return publishedIn(await workspace.stackOutputs(name));
  } catch (error) {
    if (error instanceof StackNotFoundError) return undefined;
    throw error;
  }
}

function publishedIn(outputs: OutputMap): Published {
  const value = (key: string): unknown => outputs[key]?.value as unknown;
  return {
    ...(value("federation") === undefined ? {} : { federation: value("federation") as Contract }),
    ...(value("runAgain") === true && { runAgain: true }),
    pendingPeers: (value("pendingPeers") as string[] | undefined) ?? [],
    peers: (value("peers") as Published["peers"] | undefined) ?? {},
  };
}
