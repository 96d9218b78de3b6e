/** `init` as a conversation: what it finds, what it asks, and what it writes. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { parse } from "yaml";
import { type Cluster, Forbidden } from "../../../components/cluster/cluster";
import { readCommandLine } from "../../../mesh/cli/arguments";
import { COMMANDS } from "../../../mesh/cli/commandList";
import type { Context } from "../../../mesh/cli/context";
import { initCommand } from "../../../mesh/cli/initDeclaration";
import type { InitReport } from "../../../mesh/init/report";
import { clusterOf } from "../../components/readers";
import { freshCluster } from "../../stacks/fixtures";
import { byHand, type Live, ofKind } from "../adopt/given";

/** The API servers, by context. */
let clusters: Record<string, Cluster>;
jest.mock("../../../components/cluster/connect", () => ({
  connect: ({ context = "", kubeconfig = "" }) => clusters[`${kubeconfig}${context}`] ?? clusters[context],
}));

let dir: string;
const before = process.env["KUBECONFIG"];
beforeEach(() => {
  clusters = {};
  dir = mkdtempSync(join(tmpdir(), "init-"));
  process.env["KUBECONFIG"] = join(dir, "kubeconfig");
  // A folder with the project.
  writeFileSync(join(dir, "Pulumi.yaml"), "name: spire-federation\nruntime: nodejs\n");
});
afterEach(() => {
  rmSync(dir, { recursive: true });
  if (before === undefined) delete process.env["KUBECONFIG"];
  else process.env["KUBECONFIG"] = before;
});

/** A kubeconfig with these contexts, each to a server of its own unless it says which. */
function kubeconfig(contexts: Record<string, string>, file = "kubeconfig"): void {
  const names = Object.entries(contexts);
  const text = {
    "current-context": names[0]?.[0],
    contexts: names.map(([name, server]) => ({ name, context: { cluster: server, user: "u" } })),
    clusters: [...new Set(Object.values(contexts))].map((server) => ({ name: server, cluster: { server } })),
    users: [{ name: "u", user: { token: "t" } }],
  };
  writeFileSync(join(dir, file), JSON.stringify(text));
}

const uid = (id: string): Live => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system", uid: id } });
const issuer = (kind: string, name: string): Live => ({
  apiVersion: "cert-manager.io/v1",
  kind,
  metadata: { name, ...(kind === "Issuer" && { namespace: "zero-trust-workload-identity-manager" }) },
});

/** With ZTWIM, and nothing of a federation. */
const fresh = (name: string, ...more: Live[]): Cluster => {
  const { ztwim, spireServer, ingress, csv } = freshCluster(name);
  return clusterOf(ztwim, spireServer, ingress, csv, uid(name), ...more);
};

const failing = (error: Error): Cluster => ({
  ...clusterOf(),
  get: () => Promise.reject(error),
  list: () => Promise.reject(error),
});

/** Runs `init`; the answers are given in their order. */
async function init(
  words: string[] = [],
  flags: Record<string, unknown> = {},
  answers: string[] = [],
): Promise<{ exit: number; text: string; notes: string; asked: string[]; report?: InitReport }> {
  let notes = "";
  const asked: string[] = [];
  const context: Context = {
    open: () => Promise.reject(new Error("it opens no project: Pulumi may not be there")),
    dir,
    signal: new AbortController().signal,
    note: (line) => (notes += `${line}\n`),
    did: (what) => (notes += `${what}\n`),
    made: () => () => undefined,
    redraw: () => undefined,
    ask: (question) => Promise.resolve((asked.push(question), answers.shift() ?? "")),
  };
  const usual = { kubeconfig: [], pair: [], parallel: 4, requestTimeout: 10, acceptTos: false, yes: false };
  const opts = (() => ({ ...usual, ...flags })) as Command["opts"];
  return initCommand.start(context, words, { opts }).then(
    ({ exit, text, report }) => ({ exit, text, notes, asked, report: report as unknown as InitReport }),
    (error: unknown) => ({ exit: 2, text: (error as Error).message, notes, asked }),
  );
}

const SCRIPT = { yes: true, issuer: "acme" };
const written = (): string[] => readdirSync(dir).filter((file) => file.startsWith("Pulumi."));
const textOf = (stack: string): string => readFileSync(join(dir, `Pulumi.${stack}.yaml`), "utf8");
const configOf = (stack: string): Record<string, unknown> => {
  const { config } = parse(textOf(stack)) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace("spire-federation:", ""), value]),
  );
};
const states = (report?: InitReport): Record<string, string> =>
  Object.fromEntries(report?.clusters.map(({ context, state }) => [context, state]) ?? []);

describe("two clusters", () => {
  beforeEach(() => {
    kubeconfig({ cluster1: "https://one", cluster2: "https://two" });
    clusters = { cluster1: fresh("cluster1"), cluster2: fresh("cluster2") };
  });

  test("each becomes a member that trusts the other", async () => {
    const { exit, report, text } = await init([], SCRIPT);
    expect([exit, written()]).toEqual([0, ["Pulumi.cluster1.yaml", "Pulumi.cluster2.yaml", "Pulumi.yaml"]]);
    expect(configOf("cluster1")).toEqual({
      context: "cluster1",
      trustDomain: "apps.cluster1.example.com",
      peers: ["cluster2"],
      issuer: { type: "acme" },
    });
    expect(configOf("cluster2")["peers"]).toEqual(["cluster1"]);
    expect(report?.clusters[0]).toEqual({
      ...{ context: "cluster1", state: "new", stack: "cluster1", trustDomain: "apps.cluster1.example.com" },
      ...{ ztwim: "1.1.0", ingressDomain: "apps.cluster1.example.com", trusts: [], issuers: [] },
    });
    expect(report?.next).toEqual(["npx spire-federation up", "npx spire-federation verify --wait"]);
    expect(text).toContain("npx spire-federation up");
  });

  test("on a terminal it asks for what no cluster says, shows the files, and writes them after a yes", async () => {
    const { exit, asked, notes } = await init([], {}, ["nonsense", "", "me@example.com", "", "y"]);
    expect([exit, asked.length]).toEqual([0, 5]);
    expect(notes).toContain("spire-federation:peers:");
    expect(configOf("cluster2")["issuer"]).toEqual({ type: "acme", email: "me@example.com" });
  });

  test("anything but a yes writes nothing", async () => {
    const { exit, text } = await init([], { issuer: "acme" }, ["", "no"]);
    expect([exit, written(), text]).toEqual([2, ["Pulumi.yaml"], "cancelled; nothing was written"]);
  });

  test("a second run finds its members, and changes nothing", async () => {
    await init([], SCRIPT);
    const file = textOf("cluster1");
    const { exit, report } = await init([], SCRIPT);
    expect([exit, states(report), report?.files]).toEqual([0, { cluster1: "member", cluster2: "member" }, []]);
    expect(textOf("cluster1")).toBe(file);
  });

  test("an issuer that one of them does not have is refused, and what it has is said", async () => {
    clusters["cluster1"] = fresh("cluster1", issuer("ClusterIssuer", "corporate"));
    const { exit, text } = await init([], { ...SCRIPT, issuer: "ClusterIssuer/corporate" });
    expect([exit, written()]).toEqual([2, ["Pulumi.yaml"]]);
    expect(text).toContain("context cluster2 has no issuer");
  });

  test("one that both have is offered, and taken", async () => {
    for (const name of ["cluster1", "cluster2"]) clusters[name] = fresh(name, issuer("ClusterIssuer", "corporate"));
    const { exit, notes } = await init([], {}, ["ClusterIssuer/corporate", "", "y"]);
    expect([exit, notes.includes("have ClusterIssuer/corporate")]).toEqual([0, true]);
    expect(configOf("cluster1")["issuer"]).toEqual({ type: "existing", kind: "ClusterIssuer", name: "corporate" });
  });

  test("what no stack takes is refused with its key, before anything is written", async () => {
    const { exit, text } = await init([], { ...SCRIPT, email: "nobody" });
    expect([exit, written()]).toEqual([2, ["Pulumi.yaml"]]);
    expect(text).toContain("Pulumi.cluster1.yaml: spire-federation:issuer.email");
  });

  test("https_spiffe needs no issuer", async () => {
    expect((await init([], { yes: true, profile: "https_spiffe" })).exit).toBe(0);
    expect(configOf("cluster1")).toMatchObject({ profile: "https_spiffe" });
    expect(configOf("cluster1")["issuer"]).toBeUndefined();
  });

  test("a file that somebody writes meanwhile stays", async () => {
    clusters["cluster2"] = {
      ...fresh("cluster2"),
      list: (...what) => {
        writeFileSync(join(dir, "index.js"), "theirs");
        return fresh("cluster2").list(...what);
      },
    };
    rmSync(join(dir, "Pulumi.yaml"));
    mkdirSync(join(dir, "node_modules", "spire-federation"), { recursive: true });
    writeFileSync(join(dir, "node_modules", "spire-federation", "program.js"), "");
    const { exit, text } = await init([], SCRIPT);
    expect([exit, text, readFileSync(join(dir, "index.js"), "utf8")]).toEqual([
      2,
      "index.js: edited since the plan was made; nothing was changed, run the command again",
      "theirs",
    ]);
  });
});

describe("an existing mesh", () => {
  const FILE = `# of the first cluster
config:
  spire-federation:peers: [cluster2] # who else
  spire-federation:trustDomain: apps.cluster1.example.com
  spire-federation:context: cluster1
`;
  beforeEach(() => {
    kubeconfig({ cluster1: "https://one", cluster2: "https://two", cluster3: "https://three" });
    clusters = { cluster1: fresh("cluster1"), cluster2: fresh("cluster2"), cluster3: fresh("cluster3") };
    writeFileSync(join(dir, "Pulumi.cluster1.yaml"), FILE);
    writeFileSync(
      join(dir, "Pulumi.cluster2.yaml"),
      "config:\n  spire-federation:trustDomain: apps.cluster2.example.com\n  spire-federation:peers: '[\"cluster1\"]'\n",
    );
  });

  test("gets one member more, and of the other files the list of peers alone", async () => {
    const { exit, report, notes } = await init(["cluster3"], SCRIPT);
    expect([exit, configOf("cluster3")["peers"]]).toEqual([0, ["cluster1", "cluster2"]]);
    expect(textOf("cluster1")).toBe(FILE.replace("[cluster2]", "[ cluster2, cluster3 ]"));
    expect(configOf("cluster2")["peers"]).toBe('["cluster1","cluster3"]');
    expect(notes).toContain("Pulumi.cluster1.yaml: peers gets cluster3");
    expect(report?.files).toEqual([
      { file: "Pulumi.cluster3.yaml", change: "created", peers: ["cluster1", "cluster2"] },
      { file: "Pulumi.cluster1.yaml", change: "changed", peers: ["cluster3"] },
      { file: "Pulumi.cluster2.yaml", change: "changed", peers: ["cluster3"] },
    ]);
  });

  test("with a pair only those two trust each other", async () => {
    expect((await init([], { ...SCRIPT, pair: ["cluster3:cluster2"] })).exit).toBe(0);
    expect([configOf("cluster3")["peers"], textOf("cluster1")]).toEqual([["cluster2"], FILE]);
  });

  test("a pair with nobody is refused", async () => {
    const { exit, text } = await init([], { ...SCRIPT, pair: ["cluster3:cluster9"] });
    expect([exit, text]).toEqual([
      2,
      "--pair cluster3:cluster9: there is no stack cluster9; stacks are cluster1, cluster2, cluster3",
    ]);
  });

  test("peers that are an alias, or that Pulumi.yaml has, are not guessed at", async () => {
    const alias =
      "x: &p [cluster2]\nconfig:\n  spire-federation:trustDomain: a.example.com\n  spire-federation:peers: *p\n";
    writeFileSync(join(dir, "Pulumi.cluster1.yaml"), alias);
    expect((await init(["cluster3"], SCRIPT)).text).toContain("is an alias; edit the list of peers by hand");
    writeFileSync(join(dir, "Pulumi.cluster1.yaml"), "config:\n  spire-federation:trustDomain: a.example.com\n");
    writeFileSync(join(dir, "Pulumi.yaml"), "name: spire-federation\nruntime: nodejs\nconfig:\n  peers: [cluster2]\n");
    expect((await init(["cluster3"], SCRIPT)).text).toContain("Pulumi.yaml has them; add cluster3 there by hand");
    expect(written()).not.toContain("Pulumi.cluster3.yaml");
  });

  test("a file without a trust domain might be of any cluster, and is refused", async () => {
    writeFileSync(join(dir, "Pulumi.cluster1.yaml"), "environment: [shared]\n");
    const { exit, text } = await init(["cluster3"], SCRIPT);
    expect([exit, text.startsWith("Pulumi.cluster1.yaml: it does not say which trust domain")]).toEqual([2, true]);
  });
});

describe("odd worlds", () => {
  test("a cluster without ZTWIM is left out; where it was asked for, that is a finding", async () => {
    kubeconfig({ cluster1: "https://one", other: "https://two" });
    clusters = { cluster1: fresh("cluster1"), other: clusterOf(uid("other")) };
    const { exit, report } = await init([], SCRIPT);
    expect([exit, states(report)]).toEqual([0, { cluster1: "new", other: "no-ztwim" }]);
    expect((await init(["other"], SCRIPT)).exit).toBe(1);
  });

  test("two contexts of one cluster are one member, also by two addresses of its API server", async () => {
    kubeconfig({
      "default/one/kube:admin": "https://one",
      "shop/one/kube:admin": "https://one",
      inner: "https://inner",
    });
    const one = fresh("cluster1");
    clusters = { "default/one/kube:admin": failing(new Forbidden("no")), "shop/one/kube:admin": one, inner: one };
    const { exit, report } = await init([], SCRIPT);
    expect([exit, states(report)]).toEqual([
      0,
      { "default/one/kube:admin": "same-cluster", "shop/one/kube:admin": "new", inner: "same-cluster" },
    ]);
    expect(configOf("cluster1")["context"]).toBe("shop/one/kube:admin");
  });

  test("two clusters with one trust domain are both left out, and the others are written", async () => {
    kubeconfig({ east: "https://one", west: "https://two", north: "https://three" });
    const { ztwim, ingress } = freshCluster("cluster1");
    clusters = {
      east: clusterOf(ztwim, ingress, uid("east")),
      west: clusterOf(ztwim, ingress, uid("west")),
      north: fresh("north"),
    };
    const { exit, report, text } = await init([], SCRIPT);
    expect([exit, states(report)]).toEqual([1, { east: "refused", west: "refused", north: "new" }]);
    expect(text).toContain("context east: its trust domain is that of context west as well");
    expect([written(), configOf("north")["peers"]]).toEqual([["Pulumi.north.yaml", "Pulumi.yaml"], []]);
  });

  test.each([
    ["does not answer", new Error("context east: no answer within 10 s")],
    ["may not be read", new Forbidden("you may not get zerotrustworkloadidentitymanagers")],
  ])("a cluster that %s is named with the reason, left out, and not guessed", async (_, error) => {
    kubeconfig({ east: "https://one", cluster2: "https://two" });
    clusters = { east: failing(error), cluster2: fresh("cluster2") };
    const { exit, report, text } = await init([], SCRIPT);
    expect([exit, states(report)]).toEqual([3, { east: "unknown", cluster2: "new" }]);
    expect(text).toContain(`context east: ${error.message}`);
    expect(written()).toEqual(["Pulumi.cluster2.yaml", "Pulumi.yaml"]);
  });

  test("a cluster that is federated by hand is left to adopt", async () => {
    kubeconfig({ cluster1: "https://one" });
    clusters = { cluster1: clusterOf(...byHand(), uid("one")) };
    const { exit, report } = await init([], SCRIPT);
    expect([exit, written()]).toEqual([1, ["Pulumi.yaml"]]);
    expect(report?.clusters[0]).toMatchObject({ state: "refused", trusts: ["apps.cluster2.example.com"] });
    expect(report?.clusters[0]?.cure).toContain("npx spire-federation adopt <stack> --context cluster1");
  });

  const trustingNobody = (issuerRef?: object): Live[] =>
    byHand((live) => {
      ofKind("SpireServer", (spec) => {
        const federation = spec["federation"] as Record<string, unknown>;
        spec["federation"] = { ...federation, federatesWith: [] };
      })(live);
      if (issuerRef !== undefined) ofKind("Certificate", (spec) => Object.assign(spec, { issuerRef }))(live);
    }).filter(({ kind }) => kind !== "ClusterFederatedTrustDomain");

  test("an endpoint whose certificate an external issuer signs costs no cluster its file", async () => {
    kubeconfig({ cluster1: "https://one", cluster2: "https://two" });
    const issuerRef = { group: "awspca.cert-manager.io", kind: "AWSPCAClusterIssuer", name: "pca" };
    clusters = { cluster1: clusterOf(...trustingNobody(issuerRef), uid("one")), cluster2: fresh("cluster2") };
    expect((await init([], SCRIPT)).exit).toBe(0);
    expect(configOf("cluster1")["issuer"]).toEqual({ type: "secret" });
    expect(configOf("cluster2")["issuer"]).toEqual({ type: "acme" });
  });

  test("an endpoint that trusts nobody yet keeps its profile and its issuer", async () => {
    kubeconfig({ cluster1: "https://one" });
    clusters = { cluster1: clusterOf(...trustingNobody(), uid("one")) };
    const { exit } = await init([], { yes: true, issuer: "router" });
    expect([exit, configOf("cluster1")]).toMatchObject([0, { profile: "https_web", issuer: { type: "acme" } }]);
  });

  test.each<[string, string[], string]>([
    ["default/api-x-example-com:6443/admin", [], "cluster1"],
    ["admin", [], "cluster1"],
    ["east", [], "east"],
    ["admin", ["west=admin"], "west"],
    ["a=b", ["a=b"], "cluster1"],
  ])("context %s, with %p, becomes stack %s #3", async (context, words, stack) => {
    kubeconfig({ [context]: "https://one" });
    clusters = { [context]: fresh("cluster1") };
    expect((await init(words, SCRIPT)).exit).toBe(0);
    expect([written()[0], configOf(stack)["context"]]).toEqual([`Pulumi.${stack}.yaml`, context]);
  });

  test("a name that another stack has is not taken", async () => {
    kubeconfig({ East: "https://one" });
    clusters = { East: fresh("cluster1") };
    writeFileSync(join(dir, "Pulumi.east.yaml"), "config:\n  spire-federation:trustDomain: elsewhere.example.com\n");
    const refused = await init(["east=East"], SCRIPT);
    expect([refused.exit, refused.text]).toEqual([2, "east=East: there is a stack east already; choose another name"]);
    const { report } = await init([], SCRIPT);
    expect(report?.clusters[0]?.stack).toBe("cluster1");
    expect(configOf("east")["peers"]).toEqual(["cluster1"]);
  });

  test("a context that is not there is refused with those that are", async () => {
    kubeconfig({ east: "https://one" });
    expect(await init(["west"], SCRIPT)).toMatchObject({
      exit: 2,
      text: expect.stringContaining("there are east") as string,
    });
  });

  test("files of OpenShift's installer, all with a context admin, are told apart", async () => {
    kubeconfig({ admin: "https://one" }, "one");
    kubeconfig({ admin: "https://two" }, "two");
    const files = ["one", "two"].map((file) => join(dir, file));
    clusters = { [`${files[0] ?? ""}admin`]: fresh("cluster1"), [`${files[1] ?? ""}admin`]: fresh("cluster2") };
    expect((await init([], { ...SCRIPT, kubeconfig: files })).exit).toBe(0);
    expect(configOf("cluster2")).toMatchObject({ kubeconfig: files[1], context: "admin", peers: ["cluster1"] });
  });

  test("a context that two files have is both clusters, and no stack can be named for it", async () => {
    kubeconfig({ admin: "https://one" }, "one");
    kubeconfig({ admin: "https://two" }, "two");
    const files = ["one", "two"].map((file) => join(dir, file));
    clusters = { [`${files[0] ?? ""}admin`]: fresh("cluster1"), [`${files[1] ?? ""}admin`]: fresh("cluster2") };
    const refused = await init(["east=admin"], { ...SCRIPT, kubeconfig: files });
    expect([refused.exit, refused.text]).toEqual([2, expect.stringContaining('"east=admin": several files')]);
    expect(written()).toEqual(["Pulumi.yaml"]);
    expect((await init(["admin"], { ...SCRIPT, kubeconfig: files })).exit).toBe(0);
    expect(written().sort()).toEqual(["Pulumi.cluster1.yaml", "Pulumi.cluster2.yaml", "Pulumi.yaml"]);
  });

  test("without a kubeconfig it says which flag names one", async () => {
    expect((await init([], SCRIPT)).text).toContain("name another one with --kubeconfig");
  });
});

describe("an empty folder", () => {
  beforeEach(() => {
    rmSync(join(dir, "Pulumi.yaml"));
    kubeconfig({ cluster1: "https://one" });
    clusters = { cluster1: fresh("cluster1") };
  });
  const install = (): void => {
    mkdirSync(join(dir, "node_modules", "spire-federation"), { recursive: true });
    writeFileSync(join(dir, "node_modules", "spire-federation", "program.js"), "");
  };

  test("with the package gets a project that runs its program", async () => {
    install();
    const { exit, report } = await init([], SCRIPT);
    expect([exit, report?.files.map(({ file }) => file)]).toEqual([
      0,
      ["Pulumi.yaml", "index.js", "Pulumi.cluster1.yaml"],
    ]);
    expect(parse(readFileSync(join(dir, "Pulumi.yaml"), "utf8"))).toMatchObject({
      ...{ name: "spire-federation", main: "index.js", runtime: { name: "nodejs", options: { typescript: false } } },
      config: { "pulumi:disable-default-providers": { value: ["kubernetes"] } },
    });
    expect(readFileSync(join(dir, "index.js"), "utf8")).toBe('module.exports = require("spire-federation/program");\n');
  });

  test("without the package it is refused: its program would not be found", async () => {
    const { exit, text } = await init([], SCRIPT);
    expect([exit, readdirSync(dir), text.includes("is not installed")]).toEqual([2, ["kubeconfig"], true]);
  });

  test("a program that is there stays, and is no reason to guess", async () => {
    install();
    writeFileSync(join(dir, "index.js"), "console.log(1);\n");
    const { exit, text } = await init([], SCRIPT);
    expect([exit, text.includes("it is there already, and another program")]).toEqual([2, true]);
    expect(readFileSync(join(dir, "index.js"), "utf8")).toBe("console.log(1);\n");
  });
});

test.each<[string[], boolean, string]>([
  [["init"], false, "--yes, --issuer"],
  [["init", "--issuer", "spire"], false, "--yes, --email, --accept-tos"],
  [["init", "--yes"], true, "--issuer"],
  [["init", "--issuer", "acme"], false, "--yes"],
])("%p, asked on a terminal: %p, names all flags that are missing: %s", (argv, asks, missing) => {
  expect(() => readCommandLine(COMMANDS, argv, { asks, redraws: false })).toThrow(`pass ${missing}`);
});
