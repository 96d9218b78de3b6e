/** Makes plugin/schema.json from the components' types and doc comments: `npm run plugin-schema`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentProvider, getPulumiComponents } from "@pulumi/pulumi/provider/experimental";
import * as classes from "../../plugin/classes";
import { ROOT } from "./typeFields";

interface Property {
  $ref?: string;
  type?: string;
  description?: string;
}
interface Manifest {
  version: string;
  description: string;
}
interface Schema {
  types: Record<string, object>;
  resources: Record<string, { properties: Record<string, Property> }>;
}

const NAME = "spire-federation";
const RESOURCE = `${NAME}:index:Resource`;
const READY = { type: "boolean", description: "True once what the component made is ready; not known before." };

/** A resource cannot be the output of a component in another language: there `ready` is a boolean. */
function withoutResources(schema: Schema): Schema {
  for (const { properties } of Object.values(schema.resources)) {
    for (const [key, { $ref }] of Object.entries(properties)) {
      if ($ref === `#/types/${RESOURCE}`) properties[key] = READY;
    }
  }
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  const { [RESOURCE]: left, ...types } = schema.types;
  return { ...schema, types };
}

export async function pluginSchema(): Promise<string> {
  const { version, description } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
  const components = getPulumiComponents(classes);
  const analysed = new ComponentProvider({ name: NAME, version, components, dirname: join(ROOT, "plugin") });
  const schema = { ...withoutResources(JSON.parse(await analysed.getSchema()) as Schema), description };
  // Other languages put Args behind the names of types themselves.
  return `${JSON.stringify(schema, undefined, 2).replaceAll(/(spire-federation:index:\w+)Args"/g, '$1"')}\n`;
}

if (require.main === module) {
  void pluginSchema().then((schema) => {
    writeFileSync(join(ROOT, "plugin", "schema.json"), schema);
  });
}
