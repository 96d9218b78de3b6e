/** The members of a mesh: the stacks that have a Pulumi.<stack>.yaml in the project, with their config. */
import { relative, resolve } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { readBundleFile } from "../../stacks/bundleFile";
import { type ClusterConfig, parseConfig, withContext } from "../../stacks/config";
import { ConfigError } from "../../stacks/refusal";
import type { StackName } from "../../stacks/stackName";
import { UsageError } from "../kernel/exit";
import { Interrupted } from "../kernel/interruption";
import { inParallel } from "../kernel/parallel";
import { NO_ORGANIZATIONS, organizationsOf } from "../pulumi/organization";
import { PulumiError } from "../pulumi/runPulumi";
import { fromId, type Home, idOf, labelOf, means } from "./identity";
import { projectOf } from "./project";
import { type Roster, rosterOf } from "./roster";
import { stackConfig } from "./stackConfig";
import { stacksWithFile } from "./stackNames";
import { readStackFile } from "./stackFile";

/** How many stacks Pulumi is asked about at the same time: each answer takes it a moment of one core. */
const AT_ONCE = 8;

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

/** Hears why Pulumi cannot be asked where the stacks are; without it, that is an error. */
export type Offline = (because: string) => void;

/**
 * All members, or the chosen ones.
 *
 * @param whom "all": read every member; the names only select organizations
 * @throws UsageError with everything that is wrong with any of their files, and for the name of no member; Error when
 * nothing is wrong but that Pulumi could not be asked
 */
export async function readMembers(
  workspace: Workspace,
  names: readonly string[] = [],
  whom: "named" | "all" = "named",
  offline?: Offline,
): Promise<MeshMember[]> {
  const { all, named, unknown, home, read } = await openFolder(workspace, names, offline);
  if (unknown.length > 0 && whom === "named") {
    throw noSuchStack(
      unknown,
      all.map((stack) => labelOf(stack, home)),
    );
  }
  if (all.length === 0) throw new UsageError("no stacks here; a member is described by a file Pulumi.<stack>.yaml");
  const found = await inParallel(AT_ONCE, whom === "all" || names.length === 0 ? all : named, read);
  const members = found.flatMap((one) => ("faults" in one ? [] : [one]));
  const unread = found.flatMap((one) => ("faults" in one ? [one] : []));
  const copies = twins(members);
  const faults = [...unread.flatMap((one) => one.faults), ...copies];
  if (faults.length === 0) return members;
  const message = faults.sort().join("\n");
  // What Pulumi could not be asked is no fault of a file.
  throw copies.length === 0 && unread.every(({ unasked }) => unasked) ? new Error(message) : new UsageError(message);
}

/**
 * Those of the members that somebody names, each once. Pure.
 *
 * @throws UsageError for the name of none
 */
export function named(names: readonly string[], members: readonly MeshMember[]): MeshMember[] {
  const found = names.map((name) => members.find(({ config }) => means(name, config.self)));
  const unknown = names.filter((_, index) => found[index] === undefined);
  if (unknown.length > 0) {
    throw noSuchStack(
      unknown,
      members.map(({ name }) => name),
    );
  }
  return [...new Set(found.filter((one) => one !== undefined))];
}

export const noSuchStack = (unknown: readonly string[], there: readonly string[]): UsageError =>
  new UsageError(`${unknown.join(", ")}: no such stack here; there are ${there.join(", ") || "none"}`);

/** Members, and those of their peers that have a file. */
export interface WithPeers {
  members: MeshMember[];
  /** What is wrong with the file of a peer, by the peer's id. */
  unread: ReadonlyMap<string, string>;
}

/** A fault in the file of a peer costs that peer alone. */
export async function withPeers(
  workspace: Workspace,
  members: readonly MeshMember[],
  names: readonly string[],
  offline?: Offline,
): Promise<WithPeers> {
  const isRead = (id: string): boolean => members.some((one) => one.id === id);
  const missing = new Set(members.flatMap(({ peers }) => peers.filter((id) => !isRead(id))));
  if (missing.size === 0) return { members: [...members], unread: new Map() };
  const { all, read } = await openFolder(workspace, names, offline);
  const unread = new Map<string, string>();
  const found = await inParallel(
    AT_ONCE,
    all.filter((self) => missing.has(idOf(self))),
    async (self) => {
      const one = await read(self);
      if (!("faults" in one)) return [one];
      unread.set(idOf(self), one.faults.join("; "));
      return [];
    },
  );
  return { members: [...members, ...found.flat()], unread };
}

/** What is written about a stack, by keys without their namespace, before it is judged. A secret is NOT_SHOWN. */
export interface Written {
  /** In its Pulumi.<stack>.yaml. */
  file: Record<string, unknown>;
  /** The defaults in Pulumi.yaml. */
  project: Record<string, unknown>;
  /** What comes of these and of imported environments. */
  all: Record<string, unknown>;
}

/** The project's folder, as far as it is about members. */
interface Folder extends Roster {
  home: Home;
  written: (self: StackName) => Promise<Written>;
  read: (self: StackName, written?: Written) => Promise<MeshMember | { faults: string[]; unasked: boolean }>;
}

export async function openFolder(workspace: Workspace, names: readonly string[], offline?: Offline): Promise<Folder> {
  const project = await projectOf(workspace);
  const [files, organizations] = await Promise.all([
    stacksWithFile(project.configDir),
    organizationsOf(workspace, project).catch((error: unknown) => {
      if (offline === undefined || !(error instanceof PulumiError)) throw error;
      offline(error.message);
      return NO_ORGANIZATIONS;
    }),
  ]);
  const home: Home = { organization: organizations.home, project: project.name };
  const roster = rosterOf(files, names, project.name, organizations);
  const ids = roster.all.map(idOf);
  const written = async (self: StackName): Promise<Written> => {
    const file = await readStackFile(project.configDir, self.stack);
    const all = await stackConfig(workspace, project, idOf(self), file);
    const own = (config: Record<string, unknown>): Record<string, unknown> => ownKeys(config, project.name);
    return { file: own(file.config ?? {}), project: own(project.defaults), all: own(all) };
  };
  const read = async (self: StackName, known?: Written): Promise<MeshMember> => {
    const { all } = known ?? (await written(self));
    const parsed = parseConfig(all, self, [], (path) => readBundleFile(workspace.workDir, path));
    return asMember(fromHere(workspace.workDir, parsed), ids, home);
  };
  return {
    ...roster,
    home,
    written,
    read: (self, known) =>
      read(self, known).catch((error: unknown) => ({
        faults: faultsIn(error, project.name).map((fault) => `Pulumi.${self.stack}.yaml: ${fault}`),
        unasked: error instanceof PulumiError,
      })),
  };
}

/** Two stacks of one cluster would overwrite each other's objects; files are made by copying. */
function twins(members: readonly MeshMember[]): string[] {
  return members.flatMap(({ config, name }, index) => {
    const { kubeconfig = "", context } = config;
    const first = members.slice(0, index).find(({ config: other }) => {
      return context !== undefined && other.context === context && (other.kubeconfig ?? "") === kubeconfig;
    });
    return first === undefined
      ? []
      : [
          `Pulumi.${config.self.stack}.yaml: ${name} has the kubeconfig and the context of ${first.name}; a cluster has one stack`,
        ];
  });
}

/** What is wrong with a stack's config. Whatever a file has, others are read all the same; an interruption is no fault of a file. */
function faultsIn(error: unknown, project: string): string[] {
  if (error instanceof Interrupted) throw error;
  if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${project}:${path}: ${message}`);
  if (error instanceof UsageError || error instanceof PulumiError) return [error.message];
  return [`it cannot be read: ${error instanceof Error ? error.message : String(error)}`];
}

/**
 * Pure.
 *
 * @param all ids of all members that there are
 */
export function asMember(config: ClusterConfig, all: readonly string[], home: Home): MeshMember {
  const peers = config.peers.map(({ id }) => id);
  return {
    id: idOf(config.self),
    name: labelOf(config.self, home),
    config,
    peers: peers.filter((id) => all.includes(id)),
    outside: peers.filter((id) => !all.includes(id)),
    labels: Object.fromEntries(
      config.peers.map(({ id, name, publication }) => [
        id,
        publication === undefined ? labelOf(fromId(id), home) : name,
      ]),
    ),
  };
}

/** What people call a peer that is known by the name of its objects, as in a stack's outputs. */
export function peerLabel({ config, labels }: MeshMember, name: string): string {
  const peer = config.peers.find((one) => one.name === name);
  return (peer && labels[peer.id]) ?? name;
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
  return Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length), value]));
}
