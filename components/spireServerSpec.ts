/**
 * `spec` of a SpireServer that the stack owns whole. Defaults are the CRD's (release 1.0.0); what has none is required.
 *
 * Durations are Go durations of hours, minutes and seconds (`24h`, `1h30m`) and are sent in the form in which the API
 * server gives them back (`24h0m0s`).
 */
export interface SpireServerSpecArgs {
  /** Issuer in JWT-SVIDs, a URL of at most 512 characters, for example `https://oidc-discovery.apps.cluster1.example.com`. */
  jwtIssuer: string;
  /** Subject of the server's CA: country (2 letters at most), organization (64 at most), commonName (255 at most). */
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
  /** Default /run/spire/data/datastore.sqlite3. */
  connectionString?: string;
  /** Default 100. */
  maxOpenConns?: number;
  /** Default 2. */
  maxIdleConns?: number;
  /** Seconds; default none. */
  connMaxLifetime?: number;
  /** Default false. */
  disableMigration?: boolean;
}
