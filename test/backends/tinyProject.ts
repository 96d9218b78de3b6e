/** A project with tiny stacks, and the command and Pulumi in it, as real processes. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";

const ROOT = join(__dirname, "..", "..");
export const run = promisify(execFile);

export interface Done {
  code: number | null;
  out: string;
  err: string;
}

/** What the program of a stack publishes, and how tests hold it up: an update waits as long as the file `hold` is there. */
const PROGRAM = `
const { existsSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");
const config = new pulumi.Config();
module.exports = async () => {
  while (!pulumi.runtime.isDryRun() && existsSync(__dirname + "/hold")) await new Promise((resolve) => setTimeout(resolve, 100));
  const peers = {};
  const pendingPeers = [];
  for (const name of config.getObject("peers") ?? []) {
    const stack = name.split("/").at(-1);
    const id = pulumi.getOrganization() + "/" + pulumi.getProject() + "/" + stack;
    const told = await new pulumi.StackReference(id).getOutputValue("federation");
    const object = stack.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    if (told) peers[object] = { trustDomain: told.trustDomain, fingerprints: [] };
    else pendingPeers.push(object);
  }
  const trustDomain = config.require("trustDomain");
  const federation = { version: 1, trustDomain, bundleEndpointUrl: "https://" + trustDomain, profile: "https_web" };
  const run = Date.now(); // something else each time, so that no up passes over it
  return { federation, peers, pendingPeers, probe: config.get("probe"), run };
};
`;

export class TinyProject {
  protected constructor(
    readonly dir: string,
    readonly env: NodeJS.ProcessEnv,
    /** Where the backend's `.pulumi` is. */
    private readonly backend: string,
  ) {}

  /** With its state in a folder, and with records of locks of its own. */
  static async inFolder(): Promise<TinyProject> {
    const dir = await mkdtemp(join(tmpdir(), "folder-"));
    const backend = join(dir, "state");
    await mkdir(backend);
    const env = {
      ...(await environment(dir)),
      PULUMI_BACKEND_URL: `file://${backend}`,
      XDG_STATE_HOME: join(dir, "records"),
    };
    const project = new TinyProject(dir, env, backend);
    await project.make();
    return project;
  }

  async close(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  get project(): string {
    return join(this.dir, "project");
  }

  /** A stack with a file of its own. */
  async write(stack: string, trustDomain: string, ...peers: string[]): Promise<void> {
    const keys = { context: stack, trustDomain, peers };
    const config = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`spire-federation:${key}`, value]));
    await writeFile(join(this.project, `Pulumi.${stack}.yaml`), stringify({ config }));
  }

  /** Runs the command as people do. */
  start(args: readonly string[], env = this.env): ChildProcess {
    return spawn(process.execPath, [join(ROOT, "dist", "mesh", "cli", "start.js"), ...args, "--cwd", this.project], {
      env,
      detached: true, // a group of its own, to be killed as one
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async command(...args: string[]): Promise<Done> {
    return done(this.start(args));
  }

  async pulumi(...args: string[]): Promise<string> {
    const command = join(ROOT, "node_modules", ".bin", "pulumi");
    return (await run(command, [...args, "--non-interactive"], { cwd: this.project, env: this.env })).stdout;
  }

  /** Holds every program up until it is let go. */
  async hold(): Promise<void> {
    await writeFile(join(this.project, "hold"), "");
  }

  async letGo(): Promise<void> {
    await rm(join(this.project, "hold"), { force: true });
  }

  /** Names of the files or objects below a prefix. */
  async objects(...prefix: string[]): Promise<string[]> {
    return readdir(this.path(...prefix)).catch(() => []);
  }

  /** How many locks are recorded as those of the command. */
  async records(): Promise<number> {
    const folder = join(this.env["XDG_STATE_HOME"] ?? "", "spire-federation", "locks");
    return (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(".json")).length;
  }

  path(...prefix: string[]): string {
    return join(this.backend, ".pulumi", ...prefix);
  }

  protected async make(): Promise<void> {
    await mkdir(this.project);
    const project = {
      name: "spire-federation",
      runtime: { name: "nodejs", options: { typescript: false } },
      main: "index.js",
      config: { probe: { type: "string", default: "machine" } },
    };
    await writeFile(join(this.project, "Pulumi.yaml"), stringify(project));
    await writeFile(join(this.project, "index.js"), PROGRAM);
    await writeFile(join(this.project, "package.json"), JSON.stringify({ name: "tiny", main: "index.js" }));
    await symlink(join(ROOT, "node_modules"), join(this.project, "node_modules"));
  }
}

/** Of all of them, with one passphrase from a file. */
export async function environment(dir: string): Promise<NodeJS.ProcessEnv> {
  const home =
    process.env["PULUMI_HOME"] ?? join((await run(join(ROOT, "lab", "toolchain", "build"))).stdout.trim(), "pulumi");
  await writeFile(join(dir, "passphrase"), "of all stacks\n");
  return {
    ...process.env,
    PULUMI_CONFIG_PASSPHRASE: undefined,
    PULUMI_HOME: home,
    PULUMI_VERSION: (await readdir(join(home, "versions")))[0], // the CLI that is there; npm's package is of an older one
    PULUMI_CONFIG_PASSPHRASE_FILE: join(dir, "passphrase"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

export async function done(child: ChildProcess): Promise<Done> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr?.on("data", (text: Buffer) => (err += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}
