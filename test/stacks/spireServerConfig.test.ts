import { word } from "../../components/shared/shell";
import * as fc from "fast-check";
import { NOT_SHOWN } from "../../components/shared/notShown";
import { type ClusterConfig, parseConfig } from "../../stacks/config";
import { ConfigError } from "../../stacks/refusal";
import { configOf, refusalsOf, SELF } from "./fixtures";

const manage = (spec: object): ReturnType<typeof managed> => managed({ spireServer: { manage: true, ...spec } });
const managed = (raw: Record<string, unknown>): ClusterConfig["spireServer"] => configOf(raw).spireServer;
const refused = (spec: object): string[] => refusalsOf({ spireServer: { manage: true, ...spec } });

const vault = {
  vaultAddr: "https://vault.example.com:8200",
  pkiMountPoint: "pki_int",
  caCertSecretRef: { name: "vault-ca", key: "ca.crt" },
  insecureSkipVerify: false,
  vaultNamespace: "team",
  k8sAuth: { k8sAuthMountPoint: "kubernetes", k8sAuthRoleName: "spire", audience: "vault" },
};

const whole = {
  jwtIssuer: "https://oidc.example.com",
  logLevel: "debug",
  logFormat: "json",
  caValidity: "48h",
  defaultX509Validity: "30m",
  defaultJWTValidity: "1m30s",
  caKeyType: "ec-p256",
  jwtKeyType: "rsa-4096",
  keyManager: { diskEnabled: true, memoryEnabled: false },
  caSubject: { country: "DE" },
  persistence: { size: "5Gi", accessMode: "ReadWriteOncePod", storageClass: "fast" },
  datastore: {
    databaseType: "aws_postgresql",
    connectionString: "dbname=spire host=db sslmode=verify-full",
    tlsSecretName: "db-tls",
    maxOpenConns: 20,
    maxIdleConns: 0,
    connMaxLifetime: 60,
    disableMigration: true,
  },
  upstreamAuthority: { vault },
  labels: { team: "identity" },
  resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "1" } },
  nodeSelector: { "node-role.kubernetes.io/infra": "" },
  tolerations: [{ key: "infra", operator: "Equal", value: "reserved", effect: "NoExecute", tolerationSeconds: 60 }],
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
};

describe("spireServer.manage", () => {
  it("owns what is set, and nothing else", () => {
    expect(manage({})).toEqual({ spec: {}, takeOver: [], secret: false });
    expect(manage(whole)?.spec).toEqual(whole);
  });

  it("takes over the fields that takeOver names", () => {
    expect(manage({ takeOver: ["logLevel", "datastore"] })?.takeOver).toEqual(["logLevel", "datastore"]);
  });
});

it.each<[string, object, string[]]>([
  ["a duration of days, which the API server would take", { caValidity: "1d" }, ["caValidity"]],
  ["the federation, which other keys describe", { federation: {} }, ["federation"]],
  ["fields without manage", { manage: false, logLevel: "debug", takeOver: ["logLevel"] }, ["manage"]],
])("refused is %s", (_, spec, expected) => {
  expect(refused(spec).map((line) => line.split(": ")[0])).toEqual(expected.map((path) => `spireServer.${path}`));
});

describe("a password", () => {
  const path = "spireServer.datastore.connectionString";
  const withString = (connectionString: string): Record<string, unknown> => ({
    context: "cluster1",
    trustDomain: "apps.cluster1.example.com",
    spireServer: { manage: true, datastore: { databaseType: "postgres", connectionString } },
  });

  it.each([
    "dbname=spire user=spire host=db password=hunter2",
    "PASSWORD = 'hunter2' host=db",
    "host=db sslpassword=hunter2",
    "postgres://spire:hunter2@db:5432/spire?sslmode=verify-full",
    "postgresql://db/spire?user=spire&password=hunter2",
    "spire:hunter2@tcp(db:3306)/spire?parseTime=true",
    "spire:hun@ter/2@tcp(db:3306)/spire",
  ])("in clear is refused, with the command that makes it a secret: %s", (connectionString) => {
    const said = refusalsOf(withString(connectionString));
    expect(said).toEqual([
      `${path}: holds a password and is in clear in the stack's file; make it a secret: npx pulumi config set --secret --path ${path}`,
    ]);
    expect(parseConfig(withString(connectionString), SELF, ["spireServer"]).spireServer).toMatchObject({
      secret: true,
    });
  });

  it.each([
    "/run/spire/data/datastore.sqlite3",
    "file:/run/spire/data/datastore.sqlite3?cache=shared",
    "dbname=spire user=spire host=db sslmode=verify-full sslrootcert=/run/spire/db/certs/ca.crt",
    "postgres://spire@db:5432/spire",
    "spire@tcp(db:3306)/spire?parseTime=true",
  ])("is not seen where there is none: %s", (connectionString) => {
    expect(refusalsOf(withString(connectionString))).toEqual([]);
  });

  it("in clear is refused also where none belongs, before an API server quotes it", () => {
    const at = { ...withString("x"), spireServer: { manage: true, datastore: "postgres://spire:hunter2@db/spire" } };
    expect(refusalsOf(at)).toEqual([expect.stringMatching(/^spireServer\.datastore: holds a password/)]);
    const deep = { manage: true, tolerations: [{ key: "password=hunter2" }] };
    expect(refusalsOf({ ...at, spireServer: deep })).toEqual([
      expect.stringMatching(/^spireServer\.tolerations: holds/),
    ]);
  });

  it("and all else below spireServer is never quoted, wherever it is written", () => {
    const secret = "hunter2-éß";
    const anywhere = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constant(secret),
        fc.constantFrom(7, true, null),
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("name", "datastore", "vault", "connectionString"), tie("value"), { maxKeys: 2 }),
      ),
    })).value;
    const keys = ["manage", "takeOver", ...Object.keys(whole)];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), anywhere), fc.boolean(), (spireServer, on) => {
        expect(refusalsOf({ spireServer: { ...(on && { manage: true }), ...spireServer } }).join()).not.toContain(
          secret,
        );
      }),
      { numRuns: 2000 },
    );
    expect(refusalsOf({ spireServer: secret }).join()).not.toContain(secret);
  });
});

describe("a secret of a stack's file that is not decrypted", () => {
  const secret = NOT_SHOWN;

  it("is taken for right below spireServer", () => {
    expect(managed({ spireServer: secret })).toEqual({ spec: {}, takeOver: [], secret: true, hidden: true });
    const spec = { logLevel: secret, datastore: { databaseType: "postgres", connectionString: secret } };
    const config = managed({ spireServer: { manage: secret, takeOver: secret, ...spec } });
    expect(config).toEqual({ spec, takeOver: [], secret: false });
  });

  it("is refused where the value is shown and published, decrypted or not", () => {
    const said =
      "context: is a secret, but is shown and published; only what is below spireServer can be one: " +
      "npx pulumi config set --plaintext --path context <value>";
    expect(refusalsOf({ context: secret })).toEqual([said]);
    expect(refusalsOf({ peers: [secret] })).toEqual([expect.stringMatching(/^peers\[0\]: is a secret/)]);
    expect(refusalsOf({ issuer: { email: secret } })).toEqual([expect.stringMatching(/^issuer\.email: is a secret/)]);
    const raw = { context: "cluster1", trustDomain: "apps.cluster1.example.com" };
    expect(() => parseConfig(raw, SELF, ["context", "of-another-program"])).toThrow(ConfigError);
    expect(() => parseConfig(raw, SELF, ["context"])).toThrow(said);
    // People paste the command, whatever key somebody has put into the file.
    const key = "x' ; touch /tmp/y ; echo '";
    expect(() => parseConfig({ ...raw, [key]: "" }, SELF, [key])).toThrow(`--path ${word(key)} <value>`);
  });

  it("is refused with a cure that can be pasted, whatever the key of a stack file that others wrote", () => {
    const key = "x' ; touch /tmp/pwned ; echo '";
    const raw = { context: "cluster1", trustDomain: "apps.cluster1.example.com", [key]: "secret" };
    expect(() => parseConfig(raw, SELF, [key])).toThrow(
      String.raw`--path 'x'\'' ; touch /tmp/pwned ; echo '\''' <value>`,
    );
  });
});
