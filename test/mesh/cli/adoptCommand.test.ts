/** `adopt` as a conversation: what it writes, what it asks, and what it runs only after a yes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { adoptCommand } from "../../../mesh/cli/changeDeclarations";
import { inFile } from "../../../mesh/cli/adoptCommand";
import type { Context, Session } from "../../../mesh/cli/context";
import { uninterrupted } from "../../../mesh/kernel/interruption";
import { PulumiError } from "../../../mesh/pulumi/runPulumi";
import type { Published } from "../../../mesh/pulumi/workspace";
import { clusterOf } from "../../components/readers";
import { SELF } from "../../stacks/fixtures";
import { byHand, type Live, ofKind } from "../adopt/given";

let live: Live[];
jest.mock("../../../components/cluster/connect", () => ({ connect: () => clusterOf(...live) }));
// The backend is out of reach: a stack's config is then that of its file.
jest.mock("../../../mesh/pulumi/cli", () => ({ pulumi: () => Promise.reject(new PulumiError("no backend", "")) }));

let dir: string;
const backend = process.env["PULUMI_BACKEND_URL"];
beforeEach(() => {
  live = byHand();
  dir = mkdtempSync(join(tmpdir(), "adopt-"));
  process.env["PULUMI_BACKEND_URL"] = "file:///nowhere";
});
afterEach(() => {
  rmSync(dir, { recursive: true });
  if (backend === undefined) delete process.env["PULUMI_BACKEND_URL"];
  else process.env["PULUMI_BACKEND_URL"] = backend;
});

const FILE = "Pulumi.cluster1.yaml";
const written = (): string => readFileSync(join(dir, FILE), "utf8");

/** Runs `adopt cluster1`; the stack asks for the procedure's Certificate. */
async function run(answer: string, { yes = false }: { yes?: boolean } = {}) {
  const did: string[] = [];
  let notes = "";
  const certificate = byHand().find(({ kind }) => kind === "Certificate");
  const asked = { ...certificate, kind: "Certificate" };
  const federation = { version: 1, trustDomain: "a", bundleEndpointUrl: "https://a", profile: "https_web" } as const;
  const published = (): Published | undefined =>
    did.includes("make") ? { pendingPeers: [], peers: {}, ...(did.includes("up") && { federation }) } : undefined;
  const stacks = {
    published: () => Promise.resolve(published()),
    make: () => {
      did.push("make");
      return Promise.resolve("cluster1");
    },
    drift: () => {
      const op = did.includes("up") ? "same" : "create";
      const type = "kubernetes:cert-manager.io/v1:Certificate";
      return Promise.resolve({ succeeded: true, objects: [{ op, type, name: "certificate", asked, diffs: [] }] });
    },
    up: () => {
      did.push("up");
      return Promise.resolve({ succeeded: true, changes: {}, restarted: false, recovered: [] });
    },
  };
  const workspace = { workDir: dir, projectSettings: () => Promise.resolve({ name: SELF.project }) };
  const context: Context = {
    open: () => Promise.resolve({ members: [], stacks, workspace, interruption: uninterrupted } as unknown as Session),
    note: (line) => (notes += `${line}\n`),
    did: (what) => (notes += `${what}\n`),
    dir: ".",
    signal: new AbortController().signal,
    made: () => () => undefined,
    redraw: () => undefined,
    ask: (question) => {
      did.push(question);
      return Promise.resolve(answer);
    },
  };
  const flags = { yes, parallel: 2 };
  const result = await adoptCommand
    .start(context, ["cluster1"], { opts: (() => flags) as Command["opts"] })
    .catch((error: unknown) => ({ exit: 2, text: (error as Error).message }));
  return { did, notes, ...result };
}

test("writes the file, shows what becomes the stack's, asks, and runs", async () => {
  const { did, notes, exit, text } = await run("y");
  expect(did).toEqual(["make", "Proceed? [y/N] ", "up"]);
  expect(exit).toBe(0);
  expect(written()).toContain("spire-federation:trustDomain: apps.cluster1.example.com\n");
  expect(notes).toContain(`wrote ${FILE}`);
  expect(notes).toContain("taken over as they are:\n    Certificate spire-server-federation-tls\n");
  expect(notes).toContain(
    "left as they are, and not the stack's:\n    Route spire-server-federation: the operator's\n",
  );
  expect(text).toContain("a preview shows no changes");
});

test("no runs nothing, and says what stays", async () => {
  const { did, notes, exit, text } = await run("");
  expect([exit, did]).toEqual([2, ["make", "Proceed? [y/N] "]]);
  expect(text).toBe("cancelled; no cluster was changed");
  expect(notes.startsWith(`wrote ${FILE}\ncreated stack cluster1\n`)).toBe(true);
});

test("run again it finds its own file, and writes none", async () => {
  await run("y", { yes: true });
  const before = written();
  const { notes } = await run("", { yes: true });
  expect(written()).toBe(before);
  expect(notes).not.toMatch(/wrote|added|says otherwise/);
});

test("never changes what a file says, and says where that is otherwise than the cluster", async () => {
  const said =
    "config:\n  spire-federation:endpoint: { refreshHint: 600 } # agreed\n  spire-federation:issuer:\n    type: ca\n";
  writeFileSync(join(dir, FILE), said);
  const { notes } = await run("", { yes: true });
  expect(written().startsWith(said)).toBe(true);
  expect(notes).toContain(`added to ${FILE}`);
  expect(notes).toContain(`${FILE} and the cluster disagree about issuer; the file's value is kept`);
});

test("a cluster without a federation is refused before anything is written", async () => {
  live = byHand(ofKind("SpireServer", (spec) => delete spec["federation"]));
  const { did, exit, text } = await run("", { yes: true });
  expect([did, exit, readdirSync(dir)]).toEqual([[], 1, []]);
  expect(text).toContain("SpireServer cluster: it has no federation; there is no federation to adopt");
  expect(text).toContain("Nothing was taken over.");
});

test("an object that an up would change is told before anybody is asked", async () => {
  writeFileSync(join(dir, FILE), "config:\n  spire-federation:issuer:\n    type: acme\n");
  live = byHand(ofKind("Certificate", (spec) => (spec["usages"] = ["server auth"])));
  const { did, exit, text } = await run("y");
  expect([did, exit]).toEqual([["make"], 1]);
  expect(text).toContain("cannot be taken over as they are:\n    Certificate spire-server-federation-tls: spec.usages");
  expect(text).toContain(`change these objects, or what ${FILE} says of them, and run adopt again`);
});

test.each([
  ["x", "/project/here", "here/x"],
  ["./x", "/project", "x"],
  ["../x", "/project", "../x"],
  ["x", "/elsewhere", "../elsewhere/x"],
  ["~/x", "/elsewhere", "~/x"],
  ["/x", "/elsewhere", "/x"],
])("--kubeconfig %s, said in %s, is %s in the file", (path, here, inTheFile) => {
  expect(inFile("/project", path, here)).toBe(inTheFile);
});
