/** Points in time, as the page says them. Pure. */
import { counted } from "../kernel/text";
import { dated } from "../kernel/times";
import { html, type Html } from "./html";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const YEAR = 365 * DAY;

/** Undefined when it is no time: what a cluster says may be anything. */
export function parseTime(iso: string): number | undefined {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? undefined : time;
}

/** `2026-11-27 13:15 UTC`; the text itself where it is no time. */
export function timeOf(iso: string): Html {
  const time = parseTime(iso);
  if (time === undefined) return html`${iso}`;
  const date = new Date(time);
  return html`<time datetime="${date.toISOString()}">${dated(date)}</time>`;
}

/** `in 89 days`, `3 hours ago`; nothing where one of them is no time. */
export function distance(from: string, to: string): string {
  const [start, end] = [parseTime(from), parseTime(to)];
  if (start === undefined || end === undefined) return "";
  const length = lengthOf(Math.abs(end - start));
  return end >= start ? `in ${length}` : `${length} ago`;
}

/** In the largest unit of which there are at least two. */
function lengthOf(span: number): string {
  const [size, unit] = UNITS.find(([one]) => span >= 2 * one) ?? SMALLEST;
  return counted(Math.floor(span / size), unit);
}

const SMALLEST = [60_000, "minute"] as const;
const UNITS = [[YEAR, "year"], [DAY, "day"], [HOUR, "hour"], SMALLEST] as const;
