import { NOT_SHOWN } from "../components/shared/notShown";
import { isObject, parsed } from "../components/shared/untyped";
import { checkSpireServerSpec, holdsPassword, leaves } from "../components/spireServer/spireServerSpec";
import type { Fields } from "./fields";

/** The SpireServer as `spireServer.manage` makes it the stack's own. */
export interface ManagedSpireServer {
  /** What is set, as the CRD has it; NOT_SHOWN is what was read without decrypting it. */
  spec: Record<string, unknown>;
  /** Fields that are changed although somebody else has set them: dotted paths, each with all that is below it. */
  takeOver: string[];
  /** Whether Pulumi's config has it as a secret. */
  secret: boolean;
  /** Nothing of it was decrypted. */
  hidden?: true;
}

/** Reads `key` of the config; undefined when the stack is not to own the whole SpireServer. */
export function managedSpireServer(config: Fields, key: string, secret: boolean): ManagedSpireServer | undefined {
  if (config.isNotShown(key)) return { spec: {}, takeOver: [], secret: true, hidden: true };
  const fields = config.unquotedObject(key);
  const takeOver = fields.isNotShown("takeOver") ? [] : fields.list("takeOver").map(({ text }) => text);
  const set = fields.keys().filter((one) => one !== "manage" && one !== "takeOver");
  if (!fields.isNotShown("manage") && fields.flag("manage") !== true) {
    const idle = takeOver.every((one) => one === FEDERATION) ? set : [...set, "takeOver"];
    if (idle.length > 0) {
      fields.note("manage", `is not true, so that ${idle.join(", ")} would have no effect; set it, or take them out`);
    }
    return undefined;
  }
  const spec = fields.raw(...set);
  for (const { path, message } of checkSpireServerSpec("", spec)) fields.note(path, message);
  if (!secret) for (const path of passwords(spec)) fields.note(path, inClear(`${key}.${path}`));
  return { spec, takeOver, secret };
}

/** Looks in all fields, also where no password belongs: the API server quotes a value that it refuses. */
const passwords = (spec: object): string[] =>
  leaves(spec)
    .filter(({ value }) => textsIn(value).some(holdsPassword))
    .map(({ path }) => path.join("."));

const textsIn = (value: unknown): string[] =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

const inClear = (path: string): string =>
  `holds a password and is in clear in the stack's file; make it a secret: npx pulumi config set --secret --path ${path}`;

/** Whether a value, or a part of it, was not decrypted. */
export function isHidden(value: unknown): boolean {
  if (value === NOT_SHOWN) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(isHidden);
}

/** What `takeOver` calls `spec.federation`, which a stack owns also where it owns nothing else of the SpireServer. */
export const FEDERATION = "federation";

/** Whether the stack overwrites what others have set in `spec.federation`. */
export function takesOverFederation(config: Fields, key: string): boolean {
  const value = parsed(config.raw(key)[key]);
  const list = isObject(value) ? parsed(value["takeOver"]) : undefined;
  return Array.isArray(list) && list.includes(FEDERATION);
}
