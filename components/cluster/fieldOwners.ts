/** Who has set a field of a live object, as the API server keeps it in `metadata.managedFields`. Pure. */
import type { KubeObject, ManagedFields } from "./cluster";
import { isObject } from "../shared/untyped";

/** The managers of a field (of an atomic one as a whole, not of its parts), each once; none for what the API server has filled in. */
export function owners(object: KubeObject | undefined, path: readonly string[]): string[] {
  const entries = (object?.metadata?.managedFields ?? []).filter((entry) => covers(entry, path));
  return [...new Set(entries.map(({ manager = "somebody" }) => manager))];
}

function covers({ subresource = "", fieldsV1 }: ManagedFields, path: readonly string[]): boolean {
  if (subresource !== "") return false;
  let fields: unknown = fieldsV1;
  for (const key of path) fields = isObject(fields) ? fields[`f:${key}`] : undefined;
  return isObject(fields);
}
