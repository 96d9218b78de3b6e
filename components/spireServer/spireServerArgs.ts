/** What a SpireServer can be given, beside its federation: fields, limits and defaults of its CRD (ZTWIM 1.0 and 1.1). */
import type * as pulumi from "@pulumi/pulumi";
import type { IssuerKind } from "../certificates/issuer";

/**
 * `spec` of a SpireServer that the stack owns whole, without `federation`. A field that is not set is not written: an
 * existing SpireServer keeps what it has, a new one gets the CRD's default.
 *
 * A new SpireServer needs jwtIssuer, caSubject, persistence and datastore.
 */
export interface SpireServerSpecArgs {
  /** Issuer in JWT-SVIDs, a URL of at most 512 characters, for example `https://oidc-discovery.apps.cluster1.example.com`. */
  jwtIssuer?: string;
  /** Subject of the server's CA certificate. */
  caSubject?: CaSubjectArgs;
  /** The server's volume. The CRD does not allow a change. */
  persistence?: PersistenceArgs;
  /** The server's database. */
  datastore?: DatastoreArgs;
  /** Least level of the messages that the server logs. Default of the CRD: `info`. */
  logLevel?: LogLevel;
  /** Form of the messages. Default of the CRD: `text`. */
  logFormat?: LogFormat;
  /** Lifetime of the server's CA in hours, minutes and seconds, such as `24h` or `1h30m`. Default of the CRD: `24h`. */
  caValidity?: string;
  /** Lifetime of X.509-SVIDs, as `caValidity`. Default of the CRD: `1h`. */
  defaultX509Validity?: string;
  /** Lifetime of JWT-SVIDs, as `caValidity`. Default of the CRD: `5m`. */
  defaultJWTValidity?: string;
  /** Type of the CA's key. Default of the CRD: `rsa-2048`. */
  caKeyType?: KeyType;
  /** Type of the key that signs JWT-SVIDs. Default of SPIRE: `caKeyType`. */
  jwtKeyType?: KeyType;
  /** Where keys are kept. ZTWIM 1.0 and 1.1 keep them on disk, whatever this says. */
  keyManager?: KeyManagerArgs;
  /** An upstream CA that signs the server's CA: either `certManager` or `vault`. Needs ZTWIM 1.1. */
  upstreamAuthority?: UpstreamAuthorityArgs;
  /** Labels of all objects that the operator creates for the server, at most 64. */
  labels?: Record<string, string>;
  /** Requests and limits of the server's containers. */
  resources?: ResourcesArgs;
  /** Labels of the nodes on which the server may run, at most 50. */
  nodeSelector?: Record<string, string>;
  /** Tolerations of the server's pods, at most 50. */
  tolerations?: TolerationArgs[];
  /** Affinity of the server's pods, as in a pod's spec. */
  affinity?: AffinityArgs;
}

/** Which messages the SPIRE server logs. @enum */
export const LogLevel = {
  Debug: "debug",
  Info: "info",
  Warn: "warn",
  Error: "error",
} as const;
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

/** Format of the log. @enum */
export const LogFormat = {
  Text: "text",
  Json: "json",
} as const;
export type LogFormat = (typeof LogFormat)[keyof typeof LogFormat];

/** Type of a key. @enum */
export const KeyType = {
  Rsa2048: "rsa-2048",
  Rsa4096: "rsa-4096",
  EcP256: "ec-p256",
  EcP384: "ec-p384",
} as const;
export type KeyType = (typeof KeyType)[keyof typeof KeyType];

/** Access mode of a volume. @enum */
export const AccessMode = {
  ReadWriteOnce: "ReadWriteOnce",
  ReadWriteOncePod: "ReadWriteOncePod",
  ReadWriteMany: "ReadWriteMany",
} as const;
export type AccessMode = (typeof AccessMode)[keyof typeof AccessMode];

/** Type of a database. @enum */
export const DatabaseType = {
  Sql: "sql",
  Sqlite3: "sqlite3",
  Postgres: "postgres",
  Mysql: "mysql",
  AwsPostgresql: "aws_postgresql",
  AwsMysql: "aws_mysql",
} as const;
export type DatabaseType = (typeof DatabaseType)[keyof typeof DatabaseType];

/** How a toleration matches a taint. @enum */
export const TolerationOperator = {
  Exists: "Exists",
  Equal: "Equal",
} as const;
export type TolerationOperator = (typeof TolerationOperator)[keyof typeof TolerationOperator];

/** Effect of a taint. @enum */
export const TaintEffect = {
  NoSchedule: "NoSchedule",
  PreferNoSchedule: "PreferNoSchedule",
  NoExecute: "NoExecute",
} as const;
export type TaintEffect = (typeof TaintEffect)[keyof typeof TaintEffect];

/** Subject of a CA certificate. */
export interface CaSubjectArgs {
  /** Country, two letters, for example `US`. */
  country?: string;
  /** Organization, at most 64 characters, for example `Example Corp`. */
  organization?: string;
  /** Common name, at most 255 characters, for example `SPIRE server of cluster1`. */
  commonName?: string;
}

/** The SPIRE server's volume. */
export interface PersistenceArgs {
  /** Size in GiB, for example `5Gi`. Default of the CRD: `1Gi`. */
  size?: string;
  /** Who may mount it at a time. Default of the CRD: `ReadWriteOnce`. */
  accessMode?: AccessMode;
  /** Name of a StorageClass. Default: the cluster's. */
  storageClass?: string;
}

/** Where the SPIRE server keeps its keys. */
export interface KeyManagerArgs {
  /** In a file on the server's volume. Default of the CRD: true. */
  diskEnabled?: boolean;
  /** In memory alone, so that a restart makes new ones. Default of the CRD: false. */
  memoryEnabled?: boolean;
}

/** Requests and limits by resource, as quantities of Kubernetes. */
export interface ResourcesArgs {
  /** What the scheduler reserves, for example `{ cpu: "500m", memory: "256Mi" }`. */
  requests?: Record<string, string>;
  /** What a container may use at most, for example `{ memory: "512Mi" }`. */
  limits?: Record<string, string>;
}

/** The SPIRE server's database. */
export interface DatastoreArgs {
  /** Kind of database. Default of the CRD: `sqlite3`, a file on the server's volume. */
  databaseType?: DatabaseType;
  /**
   * How SPIRE connects, in the database driver's form, for example `dbname=spire user=spire host=db.example.com`. Default of
   * the CRD: `/run/spire/data/datastore.sqlite3`. Secret in the state, because it may hold a password.
   */
  connectionString?: pulumi.Input<string>;
  /** Name of a secret that is mounted at /run/spire/db/certs. */
  tlsSecretName?: string;
  /** Connections that are open at a time, at most. Default of the CRD: 100. */
  maxOpenConns?: number;
  /** Connections that stay open while unused, at most. Default of the CRD: 2. */
  maxIdleConns?: number;
  /** Seconds after which a connection is not used again. Default: no limit. */
  connMaxLifetime?: number;
  /** Leave the database's schema as it is when SPIRE is upgraded. Default of the CRD: false. */
  disableMigration?: boolean;
}

/** The upstream CA of a SPIRE server: either of the two. */
export interface UpstreamAuthorityArgs {
  /** By way of cert-manager. */
  certManager?: UpstreamCertManagerArgs;
  /** By way of Vault. */
  vault?: UpstreamVaultArgs;
}

/** An issuer of cert-manager whose kind returns its CA, which selfSigned does not. */
export interface UpstreamCertManagerArgs {
  /** Namespace in which CertificateRequests are created: the Issuer's. */
  namespace: string;
  /** Name of the issuer, for example `corporate-ca`. */
  issuerName: string;
  /** Kind of the issuer. Default of the CRD: `Issuer`. */
  issuerKind?: IssuerKind;
  /** API group of the issuer's kind; others are external issuers'. Default of the CRD: `cert-manager.io`. */
  issuerGroup?: string;
}

/** A PKI secrets engine of Vault. */
export interface UpstreamVaultArgs {
  /** URL of Vault, for example `https://vault.example.com:8200`. */
  vaultAddr: string;
  /** Path at which the PKI secrets engine is mounted. Default of the CRD: `pki`. */
  pkiMountPoint?: string;
  /** CA certificate (PEM) that verifies Vault. Default: the system's CAs. */
  caCertSecretRef?: SecretKeyArgs;
  /** Do not verify Vault's certificate. Default of the CRD: false. */
  insecureSkipVerify?: boolean;
  /** Namespace in Vault, which its enterprise edition has. Default: none. */
  vaultNamespace?: string;
  /** How the SPIRE server logs in. */
  k8sAuth: VaultKubernetesAuthArgs;
}

/** A key of a secret. */
export interface SecretKeyArgs {
  /** Name of the secret, in namespace zero-trust-workload-identity-manager. */
  name: string;
  /** Key in its data, for example `ca.crt`. */
  key: string;
}

/** Vault's Kubernetes auth method. */
export interface VaultKubernetesAuthArgs {
  /** Role in Vault that may sign, for example `spire`. */
  k8sAuthRoleName: string;
  /** Path at which the auth method is mounted. Default of the CRD: `kubernetes`. */
  k8sAuthMountPoint?: string;
  /** Audience of the token. Default of the CRD: `vault`. */
  audience?: string;
}

/** Affinity of a pod, by the fields of a pod's spec. */
export interface AffinityArgs {
  /** To labels of nodes: a NodeAffinity of Kubernetes. */
  nodeAffinity?: pulumi.Inputs;
  /** To pods: a PodAffinity of Kubernetes. */
  podAffinity?: pulumi.Inputs;
  /** Away from pods: a PodAntiAffinity of Kubernetes. */
  podAntiAffinity?: pulumi.Inputs;
}

/** A toleration of a pod. */
export interface TolerationArgs {
  /** Key of the taints, for example `node-role.kubernetes.io/infra`. Default: any, with `Exists`. */
  key?: string;
  /** `Equal` compares `value` too, `Exists` the key alone. Default of Kubernetes: `Equal`. */
  operator?: TolerationOperator;
  /** Value of the taints; only with `Equal`. Default: the empty value. */
  value?: string;
  /** Effect of the taints. Default: every effect. */
  effect?: TaintEffect;
  /** Seconds for which a pod stays on a node with a NoExecute taint. Default: for ever. */
  tolerationSeconds?: number;
}
