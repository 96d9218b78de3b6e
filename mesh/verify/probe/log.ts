/** What the probe's workload has said, by its log. Pure. */
import { madeOr } from "../../kernel/looked";

/** The last that it has said of each thing. */
export interface PodReport {
  /** What the agent has given it. */
  identity?: { id: string; bundles: string[] };
  /** Why it has no identity. */
  without?: string;
  /** By the peer's name. */
  dialed: Map<string, Dialed>;
}

/** How connections to a peer end: `here`, the peer was refused by this workload, `there`, this one by the peer. */
export type Dialed =
  | { outcome: "met"; tls: string }
  | { outcome: "refused"; by: "here" | "there"; why: string }
  | { outcome: "unreachable"; why: string };

type Line =
  | { event: "identity"; id: string; bundles: string[] }
  | { event: "no-identity"; why: string }
  | ({ event: "dialed"; peer: string } & Dialed);

export function readReport(log: string): PodReport {
  const report: PodReport = { dialed: new Map() };
  for (const line of log.split("\n").flatMap(parse)) {
    if (line.event === "identity") report.identity = { id: line.id, bundles: line.bundles };
    if (line.event === "no-identity") report.without = line.why;
    if (line.event === "dialed") report.dialed.set(line.peer, line);
  }
  return report;
}

/** What is no line of the workload's own, such as a warning of Node, is left out; an identity without an SVID is none. */
const parse = (line: string): Line[] =>
  madeOr<Line[]>([], () => {
    const parsed = JSON.parse(line) as Line | null;
    if (parsed?.event === undefined) return [];
    const isWhole = parsed.event !== "identity" || (typeof parsed.id === "string" && Array.isArray(parsed.bundles));
    return isWhole ? [parsed] : [];
  });
