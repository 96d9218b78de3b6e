/**
 * What a stack sets in a SpireServer beside `spec.federation`: fields of ZTWIM's CRD, by the CRD's names and as they are.
 *
 * The API server checks them by its CRD, and refuses a field that it does not know with its name. Here is only what it does
 * not check, and what is secret.
 */
import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { formatDuration, parseDuration } from "../shared/arguments";
import { problem, type Problem } from "../shared/problem";
import { isObject } from "../shared/untyped";

/** The API server takes days and weeks in them, with which neither the operator nor SPIRE can start. */
const DURATIONS: readonly string[] = ["caValidity", "defaultX509Validity", "defaultJWTValidity"];

/** What the API server would take although it cannot work. No message quotes a value. */
export function checkSpireServerSpec(path: string, spec: pulumi.Inputs): Problem[] {
  const at = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const wrong = DURATIONS.filter((key) => typeof spec[key] === "string" && parseDuration(spec[key]) === undefined);
  return [
    ...wrong.flatMap((key) =>
      problem(at(key), "what it is set to is not allowed; expected hours, minutes and seconds, like 24h or 1h30m"),
    ),
    ...("federation" in spec ? problem(at("federation"), "is set by the other arguments; take it out here") : []),
  ];
}

/** As the API server gives it back, which writes durations as Go does: another form would be a change for ever. */
export function renderSpireServerSpec(spec: pulumi.Inputs): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(spec).map(([key, value]: [string, unknown]) => [key, DURATIONS.includes(key) ? asGo(value) : value]),
  );
}

function asGo(value: unknown): unknown {
  const seconds = typeof value === "string" ? parseDuration(value) : undefined;
  return seconds === undefined ? value : formatDuration(seconds);
}

/** The same with its secrets marked for Pulumi: the connection string, or all of it. */
export function secretSpireServerSpec(spec: pulumi.Inputs, all: boolean): pulumi.Inputs {
  return Object.fromEntries(
    Object.entries(renderSpireServerSpec(spec)).map(([key, value]) => {
      if (!all && key !== "datastore") return [key, value];
      if (all || isLater(value) || !isObject(value)) return [key, pulumi.secret(value)];
      const { connectionString } = value;
      return [
        key,
        { ...value, ...(connectionString !== undefined && { connectionString: pulumi.secret(connectionString) }) },
      ];
    }),
  );
}

/** Without what is known only later, which is not compared with the live object. */
export function plainSpec(spec: pulumi.Inputs): Record<string, unknown> {
  const known = Object.entries(spec).filter(([, value]) => !isLater(value));
  return Object.fromEntries(
    known.map(([key, value]: [string, unknown]) => [key, isObject(value) ? plainSpec(value) : value]),
  );
}

/** A list is replaced as a whole, and is known when all of it is. */
const isLater = (value: unknown): boolean =>
  pulumi.Output.isInstance(value) ||
  value instanceof Promise ||
  (Array.isArray(value) &&
    value.some((item) => isLater(item) || (isObject(item) && Object.values(item).some(isLater))));

/**
 * Whether a text holds a password: `password=…` (PostgreSQL's keywords, or a URL's query), or `user:…@` (a URL, or MySQL's
 * form). SQLite's is a path.
 */
export function holdsPassword(text: string): boolean {
  return (
    /(^|[\s?&;])\w*(password|passwd|pwd)\s*=\s*[^\s&;]/i.test(text) ||
    /^([a-z][a-z0-9+.-]*:\/\/)?[^:/@\s]*:(?!\/\/).+@/i.test(text)
  );
}

/** The parts of a spec that have a value of their own, each with its path; what is replaced as a whole is one. */
export function leaves(spec: object, above: readonly string[] = []): { path: string[]; value: unknown }[] {
  return Object.entries(spec).flatMap(([key, value]: [string, unknown]) => {
    const path = [...above, key];
    const whole = path[0] === "nodeSelector" || (path[0] === "affinity" && path.length === 2);
    return whole || !isObject(value) || Object.keys(value).length === 0 ? [{ path, value }] : leaves(value, path);
  });
}

/** Whether two values of a field say the same: a duration in any form, a quantity as text or as a number. */
export function isSameValue([field = ""]: readonly string[], one: unknown, other: unknown): boolean {
  if (DURATIONS.includes(field)) return asGo(one) === asGo(other);
  return field === "resources" && typeof other === "number"
    ? String(one) === String(other)
    : isDeepStrictEqual(one, other);
}
