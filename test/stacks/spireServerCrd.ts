/** The CRD of SpireServer, of the lab's catalog: bounds, patterns and defaults are those of the released operator. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { KubeObject } from "../../components/cluster/cluster";
import type { ReleaseState } from "../../components/spireServer/ztwimRelease";

const FILE = join(__dirname, "..", "..", "lab", "internal", "catalog", "ztwim", "crds.yaml");

export function spireServerCrd(release: "1.0" | "1.1" = "1.1"): KubeObject {
  const text = readFileSync(FILE, "utf8");
  const pod = /\{\{- define "pod"\}\}\n([^]*?)\n\{\{- end\}\}/.exec(text)?.[1] ?? "";
  const own = text.split(/^---$/m).find((one) => one.includes("name: spireservers.operator")) ?? "";
  const of = release === "1.1" ? own : own.replaceAll(/\{\{- if not \.ZTWIM\.OneZero\}\}[^]*?\{\{- end\}\}/g, "");
  const rendered = of
    .replaceAll(/ *\{\{- template "pod"\}\}/g, () => pod)
    .replaceAll(/\{\{template "conditions"\}\}/g, "{}")
    .replaceAll(/ *\{\{- .*?\}\}/g, "");
  return parse(rendered) as KubeObject;
}

export const operatorWith = (crd: ReleaseState["crd"]): ReleaseState => ({
  crd,
  ...{ subscription: undefined, versions: [], deployment: undefined, statefulSet: undefined },
});
