/** Markup from templates in which everything that is put in is text. Pure. */

import { printable } from "../kernel/text";

/** Text that is markup already. Only `html` makes it, and `trusted` from what this program itself says. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = string | number | Html | readonly Html[];

/** A template of HTML or SVG. What it is given is escaped, in content and in quoted attributes, unless it is markup itself. */
export function html(literals: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = literals.map((literal, index) => {
    const value = values[index];
    return value === undefined ? literal : literal + markupOf(value);
  });
  return new Html(parts.join(""));
}

/** Never with anything that comes from a cluster. */
export const trusted = (markup: string): Html => new Html(markup);

export const NOTHING = trusted("");

function markupOf(value: Value): string {
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(({ text }) => text).join("");
  return escape(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
