/**
 * Typed reading of untyped config: every fault is noted with its key instead of thrown, so that a person sees all of
 * them in one run. A field that is absent or wrong reads as undefined; after a fault the caller throws anyway.
 *
 * Pulumi hands over top-level values as text and nested ones as JSON, so numbers, flags, lists and objects are taken
 * in either form. Empty text is the same as no value: in Pulumi.yaml every optional key must have some default.
 */
import { NOT_SHOWN } from "../components/shared/notShown";
import type { Problem } from "../components/shared/problem";
import { word } from "../components/shared/shell";
import { unknownKey } from "../components/shared/unknownKey";
import { definedOnly, isObject, parsed } from "../components/shared/untyped";

export { definedOnly };

export class Fields {
  private readonly asked = new Set<string>();

  /** `path` is where these values stand ("" at the top); `problems` is shared with the nested ones. */
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly path: string,
    private readonly problems: Problem[],
    /** Whether a message may quote what is written here. */
    private readonly quoted = true,
  ) {}

  text(key: string): string | undefined {
    const right = "text; put it in quotes where it looks like something else";
    return this.typed(key, right, (value) => (typeof value === "string" ? value : undefined));
  }

  requiredText(key: string): string {
    return this.text(key) ?? this.missing(key, "");
  }

  texts<K extends string>(...keys: K[]): Partial<Record<K, string>> {
    return definedOnly(Object.fromEntries(keys.map((key) => [key, this.text(key)])) as Record<K, string | undefined>);
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
    const right = `an object: pulumi config set --path ${word(`${this.at(key)}.`)}<field> <value>`;
    const object = this.typed(key, right, (value) => [parsed(value)].find(isObject));
    return new Fields(object ?? {}, this.at(key), this.problems, this.quoted);
  }

  /** The same, but no message quotes a value: a password may be in the wrong place. */
  unquotedObject(key: string): Fields {
    this.asked.add(key);
    return new Fields(this.values, this.path, this.problems, false).object(key);
  }

  /** Whether `key` is a secret that was not decrypted. */
  isNotShown(key: string): boolean {
    return this.value(key) === NOT_SHOWN;
  }

  /** What is written at those keys, for a reader of its own. */
  raw(...keys: string[]): Record<string, unknown> {
    return definedOnly(Object.fromEntries(keys.map((key) => [key, this.value(key)])));
  }

  /** The list of texts at `key`, each with its own path; an absent or wrong one reads as empty. */
  list(key: string): { path: string; text: string }[] {
    const items = this.listed(key);
    return items.keys().map((item) => ({ path: items.at(item), text: items.requiredText(item) }));
  }

  /** The same for a list of which an item is a text or an object. */
  items(
    key: string,
  ): ({ path: string; text: string; object?: never } | { path: string; text?: never; object: Fields })[] {
    const items = this.listed(key);
    return items.keys().map((item) => {
      const path = items.at(item);
      return isObject(items.value(item))
        ? { path, object: items.object(item) }
        : { path, text: items.requiredText(item) };
    });
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

  /** Notes that `key` cannot be a secret. */
  noteSecret(key: string): void {
    const cure = `npx pulumi config set --plaintext --path ${word(this.at(key))} <value>`;
    this.note(key, `is a secret, but is shown and published; only what is below spireServer can be one: ${cure}`);
  }

  /**
   * Refuses every key that was not read, and suggests the one that was probably meant. Call it last.
   *
   * @param moved keys of older releases, and what takes their place
   */
  refuseOthers(moved: Readonly<Record<string, string>> = {}): void {
    for (const key of this.keys().filter((one) => !this.asked.has(one))) {
      const instead = Object.hasOwn(moved, key) ? moved[key] : undefined;
      const message = instead === undefined ? unknownKey(key, [...this.asked]) : `is gone; in its place is ${instead}`;
      this.note(key, message);
    }
  }

  private listed(key: string): Fields {
    const right = `a list: pulumi config set --path ${word(`${this.at(key)}[0]`)} <value>`;
    const list = this.typed(key, right, (value) => [parsed(value)].find(Array.isArray)) ?? [];
    return new Fields(
      Object.fromEntries(list.map((item, i) => [`[${i}]`, item])),
      this.at(key),
      this.problems,
      this.quoted,
    );
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
    if (value === NOT_SHOWN) {
      this.noteSecret(key);
      return undefined;
    }
    const typed = read(value);
    if (typed === undefined) this.note(key, `${this.shown(value)} is not allowed; expected ${right}`);
    return typed;
  }

  private shown(value: unknown): string {
    return this.quoted ? JSON.stringify(value) : "what it is set to";
  }

  private at(key: string): string {
    if (this.path === "") return key;
    return key.startsWith("[") ? this.path + key : `${this.path}.${key}`;
  }
}
