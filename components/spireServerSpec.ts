import * as pulumi from "@pulumi/pulumi";
import { formatDuration, parseDuration } from "./arguments";
import type { Problem } from "./problem";
import { type Notes, readField } from "./spireServerRead";
import { type Field, SPIRE_SERVER_SPEC } from "./spireServerSchema";
import { isObject } from "./untyped";

/**
 * `spec` of a SpireServer that the stack owns whole, without `federation`. A field that is not set is not written: an
 * existing SpireServer keeps what it has, a new one gets the CRD's default.
 *
 * A new SpireServer needs jwtIssuer, caSubject, persistence and datastore.
 */
export interface SpireServerSpecArgs {
  /** Issuer in JWT-SVIDs, a URL of at most 512 characters, for example `https://oidc-discovery.apps.cluster1.example.com`. */
  jwtIssuer?: string;
  /** Subject of the server's CA: country (2 letters), organization (64 at most), commonName (255 at most). */
  caSubject?: { country?: string; organization?: string; commonName?: string };
  /** The server's volume. Immutable once set. The CRD's defaults: 1Gi, ReadWriteOnce, the cluster's StorageClass. */
  persistence?: {
    size?: string;
    accessMode?: "ReadWriteOnce" | "ReadWriteOncePod" | "ReadWriteMany";
    storageClass?: string;
  };
  datastore?: DatastoreArgs;
  /** The CRD's default: info. */
  logLevel?: "debug" | "info" | "warn" | "error";
  /** The CRD's default: text. */
  logFormat?: "text" | "json";
  /** Life of the server's CA, a duration such as `24h` (the CRD's default). */
  caValidity?: string;
  /** The CRD's default: 1h. */
  defaultX509Validity?: string;
  /** The CRD's default: 5m. */
  defaultJWTValidity?: string;
  /** The CRD's default: rsa-2048. */
  caKeyType?: KeyType;
  /** SPIRE's default: caKeyType. */
  jwtKeyType?: KeyType;
  /** Both releases keep keys on the disk, whatever this says. */
  keyManager?: { diskEnabled?: boolean; memoryEnabled?: boolean };
  /** From ZTWIM 1.1 on. An upstream CA signs the server's, by way of cert-manager or of Vault: exactly one of them. */
  upstreamAuthority?: UpstreamAuthorityArgs;
  /** Labels of all that the operator makes for the server, 64 at most. */
  labels?: Record<string, string>;
  /** Requests and limits of the server's containers, as Kubernetes' quantities. */
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  nodeSelector?: Record<string, string>;
  /** 50 at most. */
  tolerations?: TolerationArgs[];
  /** As in a pod's spec. */
  affinity?: { nodeAffinity?: object; podAffinity?: object; podAntiAffinity?: object };
}

type KeyType = "rsa-2048" | "rsa-4096" | "ec-p256" | "ec-p384";

/** The server's database. */
export interface DatastoreArgs {
  /** The CRD's default: sqlite3. */
  databaseType?: "sql" | "sqlite3" | "postgres" | "mysql" | "aws_postgresql" | "aws_mysql";
  /** The CRD's default: /run/spire/data/datastore.sqlite3. Secret in the state, since it may hold a password. */
  connectionString?: pulumi.Input<string>;
  /** Secret that is mounted at /run/spire/db/certs. */
  tlsSecretName?: string;
  /** The CRD's default: 100. */
  maxOpenConns?: number;
  /** The CRD's default: 2. */
  maxIdleConns?: number;
  /** Seconds; default none. */
  connMaxLifetime?: number;
  /** The CRD's default: false. */
  disableMigration?: boolean;
}

export interface UpstreamAuthorityArgs {
  /** An issuer of a kind that returns its CA: not selfSigned. */
  certManager?: {
    /** Where CertificateRequests are made: the Issuer's namespace. */
    namespace: string;
    issuerName: string;
    /** The CRD's default: Issuer. */
    issuerKind?: "Issuer" | "ClusterIssuer";
    /** The CRD's default: cert-manager.io. */
    issuerGroup?: string;
  };
  vault?: {
    vaultAddr: string;
    /** The CRD's default: pki. */
    pkiMountPoint?: string;
    caCertSecretRef?: { name: string; key: string };
    insecureSkipVerify?: boolean;
    vaultNamespace?: string;
    /** The CRD's defaults: mount point kubernetes, audience vault. */
    k8sAuth: { k8sAuthRoleName: string; k8sAuthMountPoint?: string; audience?: string };
  };
}

export interface TolerationArgs {
  key?: string;
  operator?: "Exists" | "Equal";
  value?: string;
  effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  tolerationSeconds?: number;
}

/** A spec from values of any type, and what is wrong with them. No message quotes a value. */
export function readSpireServerSpec(path: string, values: unknown): Notes & { spec: SpireServerSpecArgs } {
  const notes: Notes = { problems: [], notShown: [] };
  const spec = (readField(SPIRE_SERVER_SPEC, values, path, notes) ?? {}) as SpireServerSpecArgs;
  return { spec, ...notes };
}

/** What the CRD would refuse, said before anything changes. */
export function checkSpireServerSpec(path: string, spec: SpireServerSpecArgs): Problem[] {
  return readSpireServerSpec(path, spec).problems;
}

/** `spec` without `federation`, as the API server gives it back: what is set, and nothing else. */
export function renderSpireServerSpec(spec: SpireServerSpecArgs): Record<string, unknown> {
  return render(SPIRE_SERVER_SPEC, spec) as Record<string, unknown>;
}

/** The same with its secrets marked for Pulumi: the connection string, or all of it. */
export function secretSpireServerSpec(spec: SpireServerSpecArgs, all: boolean): Record<string, unknown> {
  const { connectionString } = spec.datastore ?? {};
  const rendered = renderSpireServerSpec(
    connectionString === undefined || all
      ? spec
      : { ...spec, datastore: { ...spec.datastore, connectionString: pulumi.secret(connectionString) } },
  );
  if (!all) return rendered;
  return Object.fromEntries(Object.entries(rendered).map(([key, value]) => [key, pulumi.secret(value)]));
}

function render(field: Field, value: unknown): unknown {
  switch (field.type) {
    case "group":
      return Object.fromEntries(
        Object.entries(value as object).flatMap(([key, part]) =>
          part === undefined || field.fields[key] === undefined ? [] : [[key, render(field.fields[key], part)]],
        ),
      );
    case "list":
      return (value as unknown[]).map((item) => render(field.item, item));
    case "duration":
      // The API server gives durations back as Go writes them; another form would show as a change for ever.
      return formatDuration(parseDuration(value as string) ?? 0);
    case "flag":
      return field.asText ? String(value) : value;
    default:
      return value;
  }
}

/**
 * Whether a connection string holds a password: `password=…` (PostgreSQL's keywords, or a URL's query), or `user:…@` (a
 * URL, or MySQL's form). SQLite's is a path.
 */
export function holdsPassword(connectionString: string): boolean {
  return (
    /(^|[\s?&;])\w*(password|passwd|pwd)\s*=\s*[^\s&;]/i.test(connectionString) ||
    /^([a-z][a-z0-9+.-]*:\/\/)?[^:/@\s]*:(?!\/\/).+@/i.test(connectionString)
  );
}

/** The parts of a spec that have a value of their own, each with its path; what is replaced as a whole is one. */
export function leaves(spec: object, field: Field = SPIRE_SERVER_SPEC): { path: string[]; value: unknown }[] {
  return Object.entries(spec).flatMap(([key, value]) => {
    const part = field.type === "group" ? field.fields[key] : undefined;
    const whole = part?.type === "object" || (part?.type === "map" && part.atomic);
    if (!isObject(value) || whole || Object.keys(value).length === 0) return [{ path: [key], value: value as unknown }];
    return leaves(value, part ?? { type: "object" }).map(({ path, value: at }) => ({
      path: [key, ...path],
      value: at,
    }));
  });
}
