import * as pulumi from "@pulumi/pulumi";
import { formatDuration, parseDuration } from "../shared/arguments";
import type { Problem } from "../shared/problem";
import type { SpireServerSpecArgs } from "./spireServerArgs";
import { type Notes, readField } from "./spireServerRead";
import { type Field, SPIRE_SERVER_SPEC } from "./spireServerSchema";
import { isObject } from "../shared/untyped";

/** A spec from values of any type, and what is wrong with them. No message quotes a value. */
export function readSpireServerSpec(path: string, values: unknown): Notes & { spec: SpireServerSpecArgs } {
  const notes: Notes = { problems: [], notShown: [] };
  const spec = (readField(SPIRE_SERVER_SPEC, values, path, notes) ?? {}) as SpireServerSpecArgs;
  return { spec, ...notes };
}

/** What the CRD would refuse, said before anything changes. */
export function checkSpireServerSpec(path: string, spec: SpireServerSpecArgs): Problem[] {
  return readSpireServerSpec(path, spec).problems;
}

/** `spec` without `federation`, as the API server gives it back: what is set, and nothing else. */
export function renderSpireServerSpec(spec: SpireServerSpecArgs): Record<string, unknown> {
  return render(SPIRE_SERVER_SPEC, spec) as Record<string, unknown>;
}

/** The same with its secrets marked for Pulumi: the connection string, or all of it. */
export function secretSpireServerSpec(spec: SpireServerSpecArgs, all: boolean): Record<string, unknown> {
  const { connectionString } = spec.datastore ?? {};
  const rendered = renderSpireServerSpec(
    connectionString === undefined || all
      ? spec
      : { ...spec, datastore: { ...spec.datastore, connectionString: pulumi.secret(connectionString) } },
  );
  if (!all) return rendered;
  return Object.fromEntries(Object.entries(rendered).map(([key, value]) => [key, pulumi.secret(value)]));
}

function render(field: Field, value: unknown): unknown {
  switch (field.type) {
    case "group":
      return Object.fromEntries(
        Object.entries(value as object).flatMap(([key, part]) =>
          part === undefined || field.fields[key] === undefined ? [] : [[key, render(field.fields[key], part)]],
        ),
      );
    case "list":
      return (value as unknown[]).map((item) => render(field.item, item));
    case "duration":
      // The API server gives durations back as Go writes them; another form would show as a change for ever.
      return formatDuration(parseDuration(value as string) ?? 0);
    case "flag":
      return field.asText ? String(value) : value;
    default:
      return value;
  }
}

/**
 * Whether a connection string holds a password: `password=…` (PostgreSQL's keywords, or a URL's query), or `user:…@` (a
 * URL, or MySQL's form). SQLite's is a path.
 */
export function holdsPassword(connectionString: string): boolean {
  return (
    /(^|[\s?&;])\w*(password|passwd|pwd)\s*=\s*[^\s&;]/i.test(connectionString) ||
    /^([a-z][a-z0-9+.-]*:\/\/)?[^:/@\s]*:(?!\/\/).+@/i.test(connectionString)
  );
}

/** The parts of a spec that have a value of their own, each with its path; what is replaced as a whole is one. */
export function leaves(spec: object, field: Field = SPIRE_SERVER_SPEC): { path: string[]; value: unknown }[] {
  return Object.entries(spec).flatMap(([key, value]) => {
    const part = field.type === "group" ? field.fields[key] : undefined;
    const whole = part?.type === "object" || (part?.type === "map" && part.atomic);
    if (!isObject(value) || whole || Object.keys(value).length === 0) return [{ path: [key], value: value as unknown }];
    return leaves(value, part ?? { type: "object" }).map(({ path, value: at }) => ({
      path: [key, ...path],
      value: at,
    }));
  });
}
