import * as fc from "fast-check";
import { NOT_SHOWN } from "../../components/shared/notShown";
import { renderSpireServerSpec } from "../../components/spireServer/spireServerSpec";
import { judgeSpireServer, type LiveSpireServer } from "../../stacks/managedServer";
import type { ManagedSpireServer } from "../../stacks/spireServerConfig";
import { operatorWith, spireServerCrd } from "./spireServerCrd";

type Spec = ManagedSpireServer["spec"];
const CRD = spireServerCrd();

/** A SpireServer as an administrator has made it, with the CRD's defaults. */
const SPEC = {
  jwtIssuer: "https://oidc.example.com",
  logLevel: "debug",
  logFormat: "text",
  caValidity: "48h",
  defaultX509Validity: "1h",
  caSubject: { country: "US", organization: "Example" },
  persistence: { size: "5Gi", accessMode: "ReadWriteOnce", storageClass: "" },
  datastore: {
    databaseType: "postgres",
    connectionString: "host=db.internal user=spire password=hunter2",
    maxOpenConns: 100,
  },
  labels: { team: "identity" },
  nodeSelector: { "node-role.kubernetes.io/infra": "" },
};

const fieldsOf = (value: unknown): object =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [`f:${key}`, fieldsOf(part)]))
    : {};

/** The live object, and who has set which part of its spec. */
const liveWith = (spec: object, sets: Record<string, object> = { "kubectl-edit": spec }): LiveSpireServer => ({
  spec: spec as Record<string, unknown>,
  metadata: {
    name: "cluster",
    managedFields: Object.entries(sets).map(([manager, part]) => ({
      manager,
      fieldsV1: { "f:spec": fieldsOf(part) as Record<string, unknown> },
    })),
  },
});

const managed = (spec: Spec, rest: Partial<ManagedSpireServer> = {}): ManagedSpireServer => ({
  spec,
  takeOver: [],
  secret: false,
  ...rest,
});

const judge = (config: ManagedSpireServer | undefined, live: LiveSpireServer | undefined, crd = CRD): string[] =>
  judgeSpireServer(config, live, operatorWith(crd), { context: "c1" }).map(
    ({ path, message }) => `${path}: ${message}`,
  );

describe("a live SpireServer of somebody else's", () => {
  it("keeps all that the config leaves open", () => {
    expect(judge(managed({}), liveWith(SPEC))).toEqual([]);
    expect(judge(managed({ logLevel: "debug", caValidity: "48h0m0s" }), liveWith(SPEC))).toEqual([]);
  });

  it("keeps what differs until the config takes it over, and each is named with the command for it", () => {
    const config: Spec = { caValidity: "24h", logFormat: "json", caSubject: { country: "DE" } };
    expect(judge(managed(config), liveWith(SPEC))).toEqual([
      'spireServer.caValidity: is "48h" in the cluster, set by kubectl-edit; set it to that, or take the field over: ' +
        "npx pulumi config set --path 'spireServer.takeOver[0]' caValidity",
      'spireServer.logFormat: is "text" in the cluster, set by kubectl-edit; set it to that, or take the field over: ' +
        "npx pulumi config set --path 'spireServer.takeOver[1]' logFormat",
      'spireServer.caSubject.country: is "US" in the cluster, set by kubectl-edit; set it to that, or take the field over: ' +
        "npx pulumi config set --path 'spireServer.takeOver[2]' caSubject.country",
    ]);
    expect(judge(managed(config, { takeOver: ["caValidity", "caSubject"] }), liveWith(SPEC))).toEqual([
      expect.stringMatching(/^spireServer\.logFormat: .*'spireServer\.takeOver\[2\]' logFormat$/),
    ]);
    expect(judge(managed(config, { takeOver: ["caValidity", "caSubject", "logFormat"] }), liveWith(SPEC))).toEqual([]);
  });

  it("gets fields that it does not have, and changes of those that are the stack's", () => {
    expect(judge(managed({ jwtKeyType: "ec-p256", labels: { cost: "42" } }), liveWith(SPEC))).toEqual([]);
    const ours = liveWith(SPEC, { "spire-federation": SPEC, "kubectl-edit": { logLevel: "debug" } });
    expect(judge(managed({ logLevel: "warn", ...asConfig() }), ours)).toEqual([]);
  });

  it("is not changed in a default that nobody has set", () => {
    const [said] = judge(managed({ logFormat: "json" }), liveWith(SPEC, {}));
    expect(said).toMatch(/^spireServer\.logFormat: is "text" in the cluster, as its default; /);
  });

  it("has parts that are replaced as a whole, and are compared so", () => {
    const config = managed({ nodeSelector: { disk: "ssd" }, tolerations: [{ key: "infra", operator: "Exists" }] });
    const live = liveWith({ ...SPEC, tolerations: [{ key: "infra", operator: "Exists" }] });
    expect(judge(config, live)).toEqual([expect.stringMatching(/^spireServer\.nodeSelector: /)]);
    expect(judge({ ...config, takeOver: ["nodeSelector"] }, live)).toEqual([]);
  });

  it("keeps its volume, whoever asks for another", () => {
    const config = managed({ persistence: { size: "10Gi" } }, { takeOver: ["persistence"] });
    for (const live of [liveWith(SPEC), liveWith(SPEC, { "spire-federation": { persistence: SPEC.persistence } })])
      expect(judge(config, live)[0]).toMatch(/^spireServer\.persistence\.size: is "5Gi" .* can never be changed; /);
  });

  it("has a database whose values are never shown", () => {
    const config = managed({ datastore: { databaseType: "sqlite3", connectionString: "other" } });
    const said = judge(config, liveWith(SPEC));
    expect(said.map((line) => line.split(":")[0])).toEqual([
      "spireServer.datastore.databaseType",
      "spireServer.datastore.connectionString",
    ]);
    expect(said.join()).not.toMatch(/hunter2|db\.internal|other\b.*password/);
  });

  it("has an upstream CA of the other kind, which only its owner can end", () => {
    const vault = { vaultAddr: "https://vault", k8sAuth: { k8sAuthRoleName: "spire" } };
    const config = managed({ upstreamAuthority: { certManager: { namespace: "a", issuerName: "b" } }, ...asConfig() });
    const spec = { ...SPEC, upstreamAuthority: { vault } };
    expect(judge({ ...config, takeOver: ["upstreamAuthority"] }, liveWith(spec))).toEqual([
      "spireServer.upstreamAuthority: is vault in the cluster, set by kubectl-edit; take vault out of the SpireServer, or out of whatever sets it",
    ]);
    expect(judge(config, liveWith(spec, { "spire-federation": spec }))).toEqual([]);
  });
});

/** What the stack has set of it before, but for what the tests change. */
const asConfig = (): Spec => {
  const { jwtIssuer, caSubject, persistence, datastore } = SPEC;
  return { jwtIssuer, caSubject, persistence, datastore };
};

describe("what the stack alone has set, and sets no longer", () => {
  const ours = liveWith(SPEC, { "spire-federation": SPEC });

  it("is asked for where SPIRE would begin with another database", () => {
    expect(judge(managed({ ...asConfig(), datastore: { databaseType: "postgres" } }), ours)).toEqual([
      "spireServer.datastore.connectionString: is no longer set, and its default is another; set it to what " +
        "oc --context c1 get spireserver cluster -o jsonpath='{.spec.datastore.connectionString}' prints",
    ]);
    // Of the rest the API server says that it is required, or can never be changed.
    expect(judge(managed({}), ours).map((line) => line.split(": ")[0])).toEqual([
      "spireServer.datastore.databaseType",
      "spireServer.datastore.connectionString",
    ]);
  });

  it("may go where nothing depends on it", () => {
    expect(judge(managed(asConfig()), ours)).toEqual([]);
  });

  it("stays when somebody else has set it, too, or when it is there and only not shown", () => {
    expect(judge(managed({}), liveWith(SPEC, { "spire-federation": SPEC, argocd: SPEC }))).toEqual([]);
    expect(judge(managed({ ...asConfig(), datastore: NOT_SHOWN }), ours)).toEqual([]);
    expect(judge(managed({}, { hidden: true }), ours)).toEqual([]);
    const datastore = { databaseType: "postgres", connectionString: NOT_SHOWN };
    expect(judge(managed({ ...asConfig(), datastore, nodeSelector: { a: NOT_SHOWN } }), ours)).toEqual([]);
  });

  it("is not given up with manage", () => {
    expect(judge(undefined, liveWith(SPEC, { "spire-federation": { federation: {} }, oc: SPEC }))).toEqual([]);
    expect(judge(undefined, undefined)).toEqual([]);
    expect(judge(undefined, ours)).toEqual([
      expect.stringMatching(
        /^spireServer\.manage: is not true, .* jwtIssuer, caSubject, persistence, datastore, .*oc --context c1 apply --server-side/,
      ),
    ]);
  });
});

describe("a SpireServer that is to be made", () => {
  it.each<[string, Spec, string[]]>([
    ["with nothing", {}, ["caSubject", "datastore", "jwtIssuer", "persistence"]],
    ["with all that has no default", { ...asConfig(), datastore: { databaseType: "sqlite3" } }, []],
    [
      "with a database and no way to it",
      { ...asConfig(), datastore: { databaseType: "mysql" } },
      ["datastore.connectionString"],
    ],
    ["with a way to no database", { ...asConfig(), datastore: { connectionString: "x" } }, ["datastore.databaseType"]],
  ])("%s", (_, spec, expected) => {
    expect(judge(managed(spec), undefined).map((line) => line.split(":")[0])).toEqual(
      expected.map((path) => `spireServer.${path}`),
    );
  });

  it("can have secrets that are not shown", () => {
    const datastore = { databaseType: NOT_SHOWN, connectionString: NOT_SHOWN };
    expect(judge(managed({ ...asConfig(), datastore }), undefined)).toEqual([]);
  });
});

describe("what the CRD in the cluster would refuse, each with its name and without its value", () => {
  const certManager = { namespace: "pki", issuerName: "spire", issuerKind: "ClusterIssuer" };
  const many = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [`k${i}`, "v"]);
  it.each<[string, Spec, string[]]>([
    ["a field that it does not know", { lgoLevel: "info" }, ["lgoLevel"]],
    ["one that it does not know there", { datastore: { logLevel: "info" } }, ["datastore.logLevel"]],
    ["an issuer with a query", { jwtIssuer: "https://hunter2?b" }, ["jwtIssuer"]],
    ["a level that is none", { logLevel: "hunter2" }, ["logLevel"]],
    ["a flag that is to be text", { keyManager: { diskEnabled: true } }, ["keyManager.diskEnabled"]],
    ["a number that is text", { datastore: { maxOpenConns: "hunter2" } }, ["datastore.maxOpenConns"]],
    [
      "numbers out of range",
      { datastore: { maxOpenConns: 0, maxIdleConns: 10001 } },
      ["datastore.maxOpenConns", "datastore.maxIdleConns"],
    ],
    ["a subject too long", { caSubject: { country: "DEU" } }, ["caSubject.country"]],
    ["a volume in bytes", { persistence: { size: "1G" } }, ["persistence.size"]],
    [
      "an issuer without its name",
      { upstreamAuthority: { certManager: { namespace: "a" } } },
      ["upstreamAuthority.certManager.issuerName"],
    ],
    ["too many labels", { labels: Object.fromEntries(many(65)) }, ["labels"]],
    ["a label that is a flag", { labels: { fips: true } }, ["labels.fips"]],
    ["what is no object", { datastore: "postgres://u:hunter2@h/db" }, ["datastore"]],
    ["what is no list", { tolerations: { a: 1 } }, ["tolerations"]],
  ])("%s", (_, spec, expected) => {
    const said = judge(managed(spec), liveWith(SPEC, {}));
    expect(said.map((line) => line.split(": ")[0])).toEqual(expected.map((path) => `spireServer.${path}`));
    expect(said.join()).not.toContain("hunter2");
  });

  it("but not what only its rules say, what it leaves open, nor what is not shown", () => {
    const spec = {
      upstreamAuthority: { certManager },
      resources: { limits: { cpu: 2 } },
      tolerations: [{ key: "infra", operator: "Exists" }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      jwtKeyType: NOT_SHOWN,
    };
    expect(judge(managed(spec), liveWith(SPEC))).toEqual([]);
  });

  it("names what was probably meant, and a takeOver of no field", () => {
    const takeOver = ["logLevel", "labels.example.com/team", "federation", "affinity.x", "loglevel", "caSubject.state"];
    expect(judge(managed({ loglevel: "info" }, { takeOver }), liveWith(SPEC))).toEqual([
      expect.stringMatching(/^spireServer\.loglevel: .*"logLevel"/),
      "spireServer.takeOver[4]: names no field of a SpireServer",
      "spireServer.takeOver[5]: names no field of a SpireServer",
    ]);
  });

  it("is an upstream CA on 1.0", () => {
    const config = managed({ upstreamAuthority: { certManager } });
    expect(judge(config, liveWith(SPEC), spireServerCrd("1.0"))).toEqual([
      "spireServer.upstreamAuthority: is not known to the cluster's ZTWIM, which is older than 1.1; " +
        "update ZTWIM to 1.1, or take upstreamAuthority out",
    ]);
  });

  it("is left to the API server where the CRD cannot be read", () => {
    const access = { context: "c1" };
    expect(judgeSpireServer(managed({ lgoLevel: "x" }), liveWith(SPEC), operatorWith("unreadable"), access)).toEqual(
      [],
    );
  });
});

it("changes nothing but what the config sets, and of that what is absent, the stack's or taken over, whatever there is", () => {
  const of = <T>(...values: T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, ...values);
  const spec = fc.record({
    jwtIssuer: of("https://a", "https://b"),
    logLevel: of("info", "debug"),
    caValidity: of("24h", "24h0m0s", "48h"),
    caSubject: fc.record({ country: of("US", "DE"), organization: of("A") }),
    persistence: fc.record({ size: of("1Gi", "2Gi") }),
    datastore: fc.record({
      databaseType: of("sqlite3", "postgres"),
      connectionString: of("/a", "b"),
      maxOpenConns: of(1, 2),
    }),
    labels: fc.record({ a: of("1", "2"), b: of("1") }),
    nodeSelector: of({ a: "" }, { b: "" }),
    tolerations: of([{ key: "a" }], [{ key: "b" }]),
  });
  const fields = [
    "jwtIssuer",
    "logLevel",
    "caValidity",
    "caSubject.country",
    "caSubject",
    "datastore",
    "labels.a",
    "nodeSelector",
  ];
  let cleared = 0;
  fc.assert(
    fc.property(spec, spec, spec, spec, fc.subarray(fields), (config, there, ours, theirs, takeOver) => {
      const before = plain(there);
      // Owners of more than there is are as good as owners of what there is.
      const live = liveWith(before, { "spire-federation": plain(ours), oc: plain(theirs) });
      if (judge(managed(plain(config), { takeOver }), live).length > 0) return;
      cleared++;
      const rendered = flat(renderSpireServerSpec(plain(config)));
      const [was, owned] = [flat(before), flat(plain(ours))];
      for (const [path, value] of Object.entries(rendered)) {
        const same = value === was[path] || (path === "caValidity" && asGo(value) === asGo(was[path]));
        const allowed = takeOver.some((field) => `${path}.`.startsWith(`${field}.`)) || path in owned;
        expect(same || !(path in was) || allowed).toBe(true);
        if (path.startsWith("persistence")) expect(same || !(path in was)).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
  expect(cleared).toBeGreaterThan(100);
});

const plain = (value: object): Spec => JSON.parse(JSON.stringify(value)) as Spec;
const asGo = (value: unknown): unknown =>
  typeof value === "string" ? value.replace(/^(\d+h)$/, (hours) => `${hours}0m0s`) : value;
/** By path; what is replaced as a whole is one. */
const flat = (value: object, path = ""): Record<string, unknown> =>
  Object.assign(
    {},
    ...Object.entries(value).map(([key, part]) => {
      const at = path === "" ? key : `${path}.${key}`;
      const whole = typeof part !== "object" || ["nodeSelector", "tolerations"].includes(at);
      return whole
        ? { [at]: typeof part === "object" ? JSON.stringify(part) : (part as unknown) }
        : flat(part as object, at);
    }),
  ) as Record<string, unknown>;
