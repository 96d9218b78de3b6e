import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";
import { parseConfig, readConfig } from "../../stacks/config";
import { ConfigError } from "../../stacks/refusal";
import { issue, root } from "../components/issue";
import { configOf, refusalsOf, SELF } from "./fixtures";

const ca = root("apps.cluster1.example.com");

describe("a config with what is required", () => {
  it("has the procedure's values for the rest", () => {
    expect(configOf()).toEqual({
      self: SELF,
      trustPeerCas: false,
      takesOverFederation: false,
      context: "cluster1",
      trustDomain: "apps.cluster1.example.com",
      peers: [],
      profile: "https_web",
      probe: "machine",
      refreshHint: 300,
      issuer: { type: "acme" },
      open: { profile: true, issuer: true },
      certificateTimes: { duration: "2160h", renewBefore: "360h", renewJitterHours: 0 },
      names: {
        certificate: "spire-server-federation-tls",
        secret: "spire-server-federation-tls",
        role: "secret-reader",
        roleBinding: "secret-reader-binding",
        route: "spire-federation-endpoint",
      },
      certManager: {},
      federatesWith: "static",
    });
  });

  it("takes lists and objects as JSON, and numbers and flags as text, the way Pulumi gives them", () => {
    const config = configOf({
      peers: '[{"stack":"cluster2","rebootstrap":"3","bootstrap":"stack"},"organization/other/prod.EU"]',
      endpoint: JSON.stringify({ refreshHint: "60", ca: ca.pem }),
      probe: "cluster",
      issuer: '{"type":"ca","selfSigned":true,"duration":"720h","renewJitterHours":"4"}',
      certManager: '{"source":"","channel":"stable-v2"}',
    });
    expect(config).toMatchObject({
      peers: [
        { name: "cluster2", id: "organization/spire-federation/cluster2", rebootstrap: 3, bootstrap: "stack" },
        { name: "other-prod-eu", id: "organization/other/prod.EU", rebootstrap: 0 },
      ],
      refreshHint: 60,
      probe: "cluster",
      issuer: { type: "ca", selfSigned: true },
      certificateTimes: { duration: "720h", renewBefore: "360h", renewJitterHours: 4 },
      certManager: { channel: "stable-v2" },
      endpointCa: ca.pem,
    });
  });

  it("names any number of peers where the SpireServer does not list them", () => {
    const peers = Array.from({ length: 200 }, (_, i) => `peer${i}`);
    expect(configOf({ peers, federatesWith: "dynamic" }).peers).toHaveLength(200);
  });

  it("owns the whole SpireServer only when it is told to", () => {
    const whole = {
      jwtIssuer: "https://oidc.example.com",
      caSubject: { country: "DE", organization: "Example", commonName: "example" },
      datastore: { maxOpenConns: 7 },
    };
    expect(configOf({ spireServer: { manage: true, ...whole } }).spireServer).toMatchObject({ spec: whole });
    expect(configOf({ spireServer: {} })).not.toHaveProperty("spireServer");
    expect(refusalsOf({ spireServer: whole })).toEqual([expect.stringMatching(/^spireServer\.manage: /)]);
  });
});

describe("refused, each with its key", () => {
  it("takes a host and labels of the endpoint's Route, with a prefix or without", () => {
    const routeLabels = { type: "sharded", "ingress.example.com/shard": "", on: "true" };
    const raw = { host: "spire.example.com", routeLabels: JSON.stringify(routeLabels) };
    expect(configOf({ endpoint: raw })).toMatchObject({ endpointHost: "spire.example.com", routeLabels });
    expect(configOf({ endpoint: { host: "", routeLabels: "{}" } })).toEqual(configOf());
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a host that is none", { endpoint: { host: "https://spire.example.com" } }, "endpoint.host"],
    ["a key that no label has", { endpoint: { routeLabels: { "a b": "x" } } }, "endpoint.routeLabels"],
    ["a value that no label has", { endpoint: { routeLabels: { type: "a b" } } }, "endpoint.routeLabels.type"],
    ["a label that is no text", { endpoint: { routeLabels: { type: 1 } } }, "endpoint.routeLabels.type"],
    ["no trust domain", { trustDomain: "" }, "trustDomain"],
    ["a trust domain in capitals", { trustDomain: "Apps.Example.com" }, "trustDomain"],
    ["itself as a peer", { peers: ["cluster1"] }, "peers[0]"],
    ["itself as a peer by its full name", { peers: ["organization/spire-federation/cluster1"] }, "peers[0]"],
    ["a peer twice", { peers: ["cluster2", "cluster2"] }, "peers[1]"],
    ["a peer twice under two names", { peers: ["cluster2", "organization/spire-federation/cluster2"] }, "peers[1]"],
    ["two peers whose objects would share a name", { peers: ["cluster.2", "cluster-2"] }, "peers[1]"],
    ["what is no stack name", { peers: ["a/b/c/d"] }, "peers[0]"],
    ["what may be two stacks", { peers: ["organization/cluster2"] }, "peers[0]"],
    ["a number as a stack name", { peers: [7] }, "peers[0]"],
    ["a peer outside a list", { peers: "cluster2" }, "peers"],
    ["more than 50 peers", { peers: Array.from({ length: 51 }, (_, i) => `peer${i}`) }, "peers"],
    ["a counter that is none", { peers: [{ stack: "cluster2", rebootstrap: "soon" }] }, "peers[0].rebootstrap"],
    ["an unknown profile", { profile: "https" }, "profile"],
    ["a first bundle from elsewhere", { peers: [{ stack: "a", bootstrap: "peer" }] }, "peers[0].bootstrap"],
    ["a proof from elsewhere", { probe: "router" }, "probe"],
    ["a refresh hint below the bounds", { endpoint: { refreshHint: 59 } }, "endpoint.refreshHint"],
    ["a refresh hint above the bounds", { endpoint: { refreshHint: "3601" } }, "endpoint.refreshHint"],
    ["a fraction of a second", { endpoint: { refreshHint: "300.5" } }, "endpoint.refreshHint"],
    ["a renewal as early as the issue", { issuer: { duration: "24h", renewBefore: "24h" } }, "issuer.renewBefore"],
    [
      "a renewal too early by its jitter",
      { issuer: { renewBefore: "2000h", renewJitterHours: 160 } },
      "issuer.renewBefore",
    ],
    ["what is no duration", { issuer: { duration: "90d" } }, "issuer.duration"],
    ["an unknown issuer", { issuer: { type: "vault" } }, "issuer.type"],
    ["a field of another type of issuer", { issuer: { type: "acme", selfSigned: true } }, "issuer.selfSigned"],
    ["an ACME server without TLS", { issuer: { server: "http://acme.example.com" } }, "issuer.server"],
    ["an existing issuer without its name", { issuer: { type: "existing", kind: "ClusterIssuer" } }, "issuer.name"],
    ["an issuer that is no object", { issuer: "acme" }, "issuer"],
    [
      "a field of the router's certificate, which has none",
      { issuer: { type: "router", email: "a@b.org" } },
      "issuer.email",
    ],
    ["SPIRE's own ACME without an e-mail address", { issuer: { type: "spire", tosAccepted: true } }, "issuer.email"],
    ["SPIRE's own ACME without consent", { issuer: { type: "spire", email: "a@b.org" } }, "issuer.tosAccepted"],
    [
      "SPIRE's own ACME without TLS",
      { issuer: { type: "spire", email: "a@b.org", tosAccepted: true, server: "http://acme.example.com" } },
      "issuer.server",
    ],
    [
      "times of a certificate that is not cert-manager's",
      { issuer: { type: "secret", duration: "9h" } },
      "issuer.duration",
    ],
    ["an unknown mode", { federatesWith: "none" }, "federatesWith"],
    ["a CA that is none", { endpoint: { ca: "abc" } }, "endpoint.ca"],
    ["a certificate that is no CA's", { endpoint: { ca: issue("leaf").pem } }, "endpoint.ca"],
    ["a CA with its private key", { endpoint: { ca: ca.pem + ca.keyPem } }, "endpoint.ca"],
  ])("%s", (_, raw, path) => {
    expect(refusalsOf(raw)).toEqual([expect.stringContaining(`${path}: `)]);
  });

  it("a key of ours that is not known, with the one that was meant", () => {
    expect(refusalsOf({ endpiont: {}, certManager: { chanel: "x" }, colour: "red" })).toEqual([
      expect.stringMatching(/^certManager\.chanel: .*"channel"/),
      expect.stringMatching(/^endpiont: .*"endpoint"/),
      expect.stringMatching(/^colour: .*certManager, context, endpoint, /),
    ]);
  });

  it.each([
    ["refreshHint", "endpoint\\.refreshHint"],
    ["endpointCa", "endpoint\\.ca"],
    ["certificateDuration", "issuer\\.duration"],
    ["rebootstrap", "\\{stack: <name>, rebootstrap: <number>\\}"],
    ["fileSyncInterval", "nothing"],
  ])("a key of an older release, with what takes its place: %s", (key, now) => {
    expect(refusalsOf({ [key]: 1 })).toEqual([expect.stringMatching(new RegExp(`^${key}: .*${now}`))]);
  });

  it("everything at once, in a message that names project, key and cure", () => {
    const raw = { trustDomain: "UPPER", endpoint: { refreshHint: 1, ca: "x" }, profile: "x", peers: ["cluster1"] };
    const paths = refusalsOf(raw).map((refusal) => refusal.split(":")[0]);
    expect(paths).toEqual(["profile", "peers[0]", "trustDomain", "endpoint.refreshHint", "endpoint.ca"]);
    expect(() => parseConfig({ endpoint: { refreshHint: 1 } }, SELF)).toThrow(
      /\n {2}spire-federation:trustDomain: is not set.*\n {2}spire-federation:endpoint\.refreshHint: 1 is out of range; it is .*from 60 to 3600/,
    );
  });
});

it("is a config or a ConfigError, never anything else, whatever is written", () => {
  const some = (...values: unknown[]): fc.Arbitrary<unknown> =>
    fc.oneof(fc.constantFrom(undefined, ...values), fc.jsonValue(), fc.string());
  const changed: Record<string, fc.Arbitrary<unknown>> = {
    context: some("cluster1"),
    trustDomain: some("apps.cluster1.example.com"),
    peers: fc.oneof(fc.array(some("cluster2", "a/b/c", null, "")), some('["cluster2"]', "[null]", "[[]]", "{")),
    issuer: fc.oneof(
      fc.record({
        type: some("acme", "ca", "existing", "router", "spire"),
        name: some("x"),
        server: some("https://a"),
        duration: some("2160h", "1h1m"),
        renewJitterHours: some(1),
      }),
      some(),
    ),
    profile: some("https_web", "https_spiffe"),
    endpoint: fc.oneof(
      fc.record({
        refreshHint: some(300, "300", "1e3", "99999999999999999999"),
        ca: some(ca.pem, `-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----`),
      }),
      some('{"__proto__":1}'),
    ),
    certManager: fc.oneof(
      fc.dictionary(fc.constantFrom("channel", "source", "__proto__", "toString"), some("x")),
      some(),
    ),
    spireServer: fc.oneof(
      fc.record({
        manage: some(true),
        jwtIssuer: some("https://a"),
        caSubject: some({}),
        persistence: some({}),
        datastore: some([]),
      }),
      some(),
    ),
  };
  // One or two keys of a config that is accepted: with all of them odd at once, none ever is.
  const raw = fc
    .subarray(Object.keys(changed), { minLength: 1, maxLength: 2 })
    .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, changed[key] ?? fc.constant(undefined)]))));
  const outcomes = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(raw, (given) => {
      try {
        const config = configOf(given);
        expect(config.trustDomain).toMatch(/^[a-z0-9._-]+$/);
        expect(config.refreshHint >= 60 && config.refreshHint <= 3600).toBe(true);
        outcomes.accepted += 1;
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        expect(error.problems.length).toBeGreaterThan(0);
        outcomes.refused += 1;
      }
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(outcomes.accepted, outcomes.refused)).toBeGreaterThan(100);
});

it("says which context is used where none is named", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "config-")), "kubeconfig");
  const contexts = [{ name: "admin", context: { cluster: "c", user: "u" } }];
  writeFileSync(file, JSON.stringify({ clusters: [], users: [], contexts }));
  const mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };
  await pulumi.runtime.setMocks(mocks, "spire-federation", "cluster2", false, "acme");
  const info = jest.spyOn(pulumi.log, "info").mockResolvedValue();
  const config = { trustDomain: "apps.cluster2.example.com", kubeconfig: file };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`spire-federation:config:${key}`, value])),
  );
  expect(readConfig()).toMatchObject({ kubeconfig: file, context: "admin" });
  expect(info.mock.calls).toEqual([[`context is not set; "admin" of the kubeconfig ${file} is used`]]);
  info.mockRestore();
  rmSync(dirname(file), { recursive: true });
});

it("reads the running stack's keys, and only those of this project", async () => {
  await pulumi.runtime.setMocks(
    { newResource: ({ name, inputs }) => ({ id: name, state: inputs as object }), call: () => ({}) },
    "spire-federation",
    "cluster2",
    false,
    "acme",
  );
  pulumi.runtime.setAllConfig({
    "spire-federation:config:context": "east",
    "spire-federation:config:trustDomain": "apps.cluster2.example.com",
    "spire-federation:config:peers": '["cluster1"]',
    "kubernetes:config:context": "another",
  });
  expect(readConfig()).toMatchObject({
    self: { organization: "acme", project: "spire-federation", stack: "cluster2" },
    context: "east",
    peers: [{ name: "cluster1", id: "acme/spire-federation/cluster1" }],
  });
});

test("names of objects are Kubernetes names, and of no others than are known", () => {
  expect(refusalsOf({ names: { role: "Router Reads", binding: "x" } })).toEqual([
    expect.stringMatching(/^names\.binding: /),
    expect.stringMatching(/^names\.role: "Router Reads" is not a name/),
  ]);
});
