/** What `mesh … -o json` prints, held against the published schema. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type AnySchema } from "ajv";
import type { Report } from "../../../mesh/cli/json";

const SCHEMA = join(__dirname, "..", "..", "..", "mesh", "cli", "schema.json");
const ajv = new Ajv();
const matches = ajv.compile(JSON.parse(readFileSync(SCHEMA, "utf8")) as AnySchema);

/** The result of a command; an error where it is not what the schema says, or another command's. */
export function report<C extends Report["command"]>(command: C, text: string): Extract<Report, { command: C }> {
  const printed: unknown = JSON.parse(text);
  if (!matches(printed)) throw new Error(`not as published: ${ajv.errorsText(matches.errors)}\n${text}`);
  expect(printed).toMatchObject({ command });
  return printed as Extract<Report, { command: C }>;
}
