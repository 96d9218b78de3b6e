/**
 * Typed reading of untyped config: every fault is noted with its key instead of thrown, so that a person sees all of
 * them in one run. A field that is absent or wrong reads as undefined; after a fault the caller throws anyway.
 *
 * Pulumi hands over top-level values as text and nested ones as JSON, so numbers, flags, lists and objects are taken
 * in either form. Empty text is the same as no value: in Pulumi.yaml every optional key must have some default.
 */
import type { Problem } from "../components/problem";

export class Fields {
  private readonly asked = new Set<string>();

  /** `path` is where these values stand ("" at the top); `problems` is shared with the nested ones. */
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly path: string,
    private readonly problems: Problem[],
  ) {}

  text(key: string): string | undefined {
    const right = "text; put it in quotes where it looks like something else";
    return this.typed(key, right, (value) => (typeof value === "string" ? value : undefined));
  }

  requiredText(key: string): string {
    return this.text(key) ?? this.missing(key, "");
  }

  texts<K extends string>(...keys: K[]): Partial<Record<K, string>> {
    return present(Object.fromEntries(keys.map((key) => [key, this.text(key)])) as Record<K, string | undefined>);
  }

  integer(key: string): number | undefined {
    return this.typed(key, "a whole number", (value) => {
      const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
      return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
    });
  }

  flag(key: string): boolean | undefined {
    return this.typed(key, "true or false", (value) =>
      [true, false].find((one) => one === value || String(one) === value),
    );
  }

  choice<const T extends string>(key: string, allowed: readonly T[]): T | undefined {
    return this.typed(key, `one of ${allowed.join(", ")}`, (value) => allowed.find((one) => one === value));
  }

  /** The object at `key`; an absent or wrong one reads as empty. */
  object(key: string): Fields {
    const right = `an object: pulumi config set --path ${this.at(key)}.<field> <value>`;
    const object = this.typed(key, right, (value) => [parsed(value)].find(isObject));
    return new Fields(object ?? {}, this.at(key), this.problems);
  }

  /** The list of texts at `key`, each with its own path; an absent or wrong one reads as empty. */
  list(key: string): { path: string; text: string }[] {
    const right = `a list: pulumi config set --path '${this.at(key)}[0]' <value>`;
    const list = this.typed(key, right, (value) => [parsed(value)].find(Array.isArray)) ?? [];
    const items = new Fields(Object.fromEntries(list.map((item, i) => [`[${i}]`, item])), this.at(key), this.problems);
    return items.keys().map((item) => ({ path: items.at(item), text: items.requiredText(item) }));
  }

  /** Notes that `key` is absent, unless it is there and was wrong; stands behind a read: `read(key) ?? missing(key, …)`. */
  missing<T>(key: string, instead: T): T {
    if (this.value(key) === undefined) this.note(key, "is not set, and has no default");
    return instead;
  }

  keys(): string[] {
    return Object.keys(this.values);
  }

  note(key: string, message: string): void {
    this.problems.push({ path: this.at(key), message });
  }

  /** Names every key that nobody has asked for, with the one that was probably meant. Call it last. */
  refuseOthers(): void {
    const known = [...this.asked].sort();
    for (const key of this.keys().filter((one) => !this.asked.has(one))) {
      const near = known.find((one) => distance(one.toLowerCase(), key.toLowerCase()) <= 2);
      this.note(key, near === undefined ? `is not known here; ${known.join(", ")} are` : `is not known; "${near}" is`);
    }
  }

  private value(key: string): unknown {
    this.asked.add(key);
    const value = Object.hasOwn(this.values, key) ? this.values[key] : undefined;
    return value === null || value === "" ? undefined : value;
  }

  /** The value as `read` understands it; one that it doesn't understand is noted. */
  private typed<T>(key: string, right: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const typed = read(value);
    if (typed === undefined) this.note(key, `${JSON.stringify(value)} is not possible; it is ${right}`);
    return typed;
  }

  private at(key: string): string {
    if (this.path === "") return key;
    return key.startsWith("[") ? this.path + key : `${this.path}.${key}`;
  }
}

/** The properties that are there. */
export function present<T extends object>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a text says when it is JSON; any other value as it is. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** How many letters have to be added, dropped or changed to get from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
