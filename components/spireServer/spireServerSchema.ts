/**
 * `spec` of ZTWIM's SpireServer as its CRD has it, without `federation`: types, limits and defaults of releases 1.0 and
 * 1.1. One table, from which config is read, checked, rendered and compared with the live object.
 */

/** A field of the spec. `default` is what the CRD fills in. */
export type Field =
  | { type: "text"; max?: number; pattern?: RegExp; like?: string; default?: string; password?: true }
  | { type: "choice"; of: readonly string[]; default?: string }
  /** A Go duration of hours, minutes and seconds. */
  | { type: "duration"; default: string }
  | { type: "integer"; min: number; max: number; default?: number }
  /** `asText`: the CRD has the words "true" and "false" instead of a boolean. */
  | { type: "flag"; asText: boolean; default: boolean }
  | Group
  /** Texts by name. An atomic map is replaced as a whole. */
  | { type: "map"; max: number; atomic: boolean; quantities?: true }
  /** A list is replaced as a whole. */
  | { type: "list"; max: number; item: Group }
  /** Any object; the API server checks it. */
  | { type: "object" };

export interface Group {
  type: "group";
  fields: Readonly<Record<string, Field>>;
  required?: readonly string[];
  /** Exactly one of the fields is set. */
  oneOf?: true;
}

const KEY_TYPES = ["rsa-2048", "rsa-4096", "ec-p256", "ec-p384"] as const;
const group = (fields: Group["fields"], rest: Omit<Group, "type" | "fields"> = {}): Group => ({
  type: "group",
  fields,
  ...rest,
});
const text = (max: number, rest: Omit<Extract<Field, { type: "text" }>, "type" | "max"> = {}): Field => ({
  type: "text",
  max,
  ...rest,
});
const choice = (of: readonly string[], byDefault?: string): Field => ({
  type: "choice",
  of,
  ...(byDefault !== undefined && { default: byDefault }),
});

const certManager = group(
  {
    namespace: text(63),
    issuerName: text(253),
    issuerKind: choice(["Issuer", "ClusterIssuer"], "Issuer"),
    issuerGroup: text(253, { default: "cert-manager.io" }),
  },
  { required: ["namespace", "issuerName"] },
);

const vault = group(
  {
    vaultAddr: { type: "text", pattern: /^https?:\/\/.+/, like: "https://vault.example.com:8200" },
    pkiMountPoint: { type: "text", default: "pki" },
    caCertSecretRef: group({ name: text(253), key: text(253) }, { required: ["name", "key"] }),
    insecureSkipVerify: { type: "flag", asText: false, default: false },
    vaultNamespace: { type: "text" },
    k8sAuth: group(
      {
        k8sAuthMountPoint: { type: "text", default: "kubernetes" },
        k8sAuthRoleName: { type: "text" },
        audience: { type: "text", default: "vault" },
      },
      { required: ["k8sAuthRoleName"] },
    ),
  },
  { required: ["vaultAddr", "k8sAuth"] },
);

const toleration = group({
  key: text(317),
  operator: choice(["Exists", "Equal"]),
  value: text(63),
  effect: choice(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
  tolerationSeconds: { type: "integer", min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
});

export const SPIRE_SERVER_SPEC = group({
  jwtIssuer: text(512, { pattern: /^https?:\/\/[^\s?#]+$/i, like: "https://oidc-discovery.apps.cluster1.example.com" }),
  logLevel: choice(["debug", "info", "warn", "error"], "info"),
  logFormat: choice(["text", "json"], "text"),
  caValidity: { type: "duration", default: "24h" },
  defaultX509Validity: { type: "duration", default: "1h" },
  defaultJWTValidity: { type: "duration", default: "5m" },
  caKeyType: choice(KEY_TYPES, "rsa-2048"),
  jwtKeyType: choice(KEY_TYPES),
  keyManager: group({
    diskEnabled: { type: "flag", asText: true, default: true },
    memoryEnabled: { type: "flag", asText: true, default: false },
  }),
  caSubject: group({
    country: text(2),
    organization: text(64),
    commonName: text(255, { pattern: /^[a-zA-Z0-9 ._-]*$/, like: "SPIRE Server CA" }),
  }),
  persistence: group({
    size: { type: "text", pattern: /^[1-9][0-9]*Gi$/, like: "1Gi", default: "1Gi" },
    accessMode: choice(["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"], "ReadWriteOnce"),
    storageClass: { type: "text", default: "" },
  }),
  datastore: group({
    databaseType: choice(["sql", "sqlite3", "postgres", "mysql", "aws_postgresql", "aws_mysql"], "sqlite3"),
    connectionString: text(2048, { default: "/run/spire/data/datastore.sqlite3", password: true }),
    tlsSecretName: text(253),
    maxOpenConns: { type: "integer", min: 1, max: 10000, default: 100 },
    maxIdleConns: { type: "integer", min: 0, max: 10000, default: 2 },
    connMaxLifetime: { type: "integer", min: 0, max: Number.MAX_SAFE_INTEGER },
    disableMigration: { type: "flag", asText: true, default: false },
  }),
  upstreamAuthority: group({ certManager, vault }, { oneOf: true }),
  labels: { type: "map", max: 64, atomic: false },
  resources: group({
    requests: { type: "map", max: Infinity, atomic: false, quantities: true },
    limits: { type: "map", max: Infinity, atomic: false, quantities: true },
  }),
  nodeSelector: { type: "map", max: 50, atomic: true },
  tolerations: { type: "list", max: 50, item: toleration },
  affinity: group({
    nodeAffinity: { type: "object" },
    podAffinity: { type: "object" },
    podAntiAffinity: { type: "object" },
  }),
});

/** What the API server doesn't take a SpireServer without. */
export const REQUIRED = ["jwtIssuer", "caSubject", "persistence", "datastore"] as const;

/** The field at a path such as `["datastore", "databaseType"]`; undefined for none, or below a map, list or object. */
export function fieldAt(path: readonly string[]): Field | undefined {
  return path.reduce<Field | undefined>(
    (field, key) => (field?.type === "group" && Object.hasOwn(field.fields, key) ? field.fields[key] : undefined),
    SPIRE_SERVER_SPEC,
  );
}
