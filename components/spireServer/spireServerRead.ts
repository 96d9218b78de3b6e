/**
 * Reads a value by a field of the SpireServer's schema. Every fault is noted with its path, and no message quotes a
 * value: what is written below `spireServer` may be a password in the wrong place.
 */
import * as pulumi from "@pulumi/pulumi";
import { parseDuration } from "../shared/arguments";
import { NOT_SHOWN } from "../shared/notShown";
import type { Problem } from "../shared/problem";
import type { Field, Group } from "./spireServerSchema";
import { unknownKey } from "../shared/unknownKey";
import { isObject, parsed } from "../shared/untyped";

/** What the reading of a value has found on the way. */
export interface Notes {
  problems: Problem[];
  /** Paths of values that are set and not known here. */
  notShown: string[];
}

/** The value as the field has it; undefined when it is absent, wrong or not shown. */
export function readField(field: Field, given: unknown, path: string, notes: Notes): unknown {
  // A group is not shown as far as its fields are not; what is replaced as a whole, as a whole.
  if (given === NOT_SHOWN || (["map", "list", "object"].includes(field.type) && holdsNotShown(given))) {
    notes.notShown.push(path);
    return undefined;
  }
  if (given === undefined || given === null || given === "") return undefined;
  const wrong = (right: string): unknown => {
    notes.problems.push({ path, message: `what it is set to is not possible; it is ${right}` });
    return undefined;
  };
  switch (field.type) {
    case "text":
      // Of a component's arguments, this one can be an output.
      if (field.password && (pulumi.Output.isInstance(given) || given instanceof Promise)) return given;
      return typeof given === "string" &&
        given.length <= (field.max ?? Infinity) &&
        (field.pattern?.test(given) ?? true)
        ? given
        : wrong(aText(field));
    case "choice":
      return field.of.find((one) => one === given) ?? wrong(`one of ${field.of.join(", ")}`);
    case "duration":
      return typeof given === "string" && parseDuration(given) !== undefined
        ? given
        : wrong("hours, minutes and seconds, like 24h or 1h30m");
    case "integer": {
      const number = typeof given === "string" && /^-?\d+$/.test(given) ? Number(given) : given;
      const right = Number.isSafeInteger(number) && Number(number) >= field.min && Number(number) <= field.max;
      return right ? number : wrong(aNumber(field));
    }
    case "flag":
      return [true, false].find((one) => one === given || String(one) === given) ?? wrong("true or false");
    case "group":
      return readGroup(field, given, path, notes) ?? wrong(AN_OBJECT);
    case "map":
      return readMap(field, given, path, notes) ?? wrong(AN_OBJECT);
    case "list":
      return readList(field, given, path, notes) ?? wrong("a list");
    case "object":
      return [parsed(given)].find(isObject) ?? wrong("an object");
  }
}

function readGroup(group: Group, given: unknown, path: string, notes: Notes): Record<string, unknown> | undefined {
  const values = parsed(given);
  if (!isObject(values)) return undefined;
  const at = (key: string): string => below(path, key);
  const add = (where: string, message: string): unknown => notes.problems.push({ path: where, message });
  const known = Object.keys(group.fields);
  for (const key of Object.keys(values).filter((one) => !known.includes(one))) add(at(key), unknownKey(key, known));
  const isSet = (key: string): boolean => ![undefined, null, ""].includes(own(values, key) as null);
  for (const key of group.required ?? []) if (!isSet(key)) add(at(key), "is not set, and has no default");
  if (group.oneOf && known.filter(isSet).length !== 1) add(path, `takes exactly one of ${known.join(", ")}`);
  const read = Object.entries(group.fields).map(([key, field]) => [
    key,
    readField(field, own(values, key), at(key), notes),
  ]);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as Record<string, unknown>;
}

/** Kubernetes' quantities: `500m`, `1.5`, `2Gi`. */
const QUANTITY =
  /^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$/;

function readMap(
  { max, quantities }: Extract<Field, { type: "map" }>,
  given: unknown,
  path: string,
  { problems }: Notes,
): Record<string, string> | undefined {
  const values = parsed(given);
  if (!isObject(values)) return undefined;
  if (Object.keys(values).length > max) problems.push({ path, message: `has too many entries; it takes ${max}` });
  const right = quantities
    ? "a quantity, like 500m or 2Gi"
    : "text; put it in quotes where it looks like something else";
  const entries = Object.entries(values).flatMap(([key, value]) => {
    // `pulumi config set --path` makes a flag or a number of what looks like one; an empty text is a value here.
    const entry = typeof value === "boolean" || Number.isSafeInteger(value) ? String(value) : value;
    if (typeof entry === "string" && (!quantities || QUANTITY.test(entry))) return [[key, entry] as const];
    problems.push({ path: below(path, key), message: `what it is set to is not possible; it is ${right}` });
    return [];
  });
  return Object.fromEntries(entries);
}

function readList(
  { max, item }: Extract<Field, { type: "list" }>,
  given: unknown,
  path: string,
  notes: Notes,
): unknown[] | undefined {
  const values = parsed(given);
  if (!Array.isArray(values)) return undefined;
  if (values.length > max) notes.problems.push({ path, message: `has too many entries; it takes ${max}` });
  return values.flatMap((value, index) => readField(item, value, `${path}[${index}]`, notes) ?? []);
}

function aText({ max, like }: Extract<Field, { type: "text" }>): string {
  const limit = max === undefined ? "" : ` of ${max} characters at most`;
  return `text${limit}${like === undefined ? "" : `, like ${like}`}`;
}

const aNumber = ({ min, max }: Extract<Field, { type: "integer" }>): string =>
  max === Number.MAX_SAFE_INTEGER
    ? min === 0
      ? "a whole number, 0 or more"
      : "a whole number"
    : `a whole number from ${min} to ${max}`;

const AN_OBJECT = "an object, with its fields below it";

function holdsNotShown(value: unknown): boolean {
  if (value === NOT_SHOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsNotShown);
}

const below = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

const own = (values: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(values, key) ? values[key] : undefined;
