/** `spire-federation config`: what holds for a member, and who says so. No cluster is asked. */
import { isDeepStrictEqual } from "node:util";
import type { Workspace } from "@pulumi/pulumi/automation";
import { NOT_SHOWN } from "../../components/shared/notShown";
import { isObject, parsed } from "../../components/shared/untyped";
import type { ClusterConfig } from "../../stacks/config";
import { configValues } from "../../stacks/configValues";
import { isHidden } from "../../stacks/spireServerConfig";
import { EXIT, type ExitCode } from "../kernel/exit";
import { inParallel } from "../kernel/parallel";
import { shown } from "../kernel/redact";
import { INSTEAD, redactedText } from "../kernel/redactedText";
import { table } from "../kernel/table";
import { printable } from "../kernel/text";
import { idOf, labelOf } from "../members/identity";
import { noSuchStack, type Offline, openFolder, type Written } from "../members/members";

export interface Setting {
  /** Such as `issuer.type`. */
  key: string;
  /** As one would write it; undefined: nothing is set, and the cluster decides. */
  value?: string;
  /** A file's name, `environment`, `kubeconfig`, `default`, or what of these holds when. */
  from: string;
}

export interface ConfiguredMember {
  member: string;
  /** `organization/project/stack`. */
  stack: string;
  settings: Setting[];
  /** All that is wrong with its config; then the settings are those that are written. */
  problems: string[];
}

const AT_ONCE = 8;
const WIDEST = 80;
const SECRET = "[secret]";

/** @throws UsageError for the name of no stack */
export async function configs(
  workspace: Workspace,
  names: readonly string[],
  offline: Offline,
): Promise<ConfiguredMember[]> {
  const { all, named, unknown, home, written, read } = await openFolder(workspace, names, offline);
  if (unknown.length > 0) {
    throw noSuchStack(
      unknown,
      all.map((stack) => labelOf(stack, home)),
    );
  }
  return inParallel(AT_ONCE, names.length === 0 ? all : named, async (self) => {
    const of = { member: labelOf(self, home), stack: idOf(self) };
    // What cannot be read is a fault, which `read` finds again.
    const known = await written(self).catch(() => undefined);
    const member = await read(self, known);
    const problems = "faults" in member ? member.faults : [];
    const config = "faults" in member ? undefined : member.config;
    const file = `Pulumi.${self.stack}.yaml`;
    return { ...of, settings: known === undefined ? [] : settings(known, file, config), problems };
  });
}

/** @param config undefined where the parser refuses what is written */
export function settings(written: Written, file: string, config?: ClusterConfig): Setting[] {
  const said = leaves(written.all);
  const usual = leaves(config === undefined ? {} : configValues(config));
  const values = new Map([...usual, ...said].map((leaf) => [leaf.path.join("."), leaf]));
  return [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { path, value }]) => {
      const from = at(written.all, path) === undefined ? unsaid(path, value, config) : speaker(written, path, file);
      return value === undefined ? { key, from } : { key, value: asText(path, value), from };
    });
}

/** The file wins over environments, and these over the project's defaults. */
function speaker(written: Written, path: readonly string[], file: string): string {
  if (at(written.file, path) !== undefined) return file;
  return isDeepStrictEqual(at(written.project, path), at(written.all, path)) ? "Pulumi.yaml" : "environment";
}

function unsaid([key]: readonly string[], value: unknown, config: ClusterConfig | undefined): string {
  if (key === "context" && value !== undefined) return "kubeconfig";
  if ((key === "profile" && config?.open.profile === true) || (key === "issuer" && config?.open.issuer === true))
    return "SpireServer if it has one, else default";
  return value === undefined ? "not set" : "default";
}

interface Leaf {
  path: string[];
  value: unknown;
}

/** Each value that has no values below it; a list is one. Empty text is no value, as in Pulumi.yaml. */
function leaves(object: Readonly<Record<string, unknown>>, above: readonly string[] = []): Leaf[] {
  return Object.entries(object).flatMap(([key, entry]): Leaf[] => {
    const value = parsedObject(entry);
    const path = [...above, key];
    if (isObject(value)) return leaves(value, path);
    return value === "" || value === null ? [] : [{ path, value }];
  });
}

/** Pulumi hands lists and objects over as JSON. */
function parsedObject(value: unknown): unknown {
  const read = parsed(value);
  return isObject(read) || Array.isArray(read) ? read : value;
}

function at(some: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return some === "" || some === null ? undefined : some;
  const object = parsedObject(some);
  return isObject(object) ? at(object[key], rest) : undefined;
}

function asText(path: readonly string[], value: unknown): string {
  if (value === NOT_SHOWN) return SECRET;
  // A password may be in clear where it should be a secret.
  if (path[0] === "spireServer" && !isHidden(value)) return shown(path.join("."), value).replaceAll(INSTEAD, SECRET);
  if (typeof value === "string") return redactedText(value).replaceAll(INSTEAD, SECRET);
  return JSON.stringify(value, (_, part: unknown) => (part === NOT_SHOWN ? SECRET : part));
}

export const configExit = (members: readonly ConfiguredMember[]): ExitCode =>
  members.some(({ problems }) => problems.length > 0) ? EXIT.usage : EXIT.fine;

export function printConfigs(members: readonly ConfiguredMember[]): string {
  return members
    .map(({ member, stack, settings, problems }) => {
      const rows = settings.map(({ key, value = "-", from }) => [key, from, short(value)]);
      const faults = problems.map((problem) => `${printable(problem)}\n`).join("");
      return `${printable(`${member} (${stack})`)}\n${table(["KEY", "FROM", "VALUE"], rows)}${faults}`;
    })
    .join("\n");
}

const short = (value: string): string => (value.length > WIDEST ? `${value.slice(0, WIDEST)}…` : value);
