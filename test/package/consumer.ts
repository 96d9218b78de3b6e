/** The programs of examples/ as another team has them: in a folder of their own, with the package from its tarball. */
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { installPackage, ROOT } from "./install";

export const EXAMPLES = ["typescript", "yaml"] as const;
export type Example = (typeof EXAMPLES)[number];

/** A ConfigMap of that team, which is to be made once the member is ready. */
export const follower = (example: Example): string => `after-${example}`;

const REFRESH_HINT = 120;

const TYPESCRIPT = `
import * as kubernetes from "@pulumi/kubernetes";

new kubernetes.core.v1.ConfigMap(
  "after",
  { metadata: { name: "${follower("typescript")}", namespace: "default" } },
  {
    provider: new kubernetes.Provider("own", { context: config.require("context") }),
    dependsOn: federation,
  },
);
`;

/** Makes a folder of each in `parent`. Their refresh hint is no other test's, so that the first up changes the SPIRE server. */
export async function makeConsumers(parent: string): Promise<void> {
  for (const example of EXAMPLES) await cp(join(ROOT, "examples", example), join(parent, example), { recursive: true });
  installPackage(join(parent, "typescript"), "typescript", "@types/node");
  await symlink(join(parent, "typescript", "node_modules"), join(parent, "yaml", "node_modules"));
  await addToTypescript(join(parent, "typescript", "index.ts"));
  await addToYaml(join(parent, "yaml", "Pulumi.yaml"));
}

async function addToTypescript(file: string): Promise<void> {
  const program = await readFile(file, "utf8");
  await writeFile(file, program.replace(/( *)issuer: .*/, `$&\n$1refreshHint: ${REFRESH_HINT},`) + TYPESCRIPT);
}

async function addToYaml(file: string): Promise<void> {
  const program = parseDocument(await readFile(file, "utf8"));
  program.setIn(["resources", "federation", "properties", "refreshHint"], REFRESH_HINT);
  program.setIn(["resources", "own"], { type: "pulumi:providers:kubernetes", properties: { context: "${context}" } });
  program.setIn(["resources", "after"], {
    type: "kubernetes:core/v1:ConfigMap",
    properties: { metadata: { name: follower("yaml"), namespace: "default" } },
    options: { provider: "${own}", dependsOn: ["${federation}"] },
  });
  await writeFile(file, program.toString());
}
