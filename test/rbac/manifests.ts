/** The manifests of docs/rbac/, as objects. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { loadAllYaml } from "../../components/cluster/kubernetesClient";
import type { Manifest } from "../../lab/client/cluster";
import type { Granting } from "./rights";

const FOLDER = resolve(__dirname, "..", "..", "docs", "rbac");

/** A Role or ClusterRole has rules, a binding a roleRef, the rest neither. */
export type RbacManifest = Manifest & {
  rules?: Granting["rules"];
  roleRef?: { kind: string; name: string };
};

/** Their names, without `.yaml`. */
export const files = (): string[] =>
  readdirSync(FOLDER)
    .map((file) => file.replace(/\.yaml$/, ""))
    .sort();

export const objectsOf = (file: string): RbacManifest[] =>
  loadAllYaml(readFileSync(join(FOLDER, `${file}.yaml`), "utf8")) as RbacManifest[];
