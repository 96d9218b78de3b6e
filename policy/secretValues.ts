/** Whether a value is one that nobody else should have. Pure; nothing here quotes the value. */
import { holdsPassword } from "../components/spireServer/spireServerSpec";
import { isObject, parsed } from "../components/shared/untyped";

/** Endings of names of such values, in lower case and without separators, and what they are. */
const NAMES: Readonly<Record<string, string>> = {
  password: "a password",
  passphrase: "a passphrase",
  token: "a token",
  privatekey: "a private key",
  clientkeydata: "a private key",
};
/** Header and payload of a JSON web token are JSON objects in base64. */
const TOKEN = /(^|[^A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/;

/** What a text is; undefined where nothing speaks against publishing it. */
export function secretIn(name: string, text: string): string | undefined {
  if (isPem(text) || isPem(Buffer.from(text, "base64").toString("latin1")) || isPrivateJwk(parsed(text))) {
    return "a private key";
  }
  if (TOKEN.test(text)) return "a token";
  // An image with a tag and a digest looks like a user and a password, but is no URL and sets nothing.
  if (/:\/\/|=/.test(text) && holdsPassword(text)) return "a password";
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, "");
  return text === "" ? undefined : Object.entries(NAMES).find(([ending]) => plain.endsWith(ending))?.[1];
}

const isPem = (text: string): boolean => /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/.test(text);

/** A JSON web key with its private part, or a set of keys with one. */
export function isPrivateJwk(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { kty, d, keys } = value;
  return (typeof kty === "string" && d !== undefined) || (Array.isArray(keys) && keys.some(isPrivateJwk));
}
