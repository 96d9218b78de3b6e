/** Makes plugin/schema.json from the components' types and doc comments: `npm run plugin-schema`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentProvider, getPulumiComponents } from "@pulumi/pulumi/provider/experimental";
import * as classes from "../../plugin/classes";
import { ROOT } from "./typeFields";

interface Manifest {
  version: string;
  description: string;
}
const NAME = "spire-federation";

export async function pluginSchema(): Promise<string> {
  const { version, description } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
  const components = getPulumiComponents(classes);
  const analysed = new ComponentProvider({ name: NAME, version, components, dirname: join(ROOT, "plugin") });
  const schema = { ...(JSON.parse(await analysed.getSchema()) as object), description };
  // Other languages put Args behind the names of types themselves.
  return `${JSON.stringify(schema, undefined, 2).replaceAll(/(spire-federation:index:\w+)Args"/g, '$1"')}\n`;
}

if (require.main === module) {
  void pluginSchema().then((schema) => {
    writeFileSync(join(ROOT, "plugin", "schema.json"), schema);
  });
}
