/** `spire-federation remove` on clusters that are sets of trust domains; stack files are real ones. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import * as fc from "fast-check";
import { parse, stringify } from "yaml";
import type { Published } from "../../../mesh/pulumi/workspace";
import { EXIT } from "../../../mesh/kernel/exit";
import { Interrupted } from "../../../mesh/kernel/interruption";
import { readMembers } from "../../../mesh/members/members";
import { remove, type RemoveStacks } from "../../../mesh/remove/remove";
import { exitOf, printRemove, type Removal } from "../../../mesh/remove/result";
import { outputOf } from "../../../mesh/spire/serverExec";
import { serverProgram } from "../../../mesh/spire/serverProgram";
import { serverBy, type SpireServer } from "../../../mesh/spire/spireServer";
import type { Site, Traces } from "../../../mesh/remove/traces";
import type { PreviewOutcome, UpOutcome } from "../../../mesh/pulumi/outcomes";
import { id, stackOf } from "../members/given";

const PROJECT = "spire-federation";
const domain = (name: string): string => `${name}.example.com`;

const DONE: UpOutcome = { succeeded: true, changes: {}, restarted: false, recovered: [] };

interface Config {
  [key: `${string}:peers`]: string[];
}

class Mesh implements RemoveStacks {
  /** Members whose API server answers nothing. */
  readonly down = new Set<string>();
  /** Members whose SPIRE server's container has not the program that it is asked by. */
  readonly programless = new Set<string>();
  /** Members whose stacks cannot be read. */
  readonly unreadable = new Set<string>();
  /** Members whose up fails before it changes anything. */
  readonly broken = new Set<string>();
  /** After so many calls nothing gets through any more, as when mesh is killed. */
  callsLeft = Infinity;
  /** As when somebody interrupts the removal. */
  readonly stop = new AbortController();
  readonly ran: string[] = [];
  readonly bundles = new Map<string, Set<string>>();
  /** Trust domains for which a member has a ClusterFederatedTrustDomain. */
  readonly asked = new Map<string, Set<string>>();
  readonly users: Traces["users"] = [];
  readonly unlisted: string[] = [];
  private readonly outputs = new Map<string, Published>();
  private workspace: Workspace | undefined;

  private constructor(readonly dir: string) {}

  static async of(peers: Record<string, string[]>): Promise<Mesh> {
    const mesh = new Mesh(await mkdtemp(join(tmpdir(), "remove-")));
    for (const [name, list] of Object.entries(peers)) await mesh.write(name, list);
    for (const name of Object.keys(peers)) await mesh.up(id(name));
    mesh.ran.length = 0;
    return mesh;
  }

  async write(name: string, peers: string[]): Promise<void> {
    const config = { context: name, trustDomain: domain(name), peers };
    const keys = Object.entries(config).map(([key, value]) => [`${PROJECT}:${key}`, value]);
    await writeFile(this.file(name), stringify({ config: Object.fromEntries(keys) as Config }));
  }

  file(name: string): string {
    return join(this.dir, `Pulumi.${name}.yaml`);
  }

  async peers(name: string): Promise<string[]> {
    return (await this.settings(name)).config[`${PROJECT}:peers`] ?? [];
  }

  /** Somebody's bundle, wherever it is held. */
  holders(name: string): string[] {
    return [...this.bundles].flatMap(([member, held]) => (held.has(domain(name)) ? [member] : [])).sort();
  }

  async published(id: string): Promise<Published | undefined> {
    const name = stackOf(id);
    await this.alive();
    if (this.unreadable.has(name)) throw new Error(`${name} needs a passphrase`);
    return this.outputs.get(name);
  }

  async up(id: string): Promise<UpOutcome> {
    const name = stackOf(id);
    await this.alive();
    this.ran.push(name);
    if (this.down.has(name) || this.broken.has(name))
      return { succeeded: false, errors: [`${name} is broken`], recovered: [] };
    const peers = await this.peers(name);
    this.asked.set(name, new Set(peers.map(domain)));
    this.bundles.set(name, new Set([...(this.bundles.get(name) ?? []), ...peers.map(domain)]));
    const trusted = peers.map((peer): [string, Published["peers"][string]] => [
      peer,
      { trustDomain: domain(peer), fingerprints: [] },
    ]);
    this.outputs.set(name, { pendingPeers: [], peers: Object.fromEntries(trusted) });
    return DONE;
  }

  /** What an up of each stack would do besides. */
  readonly pending = new Map<string, PreviewOutcome>();

  preview(id: string): Promise<PreviewOutcome> {
    return Promise.resolve(this.pending.get(stackOf(id)) ?? { succeeded: true, steps: [] });
  }

  destroy(id: string): Promise<UpOutcome> {
    const name = stackOf(id);
    this.ran.push(`destroy ${name}`);
    this.outputs.set(name, { pendingPeers: [], peers: {} });
    return Promise.resolve(DONE);
  }

  async remove(
    name: string,
    {
      destroy = false,
      agree = true,
      asking,
    }: { destroy?: boolean; agree?: boolean; asking?: (plan: string) => Promise<void> } = {},
  ): Promise<Removal> {
    const workspace = this.openWorkspace();
    return remove(name, await readMembers(workspace), destroy, {
      workspace,
      stacks: this,
      site: ({ context = "" }) => this.site(context),
      parallel: 3,
      signal: this.stop.signal,
      note: () => undefined,
      agree: async (plan) => {
        await asking?.(plan);
        return agree;
      },
    });
  }

  private alive(): Promise<void> {
    return this.callsLeft-- > 0 ? Promise.resolve() : Promise.reject(new Error("killed"));
  }

  private site(name: string): Site {
    const reached = async <T>(value: () => T): Promise<T> => {
      await this.alive();
      if (this.down.has(name)) throw new Error(`${name} does not answer`);
      if (this.programless.has(name)) await serverWithout(name).bundles();
      return value();
    };
    const held = (): Set<string> => this.bundles.get(name) ?? new Set();
    const asked = (): Set<string> => this.asked.get(name) ?? new Set();
    return {
      traces: () =>
        reached(() => ({
          bundles: [...held()],
          relationships: [],
          asked: [...asked()].map((trustDomain) => ({ object: "ClusterFederatedTrustDomain x", trustDomain })),
          users: this.users,
          unlisted: this.unlisted,
        })),
      polls: (trustDomain) => reached(() => asked().has(trustDomain)),
      forget: (trustDomain) => reached(() => void held().delete(trustDomain)),
    };
  }

  private async settings(name: string): Promise<{ config: Config }> {
    return parse(await readFile(this.file(name), "utf8")) as { config: Config };
  }

  private openWorkspace(): Workspace {
    this.workspace ??= {
      workDir: this.dir,
      projectSettings: () => Promise.resolve({ name: PROJECT, runtime: "nodejs", backend: { url: "file://~" } }),
      pulumiCommand: { command: "false" },
    } as Partial<Workspace> as Workspace;
    return this.workspace;
  }
}

/** A SPIRE server whose container says what CRI-O says of a program that isn't there. */
const serverWithout = (context: string): SpireServer =>
  serverBy(
    serverProgram({ context }, (program) => {
      const err = `executable file \`${program}\` not found: No such file or directory`;
      const details = { causes: [{ reason: "ExitCode", message: "1" }] };
      const status = { status: "Failure", reason: "NonZeroExitCode", details };
      return Promise.resolve().then(() => outputOf(context, program, { status, out: "", err }));
    }),
  );

let mesh: Mesh;
const full = { a: ["b", "c"], b: ["a", "c"], c: ["a", "b"] };

beforeEach(async () => {
  mesh = await Mesh.of(full);
});

afterEach(() => rm(mesh.dir, { recursive: true }));

const states = ({ members, leaver }: Removal): string[] =>
  [...members, ...(leaver === undefined ? [] : [leaver])].map(({ member, state }) => `${member} ${state}`);

test("trust ends in both directions, and only there", async () => {
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.fine);
  expect(states(result)).toEqual(["a clean", "b clean", "c clean"]);
  expect(result.files).toEqual(["Pulumi.a.yaml", "Pulumi.b.yaml", "Pulumi.c.yaml"]);
  expect(mesh.holders("c")).toEqual([]);
  expect([...(mesh.bundles.get("c") ?? [])]).toEqual([]);
  expect(await Promise.all(["a", "b", "c"].map((name) => mesh.peers(name)))).toEqual([["b"], ["a"], []]);
  expect(mesh.holders("a")).toEqual(["b"]);
});

test("a second run finds nothing to do, and says so of everybody", async () => {
  await mesh.remove("c");
  mesh.ran.length = 0;
  const again = await mesh.remove("c");
  expect([exitOf(again), mesh.ran, again.files]).toEqual([EXIT.fine, [], []]);
  expect(states(again)).toEqual(["a clean", "b clean", "c clean"]);
});

test("nothing is changed without a yes", async () => {
  await expect(mesh.remove("c", { agree: false })).rejects.toThrow("nothing was changed");
  expect([mesh.ran, await mesh.peers("a"), mesh.holders("c")]).toEqual([[], ["b", "c"], ["a", "b"]]);
});

test("a peer that cannot be reached is named as still trusting, and a re-run finishes", async () => {
  mesh.down.add("a");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(printRemove(result)).toMatch(/^a +still trusts c\.example\.com/m);
  expect(printRemove(result)).toMatch(/a: a does not answer/);
  expect(mesh.holders("c")).toEqual(["a"]);

  mesh.down.clear();
  expect(exitOf(await mesh.remove("c"))).toBe(EXIT.fine);
  expect(mesh.holders("c")).toEqual([]);
});

test("of a SPIRE server that cannot be asked, for want of its program, clean is not said", async () => {
  mesh.programless.add("a");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(printRemove(result)).toMatch(/^a: .*has none of \/spire-server and \/opt\/spire\/bin\/spire-server/m);
});

test("a bundle that was left behind is found, though neither file nor stack know of it any more", async () => {
  await mesh.write("a", ["b"]);
  await mesh.up("a");
  mesh.ran.length = 0;
  expect(mesh.holders("c")).toEqual(["a", "b"]);
  const result = await mesh.remove("c");
  expect(result.members[0]).toMatchObject({ member: "a", state: "clean", did: ["bundle of c.example.com deleted"] });
  expect(mesh.ran).not.toContain("a");
});

test("a member whose stack cannot be read costs the others nothing, is not run, and is named", async () => {
  mesh.unreadable.add("a");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(mesh.ran).not.toContain("a");
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(result.members[0]?.errors[0]).toMatch(/a needs a passphrase/);
  expect(mesh.holders("c")).toEqual(["a"]);

  mesh.unreadable.clear();
  expect(exitOf(await mesh.remove("c"))).toBe(EXIT.fine);
  expect(mesh.holders("c")).toEqual([]);
});

test("a leaver whose stack cannot be read is not destroyed", async () => {
  mesh.unreadable.add("c");
  const result = await mesh.remove("c", { destroy: true });
  expect([result.destroyed, exitOf(result)]).toEqual([false, EXIT.findings]);
  expect(mesh.ran).not.toContain("destroy c");
});

test("a member that is gone for good is removed; that it was not asked is said and is no failure of the others", async () => {
  mesh.down.add("c");
  const result = await mesh.remove("c", { destroy: true });
  expect(exitOf(result)).toBe(EXIT.unknown);
  expect(states(result)).toEqual(["a clean", "b clean", "c still trusts"]);
  expect(mesh.ran).not.toContain("destroy c");
  expect(printRemove(result)).toMatch(/c cannot be asked.*pulumi stack rm c --force/);
});

test("a member whose file is gone is removed by what the others know of it", async () => {
  await rm(mesh.file("c"));
  const result = await mesh.remove("c");
  expect([exitOf(result), result.trustDomain, result.leaver]).toEqual([EXIT.fine, "c.example.com", undefined]);
  expect(mesh.holders("c")).toEqual([]);
  expect(await mesh.peers("b")).toEqual(["a"]);
});

test("an up that fails after it has ended the trust is a failed member, and a clean one", async () => {
  mesh.broken.add("a");
  mesh.asked.get("a")?.delete("c.example.com");
  const result = await mesh.remove("c");
  expect(exitOf(result)).toBe(EXIT.findings);
  expect(result.members[0]).toMatchObject({ state: "clean", errors: ["a is broken"] });
  expect(mesh.holders("c")).toEqual([]);
});

test("what asks for the bundle beside the stack keeps it, and is named", async () => {
  await mesh.remove("c");
  mesh.asked.get("a")?.add("c.example.com");
  mesh.bundles.get("a")?.add("c.example.com");
  mesh.broken.add("a");
  const result = await mesh.remove("c");
  expect(states(result)).toEqual(["a still trusts", "b clean", "c clean"]);
  expect(result.members[0]?.errors).toEqual(["a is broken", "ClusterFederatedTrustDomain x asks for c.example.com"]);
  expect(mesh.holders("c")).toEqual(["a"]);
});

test("--destroy comes last, only once, and builds nothing first", async () => {
  const result = await mesh.remove("c", { destroy: true });
  expect(mesh.ran.at(-1)).toBe("destroy c");
  expect([result.destroyed, exitOf(result)]).toEqual([true, EXIT.fine]);
  expect(printRemove(result)).toMatch(/delete Pulumi\.c\.yaml and run pulumi stack rm c/);
  mesh.ran.length = 0;
  await mesh.remove("c", { destroy: true });
  expect(mesh.ran).toEqual(["destroy c"]);
});

test("workloads that name the trust domain are warned about", async () => {
  mesh.users.push({ object: "ClusterSPIFFEID shop", trustDomain: "c.example.com" });
  const result = await mesh.remove("c");
  expect(printRemove(result)).toMatch(/a: warning: ClusterSPIFFEID shop names c\.example\.com in federatesWith/);

  mesh.unlisted.push("ClusterStaticEntry");
  const unsure = await mesh.remove("c");
  expect([exitOf(unsure), printRemove(unsure)]).toEqual([
    EXIT.fine,
    expect.stringMatching(/a: warning: .*ClusterStaticEntry/),
  ]);
});

test("whatever is down, broken or killed, clean is said of nobody who holds the bundle, and the next run finishes", async () => {
  const some = fc.subarray(["a", "b", "c"]);
  const peers = fc.record({ a: fc.subarray(["b", "c"]), b: fc.subarray(["a", "c"]), c: fc.subarray(["a", "b"]) });
  const calls = fc.oneof(fc.constant(Infinity), fc.nat(30));
  await fc.assert(
    fc.asyncProperty(peers, some, some, calls, async (graph, down, broken, callsLeft) => {
      const one = await Mesh.of(graph);
      down.forEach((name) => one.down.add(name));
      broken.forEach((name) => one.broken.add(name));
      one.callsLeft = callsLeft;
      const first = await one.remove("c").catch(() => undefined);
      for (const { member, state } of first?.members ?? [])
        expect(state === "clean" && one.holders("c").includes(member)).toBe(false);
      for (const name of first === undefined ? [] : down)
        expect(states(first as Removal)).toContain(`${name} still trusts`);

      one.callsLeft = Infinity;
      one.down.clear();
      one.broken.clear();
      expect(exitOf(await one.remove("c"))).toBe(EXIT.fine);
      expect(one.holders("c")).toEqual([]);
      expect([...(one.bundles.get("c") ?? [])]).toEqual([]);
      await rm(one.dir, { recursive: true });
    }),
    { numRuns: 60 },
  );
});

test("a leaver is clean when it trusts nobody at all, hand-made trust and other projects included", async () => {
  mesh.bundles.get("c")?.add("far.other-project.example.com");
  const result = await mesh.remove("c");
  expect(result.leaver?.state).toBe("clean");
  expect(result.leaver?.trustDomains).toContain("far.other-project.example.com");
  expect([...(mesh.bundles.get("c") ?? [])]).toEqual([]);
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

test("what the ups apply besides is in the plan that is agreed to", async () => {
  const step = { op: "replace", type: "kubernetes:cert-manager.io/v1:Certificate", name: "tls" };
  mesh.pending.set("a", { succeeded: true, steps: [step] });
  mesh.pending.set("b", { succeeded: false, errors: ["no passphrase"] });
  let plan = "";
  await mesh.remove("c", {
    asking: (text) => {
      plan = text;
      return Promise.resolve();
    },
  });
  expect(plan).toContain("the up also applies pending changes: replace Certificate tls");
  expect(plan).toContain("what else the up of b changes is not known: no passphrase");
});

test("after a signal no file is changed and nothing is run or deleted", async () => {
  const before = await readFile(mesh.file("a"), "utf8");
  mesh.stop.abort(new Interrupted());
  await expect(mesh.remove("c")).rejects.toThrow(Interrupted);
  expect(await readFile(mesh.file("a"), "utf8")).toBe(before);
  expect(mesh.ran).toEqual([]);
  expect(mesh.holders("c")).toEqual(["a", "b"]);
});
