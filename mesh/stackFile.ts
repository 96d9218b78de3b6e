/** Takes peers out of a Pulumi.<stack>.yaml, and leaves every other letter of it as people have written it. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { UsageError } from "./exit";

/** Whether a name in `peers`, or a key of `rebootstrap`, is that of a stack to be taken out. */
export type Gone = (name: string) => boolean;

/** A stack's file as it shall be. */
export interface Edit {
  dir: string;
  file: string;
  text: string;
}

/**
 * The stack's file without those peers; undefined when it names none of them, or there is none.
 *
 * @throws UsageError when the file writes its peers in a way that is not understood here
 */
export async function editPeers(dir: string, stack: string, project: string, gone: Gone): Promise<Edit | undefined> {
  for (const file of [`Pulumi.${stack}.yaml`, `Pulumi.${stack}.yml`]) {
    const before = await readFile(join(dir, file), "utf8").catch(ifMissing);
    if (before === undefined) continue;
    const text = withoutPeers(before, project, gone, file);
    return text === before ? undefined : { dir, file, text };
  }
  return undefined;
}

/** In one step: who is interrupted here has the old file or the new one. */
export async function save({ dir, file, text }: Edit): Promise<void> {
  const path = join(dir, file);
  await writeFile(`${path}~`, text);
  await rename(`${path}~`, path);
}

function ifMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

/** The text of a stack's file without those peers and their counters. Pure. */
export function withoutPeers(text: string, project: string, gone: Gone, file = "the stack's file"): string {
  const config = parseDocument(text).get("config");
  if (!isMap(config)) return text;
  const cuts = ["rebootstrap", "peers"].flatMap((key) => {
    const pair = config.items.find((item) => isScalar(item.key) && item.key.value === `${project}:${key}`);
    if (pair === undefined) return [];
    const cut = key === "peers" ? listCuts(text, pair, gone) : counterCuts(text, config, pair, gone);
    if (cut !== undefined) return cut;
    throw new UsageError(
      `${file}: ${project}:${key} cannot be edited as it is written there; take the peer out by hand`,
    );
  });
  return cuts
    .sort((a, b) => b.from - a.from)
    .reduce((rest, { from, to, put }) => rest.slice(0, from) + put + rest.slice(to), text);
}

/** Letters to be replaced. */
interface Cut {
  from: number;
  to: number;
  put: string;
}

type Entry = Pair;

function listCuts(text: string, { key, value }: Entry, gone: Gone): Cut[] | undefined {
  if (isJson(value)) return jsonCut(value, (list) => (Array.isArray(list) ? list.filter((one) => !goes(one)) : list));
  if (!isSeq(value)) return isAlias(value) ? undefined : [];
  const going = value.items.filter((item) => isScalar(item) && goes(item.value)) as Scalar[];
  if (going.length === 0) return [];
  const staying = (value.items as Node[]).filter((item) => !going.includes(item as Scalar));
  if (value.flow === true)
    return [{ ...span(value), put: `[${staying.map((item) => source(text, item)).join(", ")}]` }];
  const lines = going.map((item) => ({ ...wholeLines(text, item), put: "" }));
  // A list without items would be no list any more.
  return staying.length > 0 ? lines : [after(text, key as Node, " []"), ...lines];

  function goes(name: unknown): boolean {
    return typeof name === "string" && gone(name);
  }
}

function counterCuts(text: string, config: YAMLMap, pair: Entry, gone: Gone): Cut[] | undefined {
  const { key, value } = pair;
  if (isJson(value)) {
    return jsonCut(value, (counters) =>
      typeof counters === "object" && counters !== null
        ? Object.fromEntries(Object.entries(counters).filter(([name]) => !gone(name)))
        : counters,
    );
  }
  if (!isMap(value)) return isAlias(value) ? undefined : [];
  const going = value.items.filter((item) => isScalar(item.key) && gone(String(item.key.value)));
  if (going.length === 0) return [];
  const staying = value.items.filter((item) => !going.includes(item));
  if (staying.length === 0 && config.flow !== true) return [{ ...wholeLines(text, key as Node, value), put: "" }];
  if (value.flow === true) {
    const put = staying.map((item) => text.slice(start(item.key as Node), end(item.value as Node))).join(", ");
    return [{ ...span(value), put: put === "" ? "{}" : `{ ${put} }` }];
  }
  return going.map((item) => ({ ...wholeLines(text, item.key as Node, item.value as Node), put: "" }));
}

/** `pulumi config set` without --path leaves lists and objects as JSON in a text. */
const isJson = (value: unknown): value is Scalar<string> => isScalar(value) && typeof value.value === "string";

function jsonCut(node: Scalar<string>, change: (value: unknown) => unknown): Cut[] {
  const before: unknown = JSON.parse(node.value || "null");
  const [was, is] = [before, change(before)].map((value) => JSON.stringify(value));
  return is === was ? [] : [{ ...span(node), put: `'${String(is).replaceAll("'", "''")}'` }];
}

const start = (node: Node): number => node.range?.[0] ?? 0;
const end = (node: Node): number => node.range?.[1] ?? 0;
const span = (node: Node): { from: number; to: number } => ({ from: start(node), to: end(node) });
const source = (text: string, node: Node): string => text.slice(start(node), end(node));

/** From the beginning of the line of one node to the end of the line of another. */
function wholeLines(text: string, first: Node, last: Node = first): { from: number; to: number } {
  // A collection in block style ends where the next line begins; its own last letter is before that.
  const lastLetter = text.slice(0, end(last)).trimEnd().length;
  const newline = text.indexOf("\n", lastLetter);
  return { from: text.lastIndexOf("\n", start(first)) + 1, to: newline === -1 ? text.length : newline + 1 };
}

/** Behind the colon of a key. */
function after(text: string, key: Node, put: string): Cut {
  const colon = text.indexOf(":", end(key)) + 1;
  return { from: colon, to: colon, put };
}
