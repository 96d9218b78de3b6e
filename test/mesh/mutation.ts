/** Any value in what was read may be anything: in an object, in a text, in the JSON that a text has. */
import fc from "fast-check";

type Way = readonly (string | number)[];

/** `ODDITIES=10000 ODDITIES_SEED=1` makes more of them, and others. */
export const runs = (usual: number): { numRuns: number; seed: number } => ({
  numRuns: Number(process.env["ODDITIES"] ?? usual),
  seed: Number(process.env["ODDITIES_SEED"] ?? 28),
});

const GONE = Symbol("it is not there");
const ODD: readonly unknown[] = [
  GONE,
  null,
  "",
  "\u0000\u001b[31m",
  "{",
  "a: [b\n: c: {",
  `${"[".repeat(9000)}${"]".repeat(9000)}`,
  '{"keys":[{"use":"jwt-svid","kid":"r","kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}',
  0,
  -1,
  1e300,
  NaN,
  true,
  [],
  {},
  [null],
  [{}],
  { seen: null },
  { because: null },
  Buffer.from("no certificate"),
  new Date(NaN),
  new Error("it gives no answer"),
];

/** What happens to one value. */
export interface Mutation {
  /** Which part of what was read. */
  part: number;
  /** Which value in it. */
  nth: number;
  odd: unknown;
  /** What of a text, or of bytes, becomes odd. */
  how: "whole" | "inside" | "piece" | "end";
  at: number;
}

export const mutations = fc.record<Mutation>({
  part: fc.nat(),
  nth: fc.nat(),
  odd: fc.constantFrom(...ODD),
  how: fc.constantFrom("whole", "inside", "inside", "piece", "end"),
  at: fc.nat(),
});

/** The ways to all values: to each that holds others, and to each that does not. */
export function waysIn(value: unknown, way: Way = []): Way[] {
  if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) return [way];
  if (Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value)) return [way];
  const inside = Object.entries(value).flatMap(([key, part]) => waysIn(part, [...way, key]));
  return way.length === 0 ? inside : [way, ...inside];
}

export const valueAt = (root: unknown, way: Way): unknown =>
  way.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], root);

/** Makes one of the values odd, in place. */
export const mutateOne = (root: unknown, mutation: Mutation, ways: readonly Way[] = waysIn(root)): void => {
  mutate(root, ways[mutation.nth % ways.length] ?? [], mutation);
};

/** Makes the value odd, in place. */
export function mutate(root: unknown, way: Way, mutation: Mutation): void {
  const last = way.at(-1);
  if (last === undefined) return;
  const parent = valueAt(root, way.slice(0, -1)) as Record<string, unknown>;
  const value = changed(parent[last], mutation);
  if (value === GONE) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
}

function changed(value: unknown, mutation: Mutation): unknown {
  const { how, at, odd } = mutation;
  if (how === "whole") return odd;
  if (Buffer.isBuffer(value) && value.length > 0) {
    const index = at % value.length;
    if (how === "end") return value.subarray(0, index);
    const bytes = Buffer.from(value);
    bytes.writeUInt8((bytes.readUInt8(index) + 1) % 256, index);
    return bytes;
  }
  if (typeof value !== "string" || value === "") return odd;
  const index = at % value.length;
  if (how === "end") return value.slice(0, index);
  const inside = how === "inside" ? mutatedJson(value, mutation) : undefined;
  if (inside !== undefined) return inside;
  return `${value.slice(0, index)}${odd === GONE ? "" : String(odd)}${value.slice(index + 1 + (at % 7))}`;
}

/** The text with one value of its JSON odd; undefined where it is none. */
function mutatedJson(text: string, mutation: Mutation): string | undefined {
  try {
    const parsed = JSON.parse(text) as unknown;
    const ways = waysIn(parsed);
    if (parsed === null || typeof parsed !== "object" || ways.length === 0) return undefined;
    mutate(parsed, ways[mutation.at % ways.length] ?? [], { ...mutation, how: "whole" });
    return JSON.stringify(parsed);
  } catch {
    return undefined;
  }
}
