/** Values of live objects that somebody else has set and that an up would overwrite. Pure. */
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
  return foreign.map(({ path, found, by }) => `${path} ${found}, set by ${by.join(" and ")}`).join("; ");
}

/** What is asked for, value by value; a list is one value. */
export function leaves(value: object, path: readonly string[] = []): { path: string[]; value: unknown }[] {
  return Object.entries(value).flatMap(([key, part]) =>
    isObject(part) ? leaves(part, [...path, key]) : [{ path: [...path, key], value: part as unknown }],
  );
}

export const valueAt = (object: unknown, path: readonly string[]): unknown =>
  path.reduce((value, key) => (isObject(value) ? value[key] : undefined), object);
