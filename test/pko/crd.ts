/**
 * The operator's own schema of Stacks. stacks.crd.json is deploy/crds/pulumi.com_stacks.yaml of
 * github.com/pulumi/pulumi-kubernetes-operator at v2.9.0 (Apache 2.0), without descriptions and without version v1alpha1.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type AnySchema } from "ajv";
import { isObject } from "../../components/shared/untyped";

interface Crd {
  spec: {
    versions: [{ schema: { openAPIV3Schema: { "x-kubernetes-validations": { rule: string }[] } } }];
  };
}

const crd = JSON.parse(readFileSync(join(__dirname, "stacks.crd.json"), "utf8")) as Crd;
const schema = crd.spec.versions[0].schema.openAPIV3Schema;

/** Rules that the API server evaluates beside the schema. */
export const rules = schema["x-kubernetes-validations"].map(({ rule }) => rule);

/** As an API server with `fieldValidation=Strict` has it: what the schema does not name is refused. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (!isObject(node)) return node;
  const parts = Object.fromEntries(Object.entries(node).map(([key, part]) => [key, strict(part)]));
  const isOpen = "additionalProperties" in node || node["x-kubernetes-preserve-unknown-fields"] === true;
  return node["type"] === "object" && isObject(node["properties"]) && !isOpen
    ? { ...parts, additionalProperties: false }
    : parts;
}

// Of Kubernetes' extensions and of formats such as int32 it knows nothing.
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
const matches = ajv.compile(strict(schema) as AnySchema);

/** What the operator's schema refuses in a Stack. */
export function faultsOf(stack: unknown): string[] {
  if (matches(stack)) return [];
  return (matches.errors ?? []).map(
    ({ instancePath, message = "", params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
