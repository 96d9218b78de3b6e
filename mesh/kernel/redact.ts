/** Values as people read them, without what may be a password. Pure. */
import { runtime } from "@pulumi/pulumi";
import { INSTEAD, redactedText } from "./redactedText";

const MOST_CHARACTERS = 200;

/** Keys of what may be secret; a key that only names a Secret, such as `privateKeySecretRef`, is shown. */
const SECRET_KEY =
  /connection.?string|passw(or)?d|passphrase|token|credential|api.?key|private.?key(?!.?SecretRef)|secret.?(key|value|data)?$/i;

/** Whether a value is not shown: unknown before the up, or secret. */
export function isHidden(value: unknown): boolean {
  const { unknownValue, specialSigKey } = runtime;
  return value === unknownValue || (typeof value === "object" && value !== null && specialSigKey in value);
}

/**
 * A value of an object as JSON, however deep it is and wherever in it a secret may be.
 *
 * @param path where it is in its object
 * @param ofSecret it is of a Secret, whose data are never shown
 */
export function shown(path: string, value: unknown, ofSecret = false): string {
  if (value === undefined) return "nothing";
  if (ofSecret || isHidden(value) || path.split(/[.[\]]+/).some((key) => SECRET_KEY.test(key))) return INSTEAD;
  const hide = (key: string, part: unknown): unknown => {
    if (SECRET_KEY.test(key) || isHidden(part)) return INSTEAD;
    return typeof part === "string" ? redactedText(part) : part;
  };
  const text = JSON.stringify(value, hide);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
