/** Text from clusters, Pulumi and files without the passwords, keys and tokens in it. Loads nothing. Pure. */
export const INSTEAD = "(not shown)";

/** `scheme://user:password@host`; a password may have an @ or a slash in it, and `:8443/` is a port. */
const URL_PASSWORD = /(\w+:\/\/[^\s:@/[]*):(?!\d+\/)[^\s"]*@/g;
/** `password=…`, as in a connection string. */
const ASSIGNED = /((?:passw(?:or)?d|pwd|passphrase|token|secret)\s*=\s*)(?!\(not)("[^"]*"|'[^']*'|[^\s;&,]+)/gi;
/** `"password": "…"`, as in a line of a log, which may be quoted once more. */
const IN_JSON =
  /((\\?")[\w.-]*(?:passw(?:or)?d|pwd|passphrase|token|secret|api.?key|connection.?string)\2\s*:\s*)(\\".*?\\"|"(?:[^"\\]|\\.)*")/gi;

/** A private key in PEM, also one whose end was cut off or whose lines are written as `\\n`. */
const PEM = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g;
/** `Authorization: Bearer …`, and a JWT anywhere. */
const AUTHORIZATION = /\b((?:bearer|basic)\s+)[\w.~+/=-]{16,}/gi;
const JWT = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g;

/** A text without what in it may be a password. What stands for one stays when it is redacted again. */
export function redactedText(text: string): string {
  return text
    .replace(PEM, INSTEAD)
    .replace(AUTHORIZATION, `$1${INSTEAD}`)
    .replace(JWT, INSTEAD)
    .replace(URL_PASSWORD, `$1:${INSTEAD}@`)
    .replace(ASSIGNED, `$1${INSTEAD}`)
    .replace(IN_JSON, `$1$2${INSTEAD}$2`);
}

/** The same of every text of a finding. */
export const redactedFields = <T extends object>(finding: T): T =>
  Object.fromEntries(
    Object.entries(finding).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === "string" ? redactedText(value) : value,
    ]),
  ) as T;
