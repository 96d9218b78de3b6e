/** Times as people read them, and of pods. Pure. */
import { SPIRE_SERVER } from "../../components/shared/names";
import type { Pod } from "../../components/waiting/workloads";
import { counted } from "./text";

/** `2026-11-27 13:09 UTC`. */
export const dated = (date: Date): string => `${date.toISOString().slice(0, -8).replace("T", " ")} UTC`;

const UNITS = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
] as const;

/** How long it is, in its largest unit: `89 days`, `40 seconds`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  // Two of a unit at least, so that 25 hours are not a day.
  const [size, unit] = UNITS.find(([length]) => seconds >= 2 * length) ?? [1, "second"];
  return counted(Math.floor(seconds / size), unit);
}

/** When the SPIRE server of a pod started; undefined when it isn't running. */
export function startOf(pod: Pod | undefined): Date | undefined {
  const container = pod?.status?.containerStatuses?.find(({ name }) => name === SPIRE_SERVER);
  const { startedAt } = container?.state?.running ?? {};
  return startedAt === undefined ? undefined : new Date(startedAt);
}
