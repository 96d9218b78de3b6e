/**
 * Checks a value against the schema of the live CRD, also in a preview: Pulumi's provider asks the API server about an object
 * only if the stack has it already. No message quotes a value, which may be a password in the wrong place. Pure.
 */
import { NOT_SHOWN } from "../components/shared/notShown";
import { problem, type Problem } from "../components/shared/problem";
import { unknownKey } from "../components/shared/unknownKey";
import { isObject } from "../components/shared/untyped";
import type { CrdSchema } from "../components/spireServer/ztwimRelease";

/**
 * Rules of the schema (x-kubernetes-validations) are left to the API server.
 *
 * @param live what the cluster has there: what it has need not be set
 */
export function checkBySchema(schema: CrdSchema, value: unknown, live: unknown, path = ""): Problem[] {
  if (value === NOT_SHOWN) return [];
  const right = allowed(schema, value);
  if (right !== undefined) return problem(path, `what it is set to is not allowed; expected ${right}`);
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => checkBySchema(schema.items ?? {}, item, undefined, `${path}[${index}]`));
  }
  if (!isObject(value)) return [];
  const { properties = {}, additionalProperties, required = [] } = schema;
  const at = (key: string): string => (path === "" ? key : `${path}.${key}`);
  const has = (object: unknown, key: string): boolean => isObject(object) && Object.hasOwn(object, key);
  const isOpen = additionalProperties !== undefined || isAny(schema);
  return [
    ...Object.entries(value).flatMap(([key, part]) => {
      const field = has(properties, key) ? properties[key] : isObject(additionalProperties) ? additionalProperties : {};
      if (!isOpen && !has(properties, key)) return problem(at(key), unknownKey(key, Object.keys(properties)));
      return checkBySchema(
        field ?? {},
        part,
        has(live, key) ? (live as Record<string, unknown>)[key] : undefined,
        at(key),
      );
    }),
    ...required
      .filter((key) => !has(value, key) && !has(live, key) && properties[key]?.default === undefined)
      .flatMap((key) => problem(at(key), "is not set, and has no default")),
  ];
}

/** Whether an object can have something at that path. */
export function isField(schema: CrdSchema, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined || isAny(schema)) return true;
  const { properties = {}, additionalProperties } = schema;
  if (isObject(additionalProperties)) return true;
  const field = Object.hasOwn(properties, key) ? properties[key] : undefined;
  return field !== undefined && isField(field, rest);
}

const isAny = (schema: CrdSchema): boolean =>
  schema["x-kubernetes-preserve-unknown-fields"] === true ||
  ((schema.type ?? "object") === "object" &&
    schema.properties === undefined &&
    schema.additionalProperties === undefined);

/** The expected value, in words; undefined if the value is right. */
function allowed(schema: CrdSchema, value: unknown): string | undefined {
  const { enum: choices, pattern, minimum = -Infinity, maximum = Infinity, maxLength = Infinity } = schema;
  const { maxItems = Infinity, maxProperties = Infinity } = schema;
  if (choices !== undefined) return choices.includes(value) ? undefined : `one of ${choices.map(String).join(", ")}`;
  switch (schema.type) {
    case "string": {
      if (typeof value === "string" && value.length <= maxLength && matches(pattern, value)) return undefined;
      const limit = maxLength === Infinity ? "" : ` of ${maxLength} characters at most`;
      const form = pattern === undefined ? "" : ` that matches ${pattern}`;
      return `text${limit}${form}; put it in quotes where it looks like something else`;
    }
    case "integer":
    case "number": {
      const right = typeof value === "number" && (schema.type === "number" || Number.isSafeInteger(value));
      const bounds = `${minimum === -Infinity ? "" : ` from ${minimum}`}${maximum === Infinity ? "" : ` to ${maximum}`}`;
      return right && value >= minimum && value <= maximum ? undefined : `a whole number${bounds}`;
    }
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "array":
      return Array.isArray(value) && value.length <= maxItems ? undefined : `a list${upTo(maxItems)}`;
    case "object":
      return isObject(value) && Object.keys(value).length <= maxProperties
        ? undefined
        : `an object, with its fields below it${upTo(maxProperties)}`;
    default:
      return undefined;
  }
}

const upTo = (most: number): string => (most === Infinity ? "" : `, ${most} entries at most`);

/** The API server's grammar allows `(?i)` anywhere. A pattern that JavaScript cannot read is left to the API server. */
function matches(pattern: string | undefined, value: string): boolean {
  if (pattern === undefined) return true;
  try {
    return new RegExp(pattern.replace("(?i)", ""), pattern.includes("(?i)") ? "i" : "").test(value);
  } catch {
    return true;
  }
}
