/** The members of a mesh: the project's stacks, as their Pulumi.<stack>.yaml describe them. The backend is not asked. */
import { readdir } from "node:fs/promises";
import { relative, resolve } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { NOT_SHOWN } from "../../components/notShown";
import { isObject } from "../../components/untyped";
import { type ClusterConfig, parseConfig, withContext } from "../../stacks/config";
import { ConfigError } from "../../stacks/refusal";
import { UsageError } from "../kernel/exit";

export interface Member {
  name: string;
  /** Members that it federates with; peers outside of the mesh don't change while it converges. */
  peers: readonly string[];
}

export interface MeshMember extends Member {
  config: ClusterConfig;
  /** Peers that are stacks of other projects. */
  outside: string[];
}

/**
 * All members, or the chosen ones.
 *
 * @throws UsageError with everything that is wrong with any of their files, and for a name without a file
 */
export async function readMembers(workspace: Workspace, chosen: readonly string[] = []): Promise<MeshMember[]> {
  const project = (await workspace.projectSettings()).name;
  const all = await stacksWithFile(workspace.workDir);
  const unknown = chosen.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`${unknown.join(", ")}: no such stack here; there are ${all.join(", ") || "none"}`);
  }
  const names = chosen.length === 0 ? all : [...new Set(chosen)];
  if (names.length === 0) throw new UsageError("no stacks here; a member is described by a file Pulumi.<stack>.yaml");
  const faults: string[] = [];
  const members = await Promise.all(
    names.map(async (name) => {
      const settings = await workspace.stackSettings(name).catch((error: unknown) => {
        // No YAML; the reader's message says where in the file, and not in which.
        faults.push(`Pulumi.${name}.yaml: ${(error as Error).message}`);
      });
      if (settings === undefined) return [];
      try {
        return [member(name, project, all, ownKeys(settings.config ?? {}, project), workspace.workDir)];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        faults.push(
          ...error.problems.map(({ path, message }) => `Pulumi.${name}.yaml: ${project}:${path}: ${message}`),
        );
        return [];
      }
    }),
  );
  if (faults.length > 0) throw new UsageError(faults.sort().join("\n"));
  return members.flat();
}

async function stacksWithFile(dir: string): Promise<string[]> {
  const files = await readdir(dir);
  return files.flatMap((file) => /^Pulumi\.(.+)\.ya?ml$/.exec(file)?.[1] ?? []).sort();
}

function member(name: string, project: string, all: string[], raw: Record<string, unknown>, dir: string): MeshMember {
  const config = fromHere(dir, parseConfig(raw, { organization: "organization", project, stack: name }));
  const peers = config.peers.map(({ reference }) => {
    const [, ofProject, stack = ""] = reference.split("/");
    return { reference, member: ofProject === project && all.includes(stack) ? stack : undefined };
  });
  return {
    name,
    config,
    peers: peers.flatMap((peer) => peer.member ?? []),
    outside: peers.filter((peer) => peer.member === undefined).map(({ reference }) => reference),
  };
}

/** A relative path is meant from the project's folder, which is not always the current one. */
function fromHere(dir: string, config: ClusterConfig): ClusterConfig {
  const { kubeconfig } = config;
  if (kubeconfig === undefined || /^[~/]/.test(kubeconfig)) return withContext(config);
  return withContext({ ...config, kubeconfig: relative("", resolve(dir, kubeconfig)) });
}

function ownKeys(config: Record<string, unknown>, project: string): Record<string, unknown> {
  const namespace = `${project}:`;
  const own = Object.entries(config).filter(([key]) => key.startsWith(namespace));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length), withoutSecrets(value)]));
}

/** Secrets stay as they are, encrypted: nothing here needs one, and so nobody needs the passphrase to look. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && typeof value["secure"] === "string") return NOT_SHOWN;
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutSecrets(part)]));
}
