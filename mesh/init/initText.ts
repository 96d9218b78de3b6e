/** What `init` has found and writes, for people to read. Pure. */
import { PROGRAM } from "../../components/shared/names";
import { table } from "../kernel/table";
import { printable } from "../kernel/text";
import type { InitCluster } from "./judgement";
import type { PlannedFile } from "./plannedFiles";

const STATES: Record<InitCluster["state"], string> = {
  new: "new member",
  member: "member already",
  "same-cluster": "left out",
  "no-ztwim": "no ZTWIM",
  refused: "left out",
  unknown: "not read",
};

/** The clusters, and why some are left out. */
export function printClusters(clusters: readonly InitCluster[]): string {
  const shown = clusters.filter(({ state }) => state !== "same-cluster");
  const rows = shown.map(({ context, state, stack, trustDomain, ztwim, endpoint }) => [
    context,
    STATES[state],
    stack ?? "-",
    trustDomain ?? "-",
    ztwim ?? "-",
    endpoint ?? "-",
  ]);
  const reasons = clusters.flatMap(({ context, reason, cure, state }) =>
    reason === undefined || state === "no-ztwim"
      ? []
      : [`context ${context}: ${reason}`, ...(cure === undefined ? [] : [`  ${cure}`])],
  );
  return [
    table(["CONTEXT", "IS", "STACK", "TRUST-DOMAIN", "ZTWIM", "ENDPOINT"], rows),
    ...reasons.map((line) => `${printable(line)}\n`),
  ].join("");
}

/** The files as they are going to be: new ones whole, of the others what they get. */
export const printFiles = (files: readonly PlannedFile[]): string =>
  files
    .map(({ file, text, before, peers }) =>
      before === undefined
        ? `new file ${file}${file === "Pulumi.yaml" ? "\n" : `:\n${indented(text)}`}`
        : `${file}: peers gets ${peers.join(", ")}\n`,
    )
    .join("");

const indented = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${printable(line)}\n`)
    .join("");

/** What to do next. */
export const NEXT: readonly string[] = [`npx ${PROGRAM} up`, `npx ${PROGRAM} verify --wait`];

export const printNext = (wrote: boolean): string =>
  wrote
    ? `\nNo cluster was changed. Next, once Pulumi knows where to keep its state (docs/start.md):\n${NEXT.map((line) => `  ${line}\n`).join("")}`
    : "Nothing was written.\n";
