/** `up` as a conversation: the plan, the question, and that nothing else than the plan is run. */
import type { Looked } from "../../../mesh/kernel/looked";
import type { ServerSight } from "../../../mesh/spire/serverSight";
import type { WorkloadsThere } from "../../../mesh/spire/federating";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { Context, Session } from "../../../mesh/cli/context";
import { upCommand } from "../../../mesh/cli/changeDeclarations";
import { previewCommand } from "../../../mesh/cli/inspectDeclarations";
import { documentOf } from "../../../mesh/cli/json";
import { UsageError } from "../../../mesh/kernel/exit";
import { uninterrupted } from "../../../mesh/kernel/interruption";
import type { MeshMember } from "../../../mesh/members/members";
import type { DetailedStep } from "../../../mesh/pulumi/events";
import type { Published } from "../../../mesh/pulumi/workspace";
import type { FirstRoots } from "../../../mesh/spire/firstRoots";
import type { Approved } from "../../../stacks/approved";
import type { Contract } from "../../../stacks/contract";
import { configOf, SELF } from "../../stacks/fixtures";
import { id, memberOf, stackOf } from "../members/given";

const contract = (name: string): Contract => ({
  version: 1,
  trustDomain: `apps.${name}.example.com`,
  bundleEndpointUrl: `https://federation.apps.${name}.example.com`,
  profile: "https_web",
});

const SETTLED: Looked<ServerSight> = { seen: { revision: "1", trusts: ["theirs.example.org"] } };

const made: World[] = [];
afterEach(() => {
  for (const { dir } of made.splice(0)) rmSync(dir, { recursive: true });
});

/** A mesh in memory: a run publishes an endpoint, and trusts whoever has published one before. */
class World {
  readonly members: MeshMember[];
  readonly published = new Map<string, Published>();
  readonly steps = new Map<string, DetailedStep[]>();
  /** Members with what an interrupted run has left, and members whose outputs become others. */
  readonly unsettled = new Set<string>();
  readonly otherOutputs = new Set<string>();
  /** Members whose preview fails. */
  readonly refused = new Set<string>();
  workloads: Looked<WorkloadsThere> = { seen: { asked: [], objects: [], unlisted: [] } };
  /** The SPIRE server of a, and what a run makes of it. */
  server: Looked<ServerSight> = SETTLED;
  serverAfter: Looked<ServerSight> | undefined;
  readonly dir = mkdtempSync(join(tmpdir(), "plan-"));
  roots: FirstRoots = { roots: ["ab12"], certificates: [] };
  /** What each member's last run was given. */
  readonly approved = new Map<string, Approved | undefined>();
  domainOfC = "apps.c.example.com";
  urlOfC = contract("c").bundleEndpointUrl;
  readonly did: string[] = [];
  notes = "";
  answers: string[] = [];
  readonly questions: string[] = [];

  constructor(...names: string[]) {
    made.push(this);
    this.members = names.map((name) =>
      memberOf(
        configOf(
          { trustDomain: `apps.${name}.example.com`, peers: names.filter((peer) => peer !== name) },
          { ...SELF, stack: name },
        ),
      ),
    );
  }

  /** Published, and trusting these. */
  has(name: string, ...trusts: string[]): void {
    const peers = trusts.map(
      (peer) => [peer, { trustDomain: `apps.${peer}.example.com`, fingerprints: [] as string[] }] as const,
    );
    const federation = {
      ...contract(name),
      ...(name === "c" && { trustDomain: this.domainOfC, bundleEndpointUrl: this.urlOfC }),
    };
    this.published.set(id(name), { federation, pendingPeers: [], peers: Object.fromEntries(peers) });
  }

  private run(stack: string): void {
    if (stackOf(stack) === "a") this.server = this.serverAfter ?? this.server;
    const member = this.members.find((one) => one.id === stack);
    const there = (member?.config.peers ?? []).filter(({ id }) => this.published.get(id)?.federation);
    this.has(stackOf(stack), ...there.map(({ name }) => name));
    this.did.push(`up ${stackOf(stack)}`);
  }

  private context(): Context {
    const stacks = {
      judgedBy: (policyPack: string | undefined) => {
        if (policyPack !== undefined) this.did.push(`judged by ${policyPack}`);
        return stacks;
      },
      published: (stack: string) => Promise.resolve(this.published.get(stack)),
      make: (stack: string) => {
        this.did.push(`make ${stackOf(stack)}`);
        this.published.set(stack, { pendingPeers: [], peers: {} });
        return Promise.resolve(stackOf(stack));
      },
      up: (stack: string, approved?: Approved) => {
        this.approved.set(stackOf(stack), approved);
        this.run(stack);
        return Promise.resolve({ succeeded: true, changes: {}, restarted: false, recovered: [] });
      },
      preview: (stack: string) => {
        this.did.push(`preview ${stackOf(stack)}`);
        if (this.refused.has(stackOf(stack)))
          return Promise.resolve({ succeeded: false, errors: [`${stackOf(stack)} cannot be previewed`] });
        const outputsChange = this.otherOutputs.has(stackOf(stack));
        return Promise.resolve({ succeeded: true, steps: this.steps.get(stackOf(stack)) ?? [], outputsChange });
      },
      roots: () => Promise.resolve(this.roots),
      ownRoots: () => Promise.resolve([]),
      workloads: () => Promise.resolve(this.workloads),
      server: ({ name }: MeshMember) => Promise.resolve(name === "a" ? this.server : SETTLED),
      isSettled: (stack: string) => Promise.resolve(!this.unsettled.has(stackOf(stack))),
    };
    const workspace = { workDir: this.dir, projectSettings: () => Promise.resolve({ name: SELF.project }) };
    const session = { members: this.members, stacks, workspace, interruption: uninterrupted } as unknown as Session;
    return {
      open: () => Promise.resolve(session),
      note: (line) => (this.notes += `${line}\n`),
      did: (what) => (this.notes += `${what}\n`),
      dir: ".",
      signal: new AbortController().signal,
      made: () => () => undefined,
      redraw: () => undefined,
      ask: (question) => {
        this.questions.push(question);
        return Promise.resolve(this.answers.shift() ?? "");
      },
    };
  }

  up({ yes = false, ...more }: { yes?: boolean; policyPack?: string; approved?: string } = {}) {
    const flags = { yes, parallel: 2, ...more };
    return upCommand.start(this.context(), [], { opts: (() => flags) as Command["opts"] });
  }

  preview(flags: { expectNoChanges?: boolean; savePlan?: string } = {}) {
    const all = { parallel: 2, ...flags };
    return previewCommand.start(this.context(), [], { opts: (() => all) as Command["opts"] });
  }

  /** What `preview -o json` prints now, in a file. */
  async plan(): Promise<string> {
    const { report, exit } = await this.preview();
    const file = join(this.dir, "plan.json");
    writeFileSync(file, documentOf(report, exit));
    return file;
  }

  get runs(): string[] {
    return this.did.filter((what) => !what.startsWith("preview"));
  }
}

const update: DetailedStep = {
  op: "update",
  type: "kubernetes:operator.openshift.io/v1alpha1:SpireServer",
  name: "server",
};

const route = (op: string): DetailedStep => ({ op, type: "kubernetes:route.openshift.io/v1:Route", name: "web" });
const certificate: DetailedStep = { op: "delete", type: "kubernetes:cert-manager.io/v1:Certificate", name: "tls" };

/** Two members that trust each other, and one that both are to trust. */
function grown(): World {
  const world = new World("a", "b", "c");
  world.has("a", "b");
  world.has("b", "a");
  world.has("c");
  for (const name of ["a", "b", "c"]) world.steps.set(name, [update]);
  return world;
}

test("what is approved is run", async () => {
  const world = grown();
  world.answers = ["y"];
  expect((await world.up()).exit).toBe(0);
  expect(world.notes).toContain(
    "+ a, b will trust apps.c.example.com (c) at https://federation.apps.c.example.com; root sha256 ab12\n",
  );
  expect(world.questions).toEqual(["Proceed with 3 members? [y/N/d = details] "]);
  expect([...world.runs].sort()).toEqual(["up a", "up b", "up c"]);
});

test("a run gets the keys that were shown and approved, of new peers alone, since it fetches the bundles itself", async () => {
  const world = grown();
  world.answers = ["y"];
  world.roots = { roots: ["ab12"], jwtKeys: [{ id: "k", fingerprint: "cd34" }], certificates: [] };
  await world.up();
  const c = { bundleEndpointUrl: world.urlOfC, keys: ["ab12", "cd34"] };
  expect(world.approved.get("a")).toEqual({ "apps.c.example.com": c });
  expect(Object.keys(world.approved.get("c") ?? {})).toEqual(["apps.a.example.com", "apps.b.example.com"]);
  const unasked = grown();
  await unasked.up({ yes: true });
  expect(unasked.approved.get("a")).toBeUndefined();
});

test.each(["", "n", "no", "Y E S", "yes please"])("the answer %j is a no", async (answer) => {
  const world = grown();
  world.answers = [answer];
  await expect(world.up()).rejects.toThrow(new UsageError("cancelled; nothing was changed"));
  expect(world.runs).toEqual([]);
});

test("details are shown, and it asks again", async () => {
  const world = grown();
  world.answers = ["d", "n"];
  await expect(world.up()).rejects.toThrow("cancelled");
  expect(world.notes).toMatch(/^ {4}update {2}SpireServer server$/m);
  expect(world.questions).toHaveLength(2);
});

test("--yes skips the question, never the plan", async () => {
  const world = grown();
  expect((await world.up({ yes: true })).exit).toBe(0);
  expect(world.notes).toContain(
    "+ a, b will trust apps.c.example.com (c) at https://federation.apps.c.example.com; root sha256 ab12\n",
  );
  expect([world.questions, [...world.runs].sort()]).toEqual([[], ["up a", "up b", "up c"]]);
});

test("the plan says where trust goes one way", async () => {
  const world = grown();
  for (const peer of world.members[0]?.config.peers ?? []) if (peer.name === "c") peer.oneWay = true;
  const { text } = await world.up({ yes: true });
  expect(text + world.notes).toContain(
    "+ a will trust apps.c.example.com (c) one way at https://federation.apps.c.example.com; root sha256 ab12\n",
  );
});

test("the plan says what it does to workloads", async () => {
  const world = grown();
  const shop = { object: "ClusterSPIFFEID shop", pods: 2, trustDomains: ["apps.c.example.com"] };
  const objects = [shop, { ...shop, trustDomains: ["elsewhere"] }];
  world.workloads = { seen: { asked: [], objects, unlisted: [] } };
  const { text } = await world.up({ yes: true });
  expect(text + world.notes).toMatch(/^Workloads\n {2}\+ a, b: ClusterSPIFFEID shop \(2 pods\) will get identities/m);
  expect(text + world.notes).toMatch(/^Warnings\n {2}! a, b, c: ClusterSPIFFEID shop \(2 pods\) gets no identities/m);
});

test("the plan says where it is not known what it does to workloads", async () => {
  const world = grown();
  world.workloads = { because: "no answer within 10 s" };
  const { text } = await world.up({ yes: true });
  expect(text + world.notes).toMatch(
    /^Workloads\n {2}\? a, b, c: effect on workloads unknown: no answer within 10 s$/m,
  );
});

describe.each([true, false])("with --yes: %j, where nothing is to change", (yes) => {
  const settled = (): World => {
    const world = new World("a", "b");
    world.has("a", "b");
    world.has("b", "a");
    return world;
  };

  test("it says so, doesn't ask, and runs nobody", async () => {
    const world = settled();
    const { exit, text } = await world.up({ yes });
    expect([exit, world.questions, world.runs]).toEqual([0, [], []]);
    expect(world.notes).toContain("nothing to change");
    expect(text).toMatch(/^a +complete +0 +0 +none$/m);
  });

  test("a member with what an interrupted run has left runs all the same, and the plan says why", async () => {
    const world = settled();
    world.unsettled.add("b");
    world.answers = ["y"];
    expect((await world.up({ yes })).exit).toBe(0);
    expect(world.notes).toMatch(/^Interrupted runs\n {2}b: /m);
    expect(world.runs).toEqual(["up b"]);
  });

  test("so does one that publishes something else, which Pulumi counts as no change", async () => {
    const world = settled();
    world.otherOutputs.add("a");
    world.answers = ["y"];
    expect((await world.up({ yes })).exit).toBe(0);
    expect(world.notes).toMatch(/^Resources\n {2}a {2}none, only its outputs change$/m);
    expect(world.runs).toEqual(["up a"]);
  });
});

describe("where nothing is to change, and so nobody is asked, nobody runs with what was not shown:", () => {
  /** a trusts these peers, which run elsewhere. */
  const settled = (...peers: string[]): World => {
    const world = new World("a", ...peers);
    world.members.splice(1);
    world.has("a", ...peers);
    for (const peer of peers) world.has(peer, "a");
    return world;
  };
  /** As when c's stack is run elsewhere once the plan is made. */
  const thenC = (world: World, happens: () => void): void => {
    const get = world.published.get.bind(world.published);
    let reads = 0;
    world.published.get = (stack) => {
      if (stack === id("c") && ++reads === 2) happens();
      return get(stack);
    };
  };
  const moves = (world: World) => () => {
    world.urlOfC = "https://elsewhere.example.com";
    world.has("c", "a");
    world.steps.set("a", [{ ...route("replace"), name: "c-trust" }]);
  };

  test.each([false, true])("a peer at another URL, with an approved plan: %j", async (withPlan) => {
    const world = settled("b", "c");
    const approved = withPlan ? { approved: await world.plan() } : {};
    thenC(world, moves(world));
    const { exit, text } = await world.up(approved);
    expect([exit, world.questions, world.runs]).toEqual([1, [], []]);
    expect(text).toMatch(/^a: the plan changed since it was approved: it would also replace Route c-trust\./m);
  });

  test("a peer of the same run at another URL, since no run of it was approved", async () => {
    const world = new World("a", "c");
    world.has("a", "c");
    world.has("c", "a");
    thenC(world, moves(world));
    const { exit } = await world.up();
    expect([exit, world.runs]).toEqual([1, []]);
  });

  test.each([false, true])("a peer that was pending, and is a member of the run: %j", async (isMember) => {
    const world = new World("a", "c");
    if (!isMember) world.members.splice(1);
    world.has("a");
    world.has("c", "a");
    const { peers = {} } = world.published.get(id("c")) ?? {};
    world.published.set(id("c"), { pendingPeers: [], peers });
    thenC(world, () => {
      world.has("c", "a");
    });
    const { exit, text } = await world.up();
    expect([exit, world.questions, world.runs]).toEqual([1, [], []]);
    expect(text).toContain("it would also trust apps.c.example.com (c)");
  });

  test("--yes accepts it", async () => {
    const world = settled("b", "c");
    thenC(world, moves(world));
    expect((await world.up({ yes: true })).exit).toBe(0);
    expect(world.runs).toEqual(["up a"]);
  });

  test("what a peer publishes anew and binds nobody is taken up", async () => {
    const world = settled("b", "c");
    thenC(world, () => {
      const { federation = contract("c") } = world.published.get(id("c")) ?? {};
      world.published.set(id("c"), { federation: { ...federation, roots: "others" }, pendingPeers: [], peers: {} });
    });
    const { exit } = await world.up();
    expect([exit, world.runs, world.approved.get("a")]).toEqual([0, ["up a"], {}]);
  });
});

test("a peer that is no member of the run and publishes only after the plan was approved is not trusted", async () => {
  const world = grown();
  world.members.pop();
  world.published.set(id("c"), { pendingPeers: [], peers: {} });
  world.answers = ["y"];
  const asked = world.questions.push.bind(world.questions);
  world.questions.push = (question) => {
    world.has("c");
    return asked(question);
  };
  const { exit, text } = await world.up();
  expect([exit, world.runs]).toEqual([1, []]);
  expect(text).toContain("it would also trust apps.c.example.com (c)");
});

test.each<[string, Looked<ServerSight>, number, string[]]>([
  ["another revision of its pods", { seen: { revision: "2", trusts: [] } }, 1, ["theirs.example.org"]],
  ["the same revision", { seen: { revision: "1", trusts: ["theirs.example.org", "new"] } }, 0, []],
  ["nobody who can say", { because: "no answer within 10 s" }, 0, []],
])(
  "the table counts restarts, and names trust that has ended, as the cluster shows it: %s",
  async (_, after, restarts, ended) => {
    const world = grown();
    world.serverAfter = after;
    const { report } = await world.up({ yes: true });
    expect(report).toMatchObject({ members: [{ member: "a", restarts, ended }, { restarts: 0, ended: [] }, {}] });
  },
);

test("members with nothing to change wait for the one that joins, and run once", async () => {
  const world = grown();
  world.published.delete(id("c"));
  world.published.set(id("c"), { pendingPeers: [], peers: {} });
  for (const name of ["a", "b"]) world.steps.delete(name);
  expect((await world.up({ yes: true })).exit).toBe(0);
  expect([world.runs[0], world.runs.slice(1).sort()]).toEqual(["up c", ["up a", "up b"]]);
});

test("a policy pack judges the plan and the runs", async () => {
  const world = grown();
  await world.up({ yes: true, policyPack: "dist/policy" });
  expect(world.did[0]).toBe("judged by dist/policy");
});

test("with a policy pack --yes does not run a member that is refused, since some rules are judged at the end of a run", async () => {
  const world = grown();
  world.refused.add("a");
  const { exit, text } = await world.up({ yes: true, policyPack: "dist/policy" });
  expect(exit).toBe(1);
  expect(world.runs).not.toContain("up a");
  expect(world.runs).toContain("up b");
  expect(text).toContain("a: a cannot be previewed");
});

test("stacks that are still to be made are in the plan by their trust, and made only after the yes", async () => {
  const world = new World("a", "b");
  world.has("a");
  await expect(world.up()).rejects.toThrow("cancelled");
  expect(world.did).toEqual([]);
  expect(world.notes).toContain("+ a will trust apps.b.example.com (b); its keys are not known before its endpoint");
  expect(world.notes).toContain("SPIRE server of a, b");
  world.answers = ["y"];
  expect((await world.up()).exit).toBe(0);
  expect(world.runs.slice(0, 1)).toEqual(["make b"]);
});

describe("a plan that was approved elsewhere", () => {
  test("is run without a question while it is the plan, and binds the run", async () => {
    const world = grown();
    const approved = await world.plan();
    world.workloads = { because: "texts are not what was approved" };
    const { exit } = await world.up({ approved });
    expect([exit, world.questions, [...world.runs].sort()]).toEqual([0, [], ["up a", "up b", "up c"]]);
    expect(world.approved.get("a")).toEqual({
      "apps.c.example.com": { bundleEndpointUrl: world.urlOfC, keys: ["ab12"] },
    });
  });

  test.each<[string, (world: World) => void, RegExp]>([
    ["another step", (world) => world.steps.set("a", [update, route("create")]), /^ {2}a: now create Route web$/m],
    ["a step less", (world) => world.steps.set("a", []), /^ {2}a: approved was update SpireServer server$/m],
    [
      "a loss",
      (world) => {
        world.has("a", "b", "d");
      },
      /^ {2}a: now no trust in apps\.d\.example\.com \(d\)$/m,
    ],
    [
      "a gain less",
      (world) => {
        world.has("a", "b", "c");
      },
      /^ {2}a: approved was trust in apps\.c\.example\.com/m,
    ],
    [
      "other keys",
      (world) => (world.roots = { roots: ["cd34"], certificates: [] }),
      /now trust in apps\.c\.example\.com \(c\) at https:\S+, cd34$/m,
    ],
    [
      "keys that were not known before",
      (world) => (world.roots = { rootsUnknown: "503" }),
      /approved was trust in apps\.c\.example\.com \(c\) at https:\S+, ab12$/m,
    ],
    [
      "another URL",
      (world) => {
        world.urlOfC = "https://elsewhere.example.com";
        world.has("c");
      },
      /now trust in apps\.c\.example\.com \(c\) at https:\/\/elsewhere\.example\.com, ab12$/m,
    ],
    [
      "an edited file",
      (world) => {
        writeFileSync(join(world.dir, "Pulumi.a.yaml"), "config: { more: peers }");
      },
      /^ {2}a: now config /m,
    ],
    ["other outputs", (world) => world.otherOutputs.add("a"), /^ {2}a: now other outputs$/m],
    ["a failing preview", (world) => world.refused.add("a"), /^ {2}a: now a preview that fails$/m],
    ["a member less", (world) => world.members.pop(), /^ {2}c: is in the approved plan, and not in this one$/m],
  ])("is refused, and nobody runs, with %s", async (_, change, said) => {
    const world = grown();
    const approved = await world.plan();
    change(world);
    const refusal = await world.up({ approved }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    expect((refusal as Error).message).toMatch(said);
    expect([world.questions, world.runs]).toEqual([[], []]);
  });

  test.each(["", "{}", "[]", '{"command": "up", "schema": 1, "members": []}', '{"command": "preview", "schema": 1}'])(
    "is refused when the file is none: %j",
    async (text) => {
      const world = grown();
      const approved = join(world.dir, "plan.json");
      writeFileSync(approved, text);
      await expect(world.up({ approved })).rejects.toThrow(UsageError);
      expect(world.runs).toEqual([]);
    },
  );

  test("is written by preview beside its text, too", async () => {
    const world = grown();
    const savePlan = join(world.dir, "saved.json");
    const { text } = await world.preview({ savePlan });
    expect(text).toContain("will trust");
    expect((await world.up({ approved: savePlan })).exit).toBe(0);
  });
});

/** Where an up has nothing to do. */
function settle(world: World): void {
  for (const name of ["a", "b", "c"]) world.has(name, ...["a", "b", "c"].filter((peer) => peer !== name));
  world.steps.clear();
}

test.each<[string, (world: World) => void, number, number]>([
  ["a change", () => undefined, 0, 1],
  ["nothing", settle, 0, 0],
  [
    "an interrupted run alone",
    (world) => {
      settle(world);
      world.unsettled.add("a");
    },
    0,
    1,
  ],
  ["what cannot be previewed", (world) => world.refused.add("a"), 1, 1],
  ["a cluster that cannot be read", (world) => (world.workloads = { because: "no answer" }), 3, 1],
  ["keys that cannot be read", (world) => (world.roots = { rootsUnknown: "503" }), 3, 1],
])("a preview with %s ends with the code of up's plan", async (_, change, code, expectingNone) => {
  const world = grown();
  change(world);
  expect((await world.preview()).exit).toBe(code);
  expect((await world.preview({ expectNoChanges: true })).exit).toBe(expectingNone);
});

describe("a member fails when it would do something else than was approved:", () => {
  test.each<[string, (world: World) => void, RegExp]>([
    [
      "roots that cannot be seen any more",
      (world) => (world.roots = { rootsUnknown: "503" }),
      /keys of apps\.c\.example\.com \(c\), which were shown, cannot be compared: 503/,
    ],
    [
      "the same roots at another URL",
      (world) => {
        world.urlOfC = "https://elsewhere.example.com";
        world.has("c");
      },
      /apps\.c\.example\.com \(c\) is at https:\/\/elsewhere\.example\.com now, and was at/,
    ],
    [
      "other roots",
      (world) => (world.roots = { roots: ["cd34"], certificates: [] }),
      /keys of apps\.c\.example\.com \(c\) are root sha256 cd34/,
    ],
    [
      "an edited file",
      (world) => {
        writeFileSync(join(world.dir, "Pulumi.a.yaml"), "config: { more: peers }");
      },
      /Pulumi\.a\.yaml was edited/,
    ],
    [
      "another trust domain",
      (world) => {
        world.domainOfC = "apps.evil.example.com";
        world.has("c");
      },
      /c is apps\.evil\.example\.com now, and was apps\.c\.example\.com/,
    ],
    ["a deletion", (world) => world.steps.set("a", [update, route("delete")]), /it would also delete Route web\./],
    [
      "a replacement of what was to be deleted",
      (world) => world.steps.set("a", [update, route("replace"), certificate]),
      /it would also replace Route web, delete Certificate tls\./,
    ],
    [
      "a replacement of a peer that is no member",
      (world) => world.steps.set("a", [{ ...route("replace"), name: "d-trust" }]),
      /it would also replace Route d-trust\./,
    ],
  ])("%s", async (_, change, error) => {
    const world = grown();
    world.answers = ["y"];
    const asked = world.questions.push.bind(world.questions);
    world.questions.push = (question) => {
      change(world);
      return asked(question);
    };
    const { exit, text } = await world.up();
    expect(exit).toBe(1);
    expect(text).toMatch(/^a: the plan changed since it was approved: /m);
    expect(text).toMatch(error);
    expect(world.runs).not.toContain("up a");
  });
});

test.each<[string, DetailedStep[], DetailedStep[]]>([
  ["losses that were in the plan", [route("delete"), certificate], [certificate]],
  ["other changes than losses", [], [{ ...route("create"), name: "other" }]],
  [
    "a member of the same plan that is fetched again, as when its run has changed its endpoint",
    [],
    [{ ...route("replace"), name: "b-trust" }],
  ],
])("a member runs with %s", async (_, before, after) => {
  const world = grown();
  world.steps.set("a", [update, ...before]);
  world.answers = ["y"];
  const asked = world.questions.push.bind(world.questions);
  world.questions.push = (question) => {
    world.steps.set("a", [update, ...after]);
    return asked(question);
  };
  expect((await world.up()).exit).toBe(0);
  expect(world.runs).toContain("up a");
});

test("a peer at another URL is bound as a new one is", async () => {
  const moved = (): World => {
    const world = new World("a", "c");
    world.has("a", "c");
    world.has("c", "a");
    world.steps.set("a", [update]);
    const object = "ClusterFederatedTrustDomain c-federation";
    const asked = [{ object, trustDomain: "apps.c.example.com", url: "https://before" }];
    world.workloads = { seen: { asked, objects: [], unlisted: [] } };
    world.answers = ["y"];
    return world;
  };
  const world = moved();
  expect((await world.up()).exit).toBe(0);
  expect(world.notes).toContain(
    "~ a will fetch the bundle of apps.c.example.com (c) anew, from https://federation.apps.c",
  );
  const c = { bundleEndpointUrl: world.urlOfC, keys: ["ab12"] };
  expect(world.approved.get("a")).toEqual({ "apps.c.example.com": c });
  const other = moved();
  const asked = other.questions.push.bind(other.questions);
  other.questions.push = (question) => {
    other.roots = { roots: ["cd34"], certificates: [] };
    return asked(question);
  };
  expect((await other.up()).text).toMatch(/^a: .*keys of apps\.c\.example\.com \(c\) are root sha256 cd34 now/m);
});

test("a member that can no longer be previewed is not run, and says why", async () => {
  const world = grown();
  world.answers = ["y"];
  const asked = world.questions.push.bind(world.questions);
  world.questions.push = (question) => {
    world.refused.add("a");
    return asked(question);
  };
  const { exit, text } = await world.up();
  expect([exit, [...world.runs].sort()]).toEqual([1, ["up b", "up c"]]);
  expect(text).toMatch(/^a: a cannot be previewed$/m);
});
