/**
 * What `-o json` and `-o yaml` print. schema.json is made of these types by `npm run schema`. Fields are added, never removed or given
 * another meaning; `schema` counts the changes that break this.
 */
import type { Alerts } from "../alerts/alerts";
import type { AdoptedMember } from "../adopt/adopt";
import type { ConfiguredMember } from "../config/config";
import type { MemberContract, UnknownContract } from "../contract/contracts";
import type { DriftMember } from "../drift/drift";
import type { ExitCode, SignalExit } from "../kernel/exit";
import type { InitReport } from "../init/report";
import type { PlannedMember } from "../preview/preview";
import type { Removal } from "../remove/result";
import type { RotatedMember } from "../rotate/rotated";
import type { StatusMember } from "../status/status";
import type { UpMember } from "../up/up";
import type { Explained } from "../verify/explain";
import type { Verification } from "../verify/verification";
import type { Shell } from "./shells";

export type Report =
  | ({ command: "init" } & InitReport)
  | { command: "up"; members: UpMember[] }
  | { command: "adopt"; members: AdoptedMember[] }
  | { command: "preview"; members: PlannedMember[] }
  | { command: "config"; members: ConfiguredMember[] }
  | { command: "drift"; members: DriftMember[] }
  | { command: "peer-info"; members: (MemberContract | UnknownContract)[] }
  | ({ command: "verify" } & Verification)
  | ({ command: "precheck" } & Verification)
  | ({ command: "alerts" } & Alerts)
  | { command: "explain"; checks: Explained[] }
  | { command: "version"; version: string; node: string }
  | { command: "completion"; shell: Shell; script: string }
  | { command: "status"; members: StatusMember[] }
  | { command: "rotate"; members: RotatedMember[] }
  | { command: "revoke"; members: RotatedMember[] }
  | ({ command: "remove" } & Removal);

/** A command that came to no result. */
export interface Failure {
  /** Undefined when the command line names none. */
  command?: string;
  errors: string[];
}

export type Document = (Report | Failure) & { schema: 1; exit: ExitCode | SignalExit };

/** What a terminal may act on; JSON itself escapes only what is below U+0020. */
const HIDDEN = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;
const hex = (code: number | undefined, digits: number): string => (code ?? 0).toString(16).padStart(digits, "0");

export function documentOf(report: Report | Failure, exit: ExitCode | SignalExit): string {
  const { command, ...rest } = report;
  const text = JSON.stringify({ command, schema: 1, exit, ...rest }, undefined, 2);
  const units = (character: string): string[] => character.split("").map((unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
  return `${text.replace(HIDDEN, (character) => units(character).join(""))}\n`;
}

/** The same document in the form that was asked for. */
export async function documentIn(format: "json" | "yaml", ...document: Parameters<typeof documentOf>): Promise<string> {
  const text = documentOf(...document);
  if (format === "json") return text;
  const { Document, visit } = await import("yaml");
  const yaml = new Document(JSON.parse(text), { aliasDuplicateObjects: false });
  // Only between double quotes YAML has escapes.
  visit(yaml, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === "string" && scalar.value.search(HIDDEN) >= 0) scalar.type = "QUOTE_DOUBLE";
    },
  });
  return yaml.toString({ lineWidth: 0 }).replace(HIDDEN, (character) => `\\U${hex(character.codePointAt(0), 8)}`);
}
