/** Values of live objects that somebody else has set and that an up would overwrite. Pure. */
import type { KubeObject } from "./cluster";
import { contains, isOwned, type WantedObject } from "./correction";
import { owners } from "./fieldOwners";
import { parseDuration } from "../shared/duration";
import { isObject } from "../shared/untyped";

export interface ForeignValue {
  /** Where it is, such as `bundleEndpoint.refreshHint`. */
  path: string;
  /** The value, in words. */
  found: string;
  /** Programs and people who have set it, as the API server calls them. */
  by: string[];
}

/** All of it in one line. */
export function describeForeign(foreign: readonly ForeignValue[]): string {
  return foreign
    .map(({ path, found, by }) => `${path} ${found}${by.length === 0 ? "" : `, set by ${by.join(" and ")}`}`)
    .join("; ");
}

const IDENTITY: readonly string[] = ["apiVersion", "kind", "metadata"];

/** What an object of that name says otherwise, if this program has not applied it. */
export function foreignValues(wanted: WantedObject, live: KubeObject | undefined): ForeignValue[] {
  if (live === undefined || isOwned(live)) return [];
  const asked = Object.entries(wanted).filter(([field]) => !IDENTITY.includes(field));
  return leaves(Object.fromEntries(asked)).flatMap(({ path, value }) => {
    const there = valueAt(live, path);
    if (contains(there, value) || isSameDuration(there, value)) return [];
    const now = there === undefined ? "is not set" : `is ${JSON.stringify(there)}`;
    return [{ path: path.join("."), found: `${now} and would be ${JSON.stringify(value)}`, by: owners(live, path) }];
  });
}

/** `2160h` and `2160h0m0s`. */
function isSameDuration(one: unknown, other: unknown): boolean {
  const seconds = [one, other].map((value) => (typeof value === "string" ? parseDuration(value) : undefined));
  return seconds[0] !== undefined && seconds[0] === seconds[1];
}

/** What is asked for, value by value; a list is one value. */
export function leaves(value: object, path: readonly string[] = []): { path: string[]; value: unknown }[] {
  return Object.entries(value).flatMap(([key, part]) =>
    isObject(part) ? leaves(part, [...path, key]) : [{ path: [...path, key], value: part as unknown }],
  );
}

export const valueAt = (object: unknown, path: readonly string[]): unknown =>
  path.reduce((value, key) => (isObject(value) ? value[key] : undefined), object);
