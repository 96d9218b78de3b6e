import * as fc from "fast-check";
import type { SpireServerSpecArgs } from "../../components/spireServer/spireServerArgs";
import { renderSpireServerSpec } from "../../components/spireServer/spireServerSpec";
import { judgeSpireServer, judgeUpstreamAuthority, type LiveSpireServer } from "../../stacks/managedServer";
import type { ManagedSpireServer } from "../../stacks/spireServerConfig";

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

const managed = (spec: SpireServerSpecArgs, rest: Partial<ManagedSpireServer> = {}): ManagedSpireServer => ({
  spec,
  takeOver: [],
  notShown: [],
  secret: false,
  ...rest,
});

const judge = (config: ManagedSpireServer | undefined, live: LiveSpireServer | undefined): string[] =>
  judgeSpireServer(config, live, { context: "c1" }).map(({ path, message }) => `${path}: ${message}`);

describe("a live SpireServer of somebody else's", () => {
  it("keeps all that the config leaves open", () => {
    expect(judge(managed({}), liveWith(SPEC))).toEqual([]);
    expect(judge(managed({ logLevel: "debug", caValidity: "48h0m0s" }), liveWith(SPEC))).toEqual([]);
  });

  it("keeps what differs until the config takes it over, and each is named with the command for it", () => {
    const config: SpireServerSpecArgs = { caValidity: "24h", logFormat: "json", caSubject: { country: "DE" } };
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
const asConfig = (): SpireServerSpecArgs => {
  const { jwtIssuer, caSubject, persistence, datastore } = SPEC;
  return { jwtIssuer, caSubject, persistence, datastore } as SpireServerSpecArgs;
};

const withoutDatastore = (): SpireServerSpecArgs => {
  const spec = asConfig();
  delete spec.datastore;
  return spec;
};

describe("what the stack alone has set, and sets no longer", () => {
  const ours = liveWith(SPEC, { "spire-federation": SPEC });

  it("is asked for where a SpireServer needs it, or where a default would take its place", () => {
    expect(judge(managed({ ...asConfig(), datastore: { databaseType: "postgres" } }), ours)).toEqual([
      "spireServer.datastore.connectionString: is no longer set, and the default is another; set it to what " +
        "oc --context c1 get spireserver cluster -o jsonpath='{.spec.datastore.connectionString}' prints",
    ]);
    expect(judge(managed({}), ours).map((line) => line.split(": ")[0])).toEqual([
      "spireServer.jwtIssuer",
      "spireServer.caSubject.country",
      "spireServer.caSubject.organization",
      "spireServer.persistence.size",
      "spireServer.persistence.accessMode",
      "spireServer.persistence.storageClass",
      "spireServer.datastore.databaseType",
      "spireServer.datastore.connectionString",
      "spireServer.datastore.maxOpenConns",
    ]);
  });

  it("may go where nothing depends on it", () => {
    expect(judge(managed(asConfig()), ours)).toEqual([]);
  });

  it("stays when somebody else has set it, too, or when it is there and only not shown", () => {
    expect(judge(managed({}), liveWith(SPEC, { "spire-federation": SPEC, argocd: SPEC }))).toEqual([]);
    const rest = withoutDatastore();
    expect(judge(managed(rest, { notShown: ["datastore"] }), ours)).toEqual([]);
    expect(judge(managed({}, { notShown: [""] }), ours)).toEqual([]);
    const hidden = managed({ ...rest, datastore: { databaseType: "postgres" } });
    expect(judge({ ...hidden, notShown: ["datastore.connectionString"] }, ours)).toEqual([]);
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
  it.each<[string, SpireServerSpecArgs, string[]]>([
    ["with nothing", {}, ["jwtIssuer", "caSubject", "persistence", "datastore"]],
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
    const rest = withoutDatastore();
    expect(
      judge(managed(rest, { notShown: ["datastore.connectionString", "datastore.databaseType"] }), undefined),
    ).toEqual([]);
  });
});

it("has no upstream CA on 1.0, where the API server would drop it", () => {
  expect(judgeUpstreamAuthority({ upstreamAuthority: false, version: "1.0.1", from: "csv" })).toEqual([
    {
      path: "spireServer.upstreamAuthority",
      message:
        "is not known to the cluster's ZTWIM, which is 1.0.1; update ZTWIM to 1.1, or take upstreamAuthority out",
    },
  ]);
  expect(judgeUpstreamAuthority({ upstreamAuthority: true })).toEqual([]);
  expect(judgeUpstreamAuthority({ upstreamAuthority: "unknown" })).toEqual([]);
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
      if (judge(managed(config as SpireServerSpecArgs, { takeOver }), live).length > 0) return;
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

const plain = (value: object): object => JSON.parse(JSON.stringify(value)) as object;
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
