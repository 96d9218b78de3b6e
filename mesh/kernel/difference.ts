/** How an object in the cluster differs from what was asked for. Pure. */
import { contains } from "../../components/cluster/correction";
import type { KubeObject } from "../../components/cluster/cluster";
import { isObject } from "../../components/shared/untyped";
import { isHidden } from "./redact";

/** What an object is called and how it fares, which is not what it says. */
export const NOT_CONTENT: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "status"]);

export interface Difference {
  /** Such as `rules[0].resourceNames`. */
  path: string;
  /** Undefined: nothing is there, or nothing was asked for. */
  found: unknown;
  expected: unknown;
}

/** Fields that differ, and entries of lists that are too many or too few; what the API server adds to objects is none of it. */
export function objectDifferences(asked: unknown, live: unknown, path = ""): Difference[] {
  if (isHidden(asked) || asked === undefined) return [];
  if (Array.isArray(asked))
    return Array.isArray(live) ? inList(asked, live, path) : [{ path, found: live, expected: asked }];
  if (isObject(asked)) {
    if (!isObject(live)) return [{ path, found: live, expected: asked }];
    return Object.entries(asked).flatMap(([key, value]) => objectDifferences(value, live[key], below(path, key)));
  }
  return asked === live ? [] : [{ path, found: live, expected: asked }];
}

function inList(asked: readonly unknown[], live: readonly unknown[], path: string): Difference[] {
  const at = (index: number): string => `${path}[${String(index)}]`;
  if (asked.length === live.length)
    return asked.flatMap((entry, index) => objectDifferences(entry, live[index], at(index)));
  const extra = live.flatMap((entry, index) =>
    asked.some((one) => contains(entry, one)) ? [] : [{ path: at(index), found: entry, expected: undefined }],
  );
  const missing = asked.flatMap((entry, index) =>
    isHidden(entry) || live.some((one) => contains(one, entry))
      ? []
      : [{ path: at(index), found: undefined, expected: entry }],
  );
  const differ = [...extra, ...missing];
  // The same entry several times.
  return differ.length > 0 ? differ : [{ path, found: live, expected: asked }];
}

export interface AddedField {
  path: string;
  /** The same as a JSON pointer. */
  pointer: string;
  manager: string;
  value: unknown;
}

/** Fields that were not asked for and that somebody has set; what the API server fills in by itself is set by nobody. */
export function addedFields(asked: Record<string, unknown>, live: KubeObject): AddedField[] {
  const added = (live.metadata?.managedFields ?? [])
    .filter(({ subresource = "" }) => subresource === "")
    .flatMap(({ manager = "somebody", fieldsV1 = {} }) =>
      pathsBeside(asked, fieldsV1, [])
        .filter(([root = ""]) => !NOT_CONTENT.has(root))
        .map((path) => ({ path: path.join("."), pointer: pointerTo(path), manager, value: valueAt(live, path) })),
    );
  return added.filter(({ path }, index) => added.findIndex((other) => other.path === path) === index);
}

/** Paths of fields that are set and not asked for; below what was asked for as a whole there are none. */
function pathsBeside(asked: unknown, fields: Record<string, unknown>, path: readonly string[]): string[][] {
  if (!isObject(asked) || isHidden(asked)) return [];
  return Object.entries(fields).flatMap(([key, set]) => {
    if (!key.startsWith("f:")) return []; // the object itself, or an entry of a list
    const name = key.slice(2);
    const here = [...path, name];
    if (asked[name] === undefined) return [here];
    return isObject(set) ? pathsBeside(asked[name], set, here) : [];
  });
}

/** RFC 6901. */
const pointerTo = (path: readonly string[]): string =>
  path.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

const valueAt = (object: unknown, path: readonly string[]): unknown =>
  path.reduce((value, key) => (isObject(value) ? value[key] : undefined), object);

const below = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
