/** Where an up spends its time, from what Pulumi printed in each of its runs. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation";

export interface Span {
  /** `cluster1 preview`, or `cluster1 up` for all of a run; the resource's name for a part of it. */
  what: string;
  /** In seconds since the first event of all runs; Pulumi's events have whole seconds. */
  from: number;
  to: number;
  parts: Span[];
}

/** Of the runs whose logs are in a folder, in the order in which they began. */
export async function timeline(logDir: string): Promise<Span[]> {
  const runs = await Promise.all(
    (await readdir(logDir)).map(async (file) => {
      const [, stack = "", command = ""] = /^(.+?)-\d{4}-.*-(\w+)\.log$/.exec(file) ?? [];
      return runOf(`${stack} ${command}`, await readFile(join(logDir, file), "utf8"));
    }),
  );
  const began = Math.min(...runs.map(({ from }) => from));
  return runs.sort((a, b) => a.from - b.from).map((run) => since(run, began));
}

function runOf(what: string, log: string): Span {
  const events = log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as EngineEvent);
  const times = events.map(({ timestamp }) => timestamp);
  const begun = new Map<string, number>();
  const parts: Span[] = [];
  for (const { timestamp, resourcePreEvent, resOutputsEvent } of events) {
    if (resourcePreEvent !== undefined) begun.set(resourcePreEvent.metadata.urn, timestamp);
    const urn = resOutputsEvent?.metadata.urn;
    const from = urn === undefined ? undefined : begun.get(urn);
    if (urn !== undefined && from !== undefined && timestamp > from)
      parts.push({ what: urn.split("::").at(-1) ?? urn, from, to: timestamp, parts: [] });
  }
  return { what, from: Math.min(...times), to: Math.max(...times), parts };
}

const since = ({ what, from, to, parts }: Span, began: number): Span => ({
  what,
  from: from - began,
  to: to - began,
  parts: parts.map((part) => since(part, began)),
});
