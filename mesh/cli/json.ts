/**
 * What `-o json` and `-o yaml` print. schema.json is made of these types by `npm run schema`. Fields are added, never removed or given
 * another meaning; `schema` counts the changes that break this.
 */
import type { AdoptedMember } from "../adopt/adopt";
import type { MemberContract, UnknownContract } from "../contract/contracts";
import type { DriftMember } from "../drift/drift";
import type { ExitCode, SignalExit } from "../kernel/exit";
import type { PlannedMember } from "../preview/preview";
import type { Removal } from "../remove/result";
import type { StatusMember } from "../status/status";
import type { UpMember } from "../up/up";
import type { Explained } from "../verify/explain";
import type { Verification } from "../verify/verification";
import type { Shell } from "./shells";

export type Report =
  | { command: "up"; members: UpMember[] }
  | { command: "adopt"; members: AdoptedMember[] }
  | { command: "preview"; members: PlannedMember[] }
  | { command: "drift"; members: DriftMember[] }
  | { command: "peer-info"; members: (MemberContract | UnknownContract)[] }
  | ({ command: "verify" } & Verification)
  | ({ command: "precheck" } & Verification)
  | { command: "explain"; checks: Explained[] }
  | { command: "version"; version: string; node: string }
  | { command: "completion"; shell: Shell; script: string }
  | { command: "status"; members: StatusMember[] }
  | ({ command: "remove" } & Removal);

/** A command that came to no result. */
export interface Failure {
  /** Undefined when the command line names none. */
  command?: string;
  errors: string[];
}

export type Document = (Report | Failure) & { schema: 1; exit: ExitCode | SignalExit };

export function documentOf(report: Report | Failure, exit: ExitCode | SignalExit): string {
  const { command, ...rest } = report;
  return `${JSON.stringify({ command, schema: 1, exit, ...rest }, undefined, 2)}\n`;
}

/** The same document in the form that was asked for. */
export async function documentIn(format: "json" | "yaml", ...document: Parameters<typeof documentOf>): Promise<string> {
  const text = documentOf(...document);
  if (format === "json") return text;
  const { stringify } = await import("yaml");
  return stringify(JSON.parse(text), { lineWidth: 0, aliasDuplicateObjects: false });
}
