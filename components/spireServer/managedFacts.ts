/**
 * What the SPIRE server's configuration says of the fields that a stack owns beside the federation: an `up` is ready once the
 * server runs with what it has changed. Pure.
 *
 * Only what is set is compared. Fields of the pods, such as resources, stand in the StatefulSet itself.
 */
import { parseDuration } from "../shared/arguments";
import { isObject } from "../shared/untyped";

/** Each field, by its path below `spec`, and where server.conf has it. */
const FIELDS: readonly (readonly [field: string, conf: readonly (string | number)[]])[] = [
  ["jwtIssuer", ["server", "jwt_issuer"]],
  ["logLevel", ["server", "log_level"]],
  ["logFormat", ["server", "log_format"]],
  ["caValidity", ["server", "ca_ttl"]],
  ["defaultX509Validity", ["server", "default_x509_svid_ttl"]],
  ["defaultJWTValidity", ["server", "default_jwt_svid_ttl"]],
  ["caKeyType", ["server", "ca_key_type"]],
  ["jwtKeyType", ["server", "jwt_key_type"]],
  ...(["databaseType", "connectionString", "maxOpenConns", "maxIdleConns", "disableMigration"] as const).map(
    (field) =>
      [
        `datastore.${field}`,
        [
          "plugins",
          "DataStore",
          0,
          "sql",
          "plugin_data",
          field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        ],
      ] as const,
  ),
  ["upstreamAuthority.vault.vaultAddr", ["plugins", "UpstreamAuthority", 0, "vault", "plugin_data", "vault_addr"]],
  [
    "upstreamAuthority.certManager.issuerName",
    ["plugins", "UpstreamAuthority", 0, "cert-manager", "plugin_data", "issuer_name"],
  ],
];

/**
 * Names of the fields that server.conf does not have as they are asked for. No values: a connection string may hold a password.
 *
 * @param asked the specification without `federation`, as the API server has it
 */
export function fieldsBehind(asked: Record<string, unknown>, serverConf: string): string[] {
  let conf: unknown;
  try {
    conf = JSON.parse(serverConf);
  } catch {
    conf = undefined;
  }
  return FIELDS.flatMap(([field, place]) => {
    const wanted = at(asked, field.split("."));
    return wanted === undefined || plain(wanted) === plain(at(conf, place)) ? [] : [field];
  });
}

const at = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((part, key) => {
    if (Array.isArray(part)) return (part as unknown[])[Number(key)];
    return isObject(part) ? part[key] : undefined;
  }, value);

/** `24h` and `24h0m0s` are the same, as are `"true"` and true. */
function plain(value: unknown): string {
  const seconds = typeof value === "string" ? parseDuration(value) : undefined;
  return seconds === undefined ? String(value) : `${seconds}s`;
}
