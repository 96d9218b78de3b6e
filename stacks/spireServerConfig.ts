import { fieldAt, SPIRE_SERVER_SPEC } from "../components/spireServer/spireServerSchema";
import type { SpireServerSpecArgs } from "../components/spireServer/spireServerArgs";
import { holdsPassword, readSpireServerSpec } from "../components/spireServer/spireServerSpec";
import { unknownKey } from "../components/shared/unknownKey";
import { isObject, parsed } from "../components/shared/untyped";
import type { Fields } from "./fields";

/** The SpireServer as `spireServer.manage` makes it the stack's own. */
export interface ManagedSpireServer {
  /** What is set. */
  spec: SpireServerSpecArgs;
  /** Fields that are changed although somebody else has set them: dotted paths, each with all that is below it. */
  takeOver: string[];
  /** Dotted paths of what is set and not known here, because it was read without decrypting it; "" is all of it. */
  notShown: string[];
  /** Whether Pulumi's config has it as a secret. */
  secret: boolean;
}

const KNOWN = Object.keys(SPIRE_SERVER_SPEC.fields);

/** Reads `key` of the config; undefined when the stack is not to own the whole SpireServer. */
export function managedSpireServer(config: Fields, key: string, secret: boolean): ManagedSpireServer | undefined {
  if (config.isNotShown(key)) return { spec: {}, takeOver: [], notShown: [""], secret: true };
  const fields = config.unquotedObject(key);
  if (!fields.isNotShown("manage") && fields.flag("manage") !== true) {
    const others = takesOverFederation(config, key) && takenOver(fields).every((one) => one === FEDERATION);
    const idle = fields.keys().filter((one) => one !== "manage" && !(others && one === "takeOver"));
    if (idle.length > 0) {
      fields.note("manage", `is not true, so that ${idle.join(", ")} would have no effect; set it, or take them out`);
    }
    return undefined;
  }
  const takeOver = fields.isNotShown("takeOver") ? [] : takenOver(fields);
  const { spec, problems, notShown } = readSpireServerSpec("", fields.raw(...KNOWN));
  for (const { path, message } of problems) fields.note(path, message);
  const { connectionString } = spec.datastore ?? {};
  if (!secret && typeof connectionString === "string" && holdsPassword(connectionString)) {
    const path = "datastore.connectionString";
    const cure = `npx pulumi config set --secret --path ${key}.${path}`;
    fields.note(path, `holds a password and is in clear in the stack's file; make it a secret: ${cure}`);
  }
  fields.refuseOthers();
  return { spec, takeOver, notShown, secret };
}

/** What `takeOver` calls `spec.federation`, which a stack owns also where it owns nothing else of the SpireServer. */
const FEDERATION = "federation";

/** Whether the stack overwrites what others have set in `spec.federation`. */
export function takesOverFederation(config: Fields, key: string): boolean {
  const value = parsed(config.raw(key)[key]);
  const list = isObject(value) ? parsed(value["takeOver"]) : undefined;
  return Array.isArray(list) && list.includes(FEDERATION);
}

function takenOver(fields: Fields): string[] {
  return fields.list("takeOver").map(({ text }, index) => {
    if (text === FEDERATION) return text;
    const path = text.split(".");
    const unknown = path.findIndex((_, at) => !isField(path.slice(0, at + 1)));
    if (unknown >= 0) {
      const parent = fieldAt(path.slice(0, unknown)) ?? SPIRE_SERVER_SPEC;
      const known = parent.type === "group" ? Object.keys(parent.fields) : KNOWN;
      fields.note(`takeOver[${index}]`, `names no field of a SpireServer: ${unknownKey(path[unknown] ?? "", known)}`);
    }
    return text;
  });
}

/** Whether a SpireServer can have something at that path; what maps and lists hold is not looked at. */
function isField(path: readonly string[]): boolean {
  if (fieldAt(path) !== undefined) return true;
  const parent = path.slice(0, -1);
  const field = fieldAt(parent);
  return field === undefined ? parent.length > 0 && isField(parent) : ["map", "list", "object"].includes(field.type);
}
