/** The way to Pulumi: one place for the Automation API. */
import { delimiter, join } from "node:path";
import {
  type EngineEvent,
  LocalWorkspace,
  type OpMap,
  Stack,
  StackNotFoundError,
  type Workspace,
} from "@pulumi/pulumi/automation";
import type { Contract } from "../stacks/contract";

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
  process.env["PATH"] = [join(dir, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);
  return LocalWorkspace.create({ workDir: dir });
}

/** The stack, or undefined when the backend has none of that name. */
export async function findStack(workspace: Workspace, name: string): Promise<Stack | undefined> {
  try {
    return await Stack.select(name, workspace);
  } catch (error) {
    if (error instanceof StackNotFoundError) return undefined;
    throw error;
  }
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
