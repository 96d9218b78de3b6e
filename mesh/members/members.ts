/** The members of a mesh: the project's stacks, as their Pulumi.<stack>.yaml describe them. */
import { readdir } from "node:fs/promises";
import { relative, resolve } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { NOT_SHOWN } from "../../components/notShown";
import { isObject } from "../../components/untyped";
import { type ClusterConfig, parseConfig, withContext } from "../../stacks/config";
import { ConfigError } from "../../stacks/refusal";
import { UsageError } from "../kernel/exit";
import { organizationsOf } from "../pulumi/organization";
import { fromId, type Home, idOf, labelOf } from "./identity";
import { rosterOf } from "./roster";

export interface Member {
  /** `organization/project/stack`: what members are told apart by, and what Pulumi is asked for. */
  id: string;
  /** What people call it, such as `cluster1`. */
  name: string;
  /** Ids of the members that it federates with; peers outside of the mesh don't change while it converges. */
  peers: readonly string[];
}

export interface MeshMember extends Member {
  config: ClusterConfig;
  /** Ids of peers that are no stacks of this folder. */
  outside: string[];
  /** What people call its peers, by their ids. */
  labels: Readonly<Record<string, string>>;
}

/**
 * All members, or the chosen ones.
 *
 * @param whom "all": everybody all the same, in the organizations that the names say
 * @throws UsageError with everything that is wrong with any of their files, and for the name of no member
 */
export async function readMembers(
  workspace: Workspace,
  names: readonly string[] = [],
  whom: "named" | "all" = "named",
): Promise<MeshMember[]> {
  const project = await workspace.projectSettings();
  const [files, organizations] = await Promise.all([
    stacksWithFile(workspace.workDir),
    organizationsOf(workspace, project),
  ]);
  const home: Home = { organization: organizations.home, project: project.name };
  const { all, named, unknown } = rosterOf(files, names, project.name, organizations);
  if (unknown.length > 0 && whom === "named") {
    const labels = all.map((stack) => labelOf(stack, home)).join(", ");
    throw new UsageError(`${unknown.join(", ")}: no such stack here; there are ${labels || "none"}`);
  }
  if (all.length === 0) throw new UsageError("no stacks here; a member is described by a file Pulumi.<stack>.yaml");
  const ids = all.map(idOf);
  const faults: string[] = [];
  const members = await Promise.all(
    (whom === "all" || names.length === 0 ? all : named).map(async (self) => {
      const file = `Pulumi.${self.stack}.yaml`;
      const settings = await workspace.stackSettings(self.stack).catch((error: unknown) => {
        // Not YAML; the reader's message says where in the file, but not in which file.
        faults.push(`${file}: ${(error as Error).message}`);
      });
      if (settings === undefined) return [];
      try {
        const config = parseConfig(ownKeys(settings.config ?? {}, project.name), self);
        return [asMember(fromHere(workspace.workDir, config), ids, home)];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        faults.push(...error.problems.map(({ path, message }) => `${file}: ${project.name}:${path}: ${message}`));
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

/**
 * Pure.
 *
 * @param all ids of all members that there are
 */
export function asMember(config: ClusterConfig, all: readonly string[], home: Home): MeshMember {
  const references = config.peers.map(({ reference }) => reference);
  return {
    id: idOf(config.self),
    name: labelOf(config.self, home),
    config,
    peers: references.filter((id) => all.includes(id)),
    outside: references.filter((id) => !all.includes(id)),
    labels: Object.fromEntries(references.map((id) => [id, labelOf(fromId(id), home)])),
  };
}

/** What people call a peer that is known by the name of its objects, as in a stack's outputs. */
export function peerLabel({ config, labels }: MeshMember, name: string): string {
  const peer = config.peers.find((one) => one.name === name);
  return (peer && labels[peer.reference]) ?? name;
}

/** What people call a stack, by its id. */
export function labels(members: readonly MeshMember[]): (id: string) => string {
  const known = Object.assign(
    {},
    ...members.map((member) => ({ ...member.labels, [member.id]: member.name })),
  ) as Record<string, string>;
  return (id) => known[id] ?? id;
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
