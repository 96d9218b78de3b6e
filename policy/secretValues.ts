/** Finds private keys, tokens and passwords. Pure; no message quotes the value. */
import { holdsPassword } from "../components/spireServer/spireServerSpec";
import { isObject, parsed } from "../components/shared/untyped";

/** Endings of field names (lower case, no separators), and which kind of secret such a field holds. */
const NAMES: Readonly<Record<string, string>> = {
  password: "a password",
  passphrase: "a passphrase",
  token: "a token",
  privatekey: "a private key",
  clientkeydata: "a private key",
};
/** Header and payload of a JSON web token are JSON objects in base64. */
const TOKEN = /(^|[^A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/;

/** Which kind of secret a text is; undefined if it may be published. */
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
