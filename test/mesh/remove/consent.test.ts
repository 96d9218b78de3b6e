/** What `spire-federation remove` asks consent for, and that it does nothing without. */
import { readFile, rm, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { removeCommand } from "../../../mesh/cli/changeDeclarations";
import type { Context, Result, Session } from "../../../mesh/cli/context";
import { UsageError } from "../../../mesh/kernel/exit";
import { uninterrupted } from "../../../mesh/kernel/interruption";
import { readMembers } from "../../../mesh/members/members";
import type { DetailedStep } from "../../../mesh/pulumi/events";
import { isNeeded } from "../../../mesh/remove/otherChanges";
import type { RemovalPlan } from "../../../mesh/remove/remove";
import { full, Mesh, states } from "./world";

let mesh: Mesh;
beforeEach(async () => {
  mesh = await Mesh.of(full);
});

afterEach(() => rm(mesh.dir, { recursive: true }));

test("nothing is changed without a yes", async () => {
  await expect(mesh.remove("c", { agree: false })).rejects.toThrow("nothing was changed");
  expect([mesh.ran, await mesh.peers("a"), mesh.holders("c")]).toEqual([[], ["b", "c"], ["a", "b"]]);
});

test("a file that was edited while it asked is left as it is, and so is everything else", async () => {
  const ran = mesh.ran.length;
  const edited = `${await readFile(mesh.file("a"), "utf8")}# by somebody\n`;
  const before = await readFile(mesh.file("b"), "utf8");
  await expect(mesh.remove("c", { asking: () => writeFile(mesh.file("a"), edited) })).rejects.toThrow(
    /Pulumi\.a\.yaml: edited since/,
  );
  expect(await readFile(mesh.file("a"), "utf8")).toBe(edited);
  expect(await readFile(mesh.file("b"), "utf8")).toBe(before);
  expect(mesh.ran).toHaveLength(ran);
});

const renewed = { op: "replace", type: "kubernetes:cert-manager.io/v1:Certificate", name: "tls" };
const certificate = { op: "update", type: "kubernetes:cert-manager.io/v1:Certificate", name: "tls" };
const needed = [
  { op: "delete", type: "kubernetes:spire.spiffe.io/v1alpha1:ClusterFederatedTrustDomain", name: "c-trust" },
  { op: "delete", type: "spire-federation:index:FederatedTrustDomain", name: "c" },
  {
    op: "update",
    type: "kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch",
    name: "spire-server-server",
    paths: ["spec.federation.federatesWith[1]", 'metadata.annotations["spire-federation/applied"]'],
  },
  { op: "update", type: "kubernetes:core/v1:ConfigMap", name: "peer-cas-bundle", paths: ["data"] },
  { op: "update", type: "command:local:Command", name: "spire-server-removal", paths: ["environment.TRUST_DOMAINS"] },
  { op: "discard", type: "pulumi:pulumi:StackReference", name: "organization/spire-federation/c" },
];

test("what an up would change besides is in the plan, seen with the stack's file as the removal leaves it", async () => {
  mesh.previews.set("a", { succeeded: true, steps: [...needed, renewed] });
  mesh.previews.set("b", { succeeded: true, steps: needed });
  const plans: RemovalPlan[] = [];
  await mesh.remove("c", { asking: (plan) => Promise.resolve(void plans.push(plan)) });
  expect(plans[0]?.text).toContain("pending changes that are not part of the removal: replace Certificate tls\n");
  expect(plans[0]?.pending).toEqual(["a"]);
  expect(mesh.previewed.get("a")).toBe(await readFile(mesh.file("a"), "utf8"));
});

describe("where a stack takes over the federation, trust that somebody else has listed in the SpireServer", () => {
  const pendingAt = async (config: object, steps: DetailedStep[] = needed): Promise<RemovalPlan | undefined> => {
    await mesh.write("a", ["b", "c"], config);
    mesh.listed.set("a", ["theirs.example.org", "b.example.com"]);
    mesh.previews.set("a", { succeeded: true, steps });
    const plans: RemovalPlan[] = [];
    await mesh.remove("c", { asking: (plan) => Promise.resolve(void plans.push(plan)) });
    return plans[0];
  };
  const takeOver = { spireServer: { takeOver: ["federation"] } };

  test("is among the changes that are asked about by themselves", async () => {
    const plan = await pendingAt(takeOver);
    expect(plan?.pending).toEqual(["a"]);
    expect(plan?.text).toMatch(/not part of the removal: end trust in theirs\.example\.org, [^\n]*takeOver[^,\n]*$/m);
  });

  test.each<[string, object, DetailedStep[]]>([
    ["the stack takes nothing over", {}, needed],
    ["the stack lists no peers", { ...takeOver, federatesWith: "dynamic" }, needed],
    ["the up leaves the SpireServer as it is", takeOver, needed.filter(({ type }) => !type.includes("SpireServer"))],
  ])("stays where %s", async (_, config, steps) => {
    expect((await pendingAt(config, steps))?.pending).toEqual([]);
  });

  test("is not known where the cluster cannot be read, and that stack is not run", async () => {
    mesh.programless.add("a");
    await pendingAt(takeOver);
    expect(mesh.ran.sort()).toEqual(["b", "c"]);
  });
});

test.each([
  [{ ...certificate, name: "c-trust" }],
  [{ op: "delete", type: "kubernetes:spire.spiffe.io/v1alpha1:ClusterFederatedTrustDomain", name: "d-trust" }],
  [{ op: "create", type: "kubernetes:core/v1:ConfigMap", name: "peer-cas-bundle" }],
  [{ ...needed[2], paths: ["spec.federation.federatesWith[1]", "spec.federation.bundleEndpoint.refreshHint"] }],
  [{ ...needed[2], paths: undefined }],
])("no removal of c needs %j", (step) => {
  expect(isNeeded(step as DetailedStep, ["c"])).toBe(false);
});

test("a stack that cannot be previewed is not run, and costs the others nothing", async () => {
  mesh.previews.set("a", { succeeded: false, errors: ["no passphrase"] });
  const result = await mesh.remove("c");
  expect(mesh.ran).toEqual(expect.arrayContaining(["b", "c"]));
  expect(mesh.ran).not.toContain("a");
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(result.members[0]?.errors[0]).toBe("its stack was not run, because it cannot be previewed: no passphrase");
});

describe("on the command line, where cluster a has pending changes,", () => {
  let questions: string[];
  let notes: string;

  const run = async (flags: object, ...answers: string[]): Promise<Result> => {
    const members = await readMembers(mesh.openWorkspace());
    const unseen = { server: () => Promise.resolve({ because: "not asked" }) };
    const stacks = Object.assign(Object.create(mesh) as Mesh, unseen);
    const session = { workspace: mesh.openWorkspace(), members, stacks, interruption: uninterrupted };
    const context: Context = {
      open: () => Promise.resolve(session as unknown as Session),
      note: (line) => (notes += `${line}\n`),
      did: () => undefined,
      dir: ".",
      signal: new AbortController().signal,
      made: () => () => undefined,
      redraw: () => undefined,
      ask: (question) => Promise.resolve((questions.push(question), answers.shift() ?? "")),
    };
    const all = { yes: false, destroy: false, applyPending: false, parallel: 2, ...flags };
    return removeCommand.start(context, ["c"], { opts: (() => all) as Command["opts"] });
  };

  beforeEach(() => {
    [questions, notes] = [[], ""];
    mesh.previews.set("a", { succeeded: true, steps: [...needed, certificate] });
  });

  test("--yes alone is refused as wrong usage, with both ways to consent; the plan is shown", async () => {
    await expect(run({ yes: true })).rejects.toThrow(
      new UsageError(
        "a: pulumi up would also apply pending changes that are not part of the removal; nothing was changed. " +
          "Apply them first with npx spire-federation up a, or pass --apply-pending",
      ),
    );
    expect(notes).toContain("update Certificate tls");
    expect([mesh.ran, await mesh.peers("a")]).toEqual([[], ["b", "c"]]);
  });

  test("--apply-pending is the consent", async () => {
    await run({ yes: true, applyPending: true });
    expect([mesh.ran.sort(), questions]).toEqual([["a", "b", "c"], []]);
  });

  test("it asks for them by themselves, and a no changes nothing", async () => {
    await expect(run({}, "n", "y")).rejects.toThrow("cancelled; nothing was changed");
    expect([mesh.ran, questions]).toEqual([[], ["Also apply the pending changes of a? [y/N] "]]);
    questions = [];
    await run({}, "y", "y");
    expect(questions).toEqual(["Also apply the pending changes of a? [y/N] ", "Proceed? [y/N] "]);
    expect(mesh.ran.sort()).toEqual(["a", "b", "c"]);
  });
});
