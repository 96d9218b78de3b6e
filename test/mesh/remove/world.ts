/** A mesh whose clusters are sets of trust domains, for `spire-federation remove`; stack files are real ones. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workspace } from "@pulumi/pulumi/automation";
import { parse, stringify } from "yaml";
import type { Published } from "../../../mesh/pulumi/workspace";
import { readMembers } from "../../../mesh/members/members";
import { type RemovalPlan, remove, type RemoveStacks } from "../../../mesh/remove/remove";
import type { Removal } from "../../../mesh/remove/result";
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

export class Mesh implements RemoveStacks {
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
  /** Trust domains that somebody else has listed in a member's SpireServer. */
  readonly listed = new Map<string, string[]>();
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

  async write(name: string, peers: readonly unknown[], more: object = {}): Promise<void> {
    const config = { context: name, trustDomain: domain(name), peers, ...more };
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

  /** What the removal says that it has changed. */
  readonly changed: string[] = [];

  /** What a preview of each stack shows. */
  readonly previews = new Map<string, PreviewOutcome>();
  /** With which text in place of its file each stack was previewed. */
  readonly previewed = new Map<string, string | undefined>();

  preview(id: string, file?: string): Promise<PreviewOutcome> {
    this.previewed.set(stackOf(id), file);
    return Promise.resolve(this.previews.get(stackOf(id)) ?? { succeeded: true, steps: [] });
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
    }: { destroy?: boolean; agree?: boolean; asking?: (plan: RemovalPlan) => Promise<void> } = {},
  ): Promise<Removal> {
    const workspace = this.openWorkspace();
    return remove(name, await readMembers(workspace), destroy, {
      workspace,
      stacks: this,
      site: ({ context = "" }) => this.site(context),
      parallel: 3,
      signal: this.stop.signal,
      note: () => undefined,
      did: (what) => this.changed.push(what),
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
          asked: [
            ...[...asked()].map((trustDomain) => ({ object: "ClusterFederatedTrustDomain x", trustDomain })),
            ...(this.listed.get(name) ?? []).map((trustDomain) => ({ object: "SpireServer cluster", trustDomain })),
          ],
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

  openWorkspace(): Workspace {
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

export const full = { a: ["b", "c"], b: ["a", "c"], c: ["a", "b"] };

export const states = ({ members, leaver }: Removal): string[] =>
  [...members, ...(leaver === undefined ? [] : [leaver])].map(({ member, state }) => `${member} ${state}`);
