import * as pulumi from "@pulumi/pulumi";
import { checkDuration, formatDuration, parseDuration } from "./arguments";
import { problem, type Problem } from "./problem";

/**
 * `spec` of a SpireServer that the stack owns whole. Defaults are the CRD's (release 1.0.0); what has none is required.
 *
 * Durations are Go durations of hours, minutes and seconds (`24h`, `1h30m`) and are sent in the form in which the API
 * server gives them back (`24h0m0s`).
 */
export interface SpireServerSpecArgs {
  /** Issuer in JWT-SVIDs, a URL of at most 512 characters, for example `https://oidc-discovery.apps.cluster1.example.com`. */
  jwtIssuer: string;
  /** Subject of the server's CA: country (2 letters), organization (64 at most), commonName (255 at most). */
  caSubject: { country: string; organization: string; commonName: string };
  /** The server's volume. Immutable once set. Default 1Gi, ReadWriteOnce, the cluster's default StorageClass. */
  persistence?: {
    size?: string;
    accessMode?: "ReadWriteOnce" | "ReadWriteOncePod" | "ReadWriteMany";
    storageClass?: string;
  };
  /** The server's database. Default SQLite on the server's volume. */
  datastore?: DatastoreArgs;
  /** Default info. */
  logLevel?: "debug" | "info" | "warn" | "error";
  /** Default text. */
  logFormat?: "text" | "json";
  /** Life of the server's CA. Default 24h. */
  caValidity?: string;
  /** Default 1h. */
  defaultX509Validity?: string;
  /** Default 5m. */
  defaultJWTValidity?: string;
  /** Default rsa-2048. */
  caKeyType?: "rsa-2048" | "rsa-4096" | "ec-p256" | "ec-p384";
}

export interface DatastoreArgs {
  /** Default sqlite3. */
  databaseType?: string;
  /** Default /run/spire/data/datastore.sqlite3. Kept as a secret in the state, since it may hold a password. */
  connectionString?: pulumi.Input<string>;
  /** Default 100. */
  maxOpenConns?: number;
  /** Default 2. */
  maxIdleConns?: number;
  /** Seconds; default none. */
  connMaxLifetime?: number;
  /** Default false. */
  disableMigration?: boolean;
}

/** What the CRD would refuse, said before anything changes. */
export function checkSpireServerSpec(path: string, spec: SpireServerSpecArgs): Problem[] {
  const problems: Problem[] = [];
  if (!/^https?:\/\/[^\s?#]+$/i.test(spec.jwtIssuer) || spec.jwtIssuer.length > 512) {
    problems.push(
      ...problem(
        `${path}.jwtIssuer`,
        `"${spec.jwtIssuer}" is not an issuer; it is an http(s) URL without query, of 512 characters at most`,
      ),
    );
  }
  const limits = { country: 2, organization: 64, commonName: 255 } as const;
  for (const [field, limit] of Object.entries(limits) as [keyof typeof limits, number][]) {
    if (spec.caSubject[field].length > limit) {
      problems.push(
        ...problem(
          `${path}.caSubject.${field}`,
          `"${spec.caSubject[field]}" is too long; it has ${limit} characters at most`,
        ),
      );
    }
  }
  const size = spec.persistence?.size;
  if (size !== undefined && !/^[1-9][0-9]*Gi$/.test(size)) {
    problems.push(...problem(`${path}.persistence.size`, `"${size}" is not a size; it is whole gibibytes, like 1Gi`));
  }
  for (const field of ["caValidity", "defaultX509Validity", "defaultJWTValidity"] as const) {
    const value = spec[field];
    problems.push(...(value === undefined ? [] : checkDuration(`${path}.${field}`, value)));
  }
  return problems;
}

/** `spec` without `federation`, with every default written out, so that the stack's state says what the server has. */
export function renderSpireServerSpec(spec: SpireServerSpecArgs): Record<string, unknown> {
  const { persistence = {}, datastore = {} } = spec;
  return {
    logLevel: spec.logLevel ?? "info",
    logFormat: spec.logFormat ?? "text",
    jwtIssuer: spec.jwtIssuer,
    caValidity: canonicalDuration(spec.caValidity ?? "24h"),
    defaultX509Validity: canonicalDuration(spec.defaultX509Validity ?? "1h"),
    defaultJWTValidity: canonicalDuration(spec.defaultJWTValidity ?? "5m"),
    caKeyType: spec.caKeyType ?? "rsa-2048",
    caSubject: spec.caSubject,
    persistence: {
      size: persistence.size ?? "1Gi",
      accessMode: persistence.accessMode ?? "ReadWriteOnce",
      storageClass: persistence.storageClass ?? "",
    },
    datastore: {
      databaseType: datastore.databaseType ?? "sqlite3",
      connectionString:
        datastore.connectionString === undefined
          ? "/run/spire/data/datastore.sqlite3"
          : pulumi.secret(datastore.connectionString),
      maxOpenConns: datastore.maxOpenConns ?? 100,
      maxIdleConns: datastore.maxIdleConns ?? 2,
      ...(datastore.connMaxLifetime === undefined ? {} : { connMaxLifetime: datastore.connMaxLifetime }),
      disableMigration: datastore.disableMigration === true ? "true" : "false",
    },
  };
}

/** The API server gives durations back as Go writes them; another form would show as a change for ever. */
function canonicalDuration(duration: string): string {
  return formatDuration(parseDuration(duration) ?? 0);
}
