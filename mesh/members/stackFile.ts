/** A Pulumi.<stack>.yaml: reads it, adds keys, and takes peers out of it; comments and the order of its keys stay. */
import { randomUUID } from "node:crypto";
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { isAlias, isMap, isNode, isScalar, isSeq, parse, parseDocument } from "yaml";
import { isObject, parsed } from "../../components/shared/untyped";
import { stackFileNames } from "../../stacks/stackFile";
import { UsageError } from "../kernel/exit";
import type { StackFile } from "./stackConfig";

/** Whether a name in `peers` is that of a stack to be taken out. */
export type Gone = (name: string) => boolean;

/** A stack's file as it shall be. */
export interface Edit {
  dir: string;
  file: string;
  text: string;
  /** What the file says now. */
  before?: string;
}

/**
 * The stack's file without those peers; undefined when it names none of them, or there is none.
 *
 * @throws UsageError when the file writes its peers in a way that is not understood here
 */
export async function editPeers(dir: string, stack: string, project: string, gone: Gone): Promise<Edit | undefined> {
  return edited(dir, stack, (text, file) => withoutGonePeers(text, project, gone, file));
}

/** The same with those stacks among its peers, too; undefined when it names all of them already. */
export async function addPeers(
  dir: string,
  stack: string,
  project: string,
  stacks: readonly string[],
): Promise<Edit | undefined> {
  return edited(dir, stack, (text, file) => withMorePeers(text, project, stacks, file));
}

async function edited(
  dir: string,
  stack: string,
  change: (text: string, file: string) => string,
): Promise<Edit | undefined> {
  const found = await findStackFile(dir, stack);
  if (found === undefined) return undefined;
  const text = change(found.text, found.file);
  return text === found.text ? undefined : { ...found, text, before: found.text };
}

/** A stack's file with more keys. */
export interface Extension extends Edit {
  /** Keys for which the file has another value, which stays. */
  kept: string[];
}

/**
 * The stack's file with those keys of the project where it has none of them yet; a new file where there is none.
 *
 * @param isSame whether a value that the file has says what the key is to say
 * @throws UsageError when the file is not a stack's
 */
export async function extendStackFile(
  dir: string,
  stack: string,
  project: string,
  keys: Readonly<Record<string, unknown>>,
  isSame: (one: unknown, other: unknown) => boolean = isDeepStrictEqual,
): Promise<Extension> {
  const found = await findStackFile(dir, stack);
  const file = found?.file ?? `Pulumi.${stack}.yaml`;
  const { text, kept } = withKeys(found?.text ?? "", project, keys, isSame, file);
  return { dir, file, text, kept, ...(found && { before: found.text }) };
}

/** Pure. */
export function withKeys(
  text: string,
  project: string,
  keys: Readonly<Record<string, unknown>>,
  isSame: (one: unknown, other: unknown) => boolean = isDeepStrictEqual,
  file = "the stack's file",
): { text: string; kept: string[] } {
  const document = parseDocument(text);
  const said: unknown = document.toJS();
  if (said !== null && !(isObject(said) && isObject(said["config"] ?? {})))
    throw new UsageError(`${file}: it has no config, as a stack's file has; correct or delete it`);
  const kept: string[] = [];
  let changed = false;
  for (const [name, value] of Object.entries(keys)) {
    const key = `${project}:${name}`;
    const before = isObject(said) && isObject(said["config"]) ? parsed(said["config"][key]) : undefined;
    if (before === undefined) {
      document.setIn(["config", key], document.createNode(value));
      changed = true;
    } else if (!isSame(before, value)) kept.push(name);
  }
  return { text: changed ? document.toString({ lineWidth: 0 }) : text, kept };
}

/**
 * What the stack's file says; nothing where there is none.
 *
 * @throws UsageError when it is not YAML; the caller knows the file's name
 */
export async function readStackFile(dir: string, stack: string): Promise<StackFile> {
  const found = await findStackFile(dir, stack);
  try {
    return (parse(found?.text ?? "") as StackFile | null) ?? {};
  } catch (error) {
    throw new UsageError((error as Error).message.trim());
  }
}

/**
 * Who is to encrypt the secrets of a stack that is still to be made: the stack file's provider wins, which
 * `pulumi stack init` alone would ignore. A file with a passphrase's salt may have secrets that only this passphrase decrypts.
 *
 * @param usual for a file that says nothing; undefined: the backend's own
 */
export function secretsProvider(file: StackFile, usual: string | undefined): string | undefined {
  return file.secretsprovider ?? (file.encryptionsalt === undefined ? usual : undefined);
}

/** The file as it is. */
export async function findStackFile(dir: string, stack: string): Promise<Edit | undefined> {
  for (const file of stackFileNames(stack)) {
    const text = await readFile(join(dir, file), "utf8").catch(ifMissing);
    if (text !== undefined) return { dir, file, text };
  }
  return undefined;
}

/**
 * In one step: an interrupted run leaves the old file or the new one. A link stays a link, to a new file with the
 * permissions of the old one.
 *
 * @throws UsageError for anything but a regular file, such as a device or a pipe
 */
export async function save({ dir, file, text }: Edit): Promise<void> {
  const named = join(dir, file);
  const path = (await realpath(named).catch(ifMissing)) ?? named;
  const there = await stat(path).catch(ifMissing);
  if (there?.isFile() === false) throw new UsageError(`${named}: it is not a regular file; name one, or a new one`);
  // A name that nobody can have prepared, such as by a link that leads elsewhere.
  const temporary = `${path}.${randomUUID()}~`;
  try {
    // Nobody may read it who may not read the file.
    await writeFile(temporary, text, { flag: "wx", ...(there && { mode: there.mode }) });
    if (there !== undefined) await chmod(temporary, there.mode);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Nobody has edited the files since.
 *
 * @throws UsageError with the files that somebody has
 */
export async function refuseEdited(edits: Iterable<Edit>): Promise<void> {
  const changed: string[] = [];
  for (const { dir, file, before } of edits) {
    if ((await readFile(join(dir, file), "utf8").catch(ifMissing)) !== before) changed.push(file);
  }
  if (changed.length === 0) return;
  throw new UsageError(
    `${changed.join(", ")}: edited since the plan was made; nothing was changed, run the command again`,
  );
}

function ifMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

/** The text of a stack's file without those peers; as it was when it names none. Pure. */
export const withoutGonePeers = (text: string, project: string, gone: Gone, file = "the stack's file"): string =>
  withPeers(text, project, file, (peers) =>
    peers.filter(({ value }) => {
      const name = nameIn(value);
      return name === undefined || !gone(name);
    }),
  );

/** The text of a stack's file with those stacks among its peers, too; as it was when it names all of them. Pure. */
export const withMorePeers = (text: string, project: string, stacks: readonly string[], file: string): string =>
  withPeers(text, project, file, (peers) => {
    const named = peers.map(({ value }) => nameIn(value));
    return [...peers, ...stacks.filter((stack) => !named.includes(stack)).map((value) => ({ value }))];
  });

function nameIn(entry: unknown): string | undefined {
  const name = isObject(entry) ? (entry["stack"] ?? entry["name"]) : entry;
  return typeof name === "string" ? name : undefined;
}

/** An entry of `peers`; one that the file has already is kept as it is written there. */
interface Entry {
  value: unknown;
  node?: unknown;
}

function withPeers(text: string, project: string, file: string, change: (peers: Entry[]) => Entry[]): string {
  const document = parseDocument(text);
  const config = document.get("config");
  if (!isMap(config)) return text;
  const before: unknown = document.toJS();
  const key = `${project}:peers`;
  const node = config.get(key, true) as unknown;
  if (isAlias(node)) throw new UsageError(`${file}: ${key} is an alias; edit the list of peers by hand`);
  if (isSeq(node)) {
    const entries = node.items.map((item) => ({
      value: isNode(item) ? (item.toJS(document) as unknown) : item,
      node: item,
    }));
    node.items = change(entries).map((entry) => entry.node ?? document.createNode(entry.value));
  } else if (isScalar(node) && typeof node.value === "string" && node.value.trim() !== "") {
    // `pulumi config set` without --path leaves a list as JSON in a text.
    const list: unknown = JSON.parse(node.value);
    if (Array.isArray(list))
      node.value = JSON.stringify(change(list.map((value: unknown) => ({ value }))).map(({ value }) => value));
  } else {
    const values = change([]).map(({ value }) => value);
    if (values.length > 0) config.set(key, document.createNode(values));
  }
  return isDeepStrictEqual(document.toJS(), before) ? text : document.toString({ lineWidth: 0 });
}
