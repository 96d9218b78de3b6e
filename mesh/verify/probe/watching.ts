/** When enough has been seen of what workloads say. Pure. */
import { type Dialed, readReport, type PodReport } from "./log";

/** What one workload has said so far. */
export interface Watched {
  report: PodReport;
  /** When the last word on each peer was first heard, in ms. */
  heard: Map<string, number>;
}

/** An agent has a changed bundle within 10 seconds: what is refused longer than this stays refused. */
const REFUSED_MS = 20_000;

export const nothing = (): Watched => ({ report: readReport(""), heard: new Map() });

export function hear({ report: before, heard }: Watched, log: string, now: number): Watched {
  const report = readReport(log);
  const since = [...report.dialed].map(([peer, said]): [string, number] => {
    const known = JSON.stringify(before.dialed.get(peer)) === JSON.stringify(said) ? heard.get(peer) : undefined;
    return [peer, known ?? now];
  });
  return { report, heard: new Map(since) };
}

/** @param peers of whom it is to say something */
export function isSettled({ report, heard }: Watched, peers: readonly string[], now: number): boolean {
  const final = (said: Dialed | undefined, at: number): boolean =>
    said?.outcome === "met" || (said?.outcome === "refused" && now - at >= REFUSED_MS);
  return report.identity !== undefined && peers.every((peer) => final(report.dialed.get(peer), heard.get(peer) ?? now));
}

/** What is new, for whoever watches the program. */
export function news(before: PodReport, after: PodReport): string[] {
  const given =
    after.identity !== undefined && before.identity === undefined ? [`its workload is ${after.identity.id}`] : [];
  const met = [...after.dialed]
    .filter(([peer, { outcome }]) => outcome === "met" && before.dialed.get(peer)?.outcome !== "met")
    .map(([peer]) => `its workload has met ${peer}'s`);
  return [...given, ...met];
}
