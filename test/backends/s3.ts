/** A real S3 server on loopback with one bucket, and a project with tiny stacks whose state is there. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stringify } from "yaml";

const ROOT = join(__dirname, "..", "..");
const run = promisify(execFile);

export interface Done {
  code: number | null;
  out: string;
  err: string;
}

/** What the program of a stack publishes, and how tests hold it up: it waits as long as the file `hold` is there. */
const PROGRAM = `
const { existsSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");
const config = new pulumi.Config();
module.exports = async () => {
  while (existsSync(__dirname + "/hold")) await new Promise((resolve) => setTimeout(resolve, 100));
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
  return { federation, peers, pendingPeers, refreshHint: config.get("refreshHint") };
};
`;

export class ObjectStore {
  private constructor(
    readonly dir: string,
    readonly env: NodeJS.ProcessEnv,
    private readonly server: ChildProcess,
  ) {}

  static async start(): Promise<ObjectStore> {
    const program = (await run(join(ROOT, "test", "s3", "build"))).stdout.trim();
    const home =
      process.env["PULUMI_HOME"] ?? join((await run(join(ROOT, "lab", "toolchain", "build"))).stdout.trim(), "pulumi");
    const dir = await mkdtemp(join(tmpdir(), "s3-"));
    await mkdir(join(dir, "store", "state"), { recursive: true });
    await writeFile(join(dir, "passphrase"), "of all stacks\n");
    const port = await freePort();
    const keys = { id: "tester", secret: "of the tests" };
    const server = spawn(program, ["--port", `127.0.0.1:${port}`, "posix", join(dir, "store")], {
      env: { ...process.env, ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
      stdio: "ignore",
    });
    const env = {
      ...process.env,
      PULUMI_CONFIG_PASSPHRASE: undefined,
      PULUMI_HOME: home,
      PULUMI_VERSION: (await readdir(join(home, "versions")))[0], // the CLI that is there; npm's package is of an older one
      PULUMI_BACKEND_URL: `s3://state?endpoint=http://127.0.0.1:${port}&s3ForcePathStyle=true&region=us-east-1`,
      PULUMI_CONFIG_PASSPHRASE_FILE: join(dir, "passphrase"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      AWS_ACCESS_KEY_ID: keys.id,
      AWS_SECRET_ACCESS_KEY: keys.secret,
    };
    const store = new ObjectStore(dir, env, server);
    await untilOpen(port);
    await store.makeProject();
    return store;
  }

  async stop(): Promise<void> {
    this.server.kill();
    if (this.server.exitCode === null && this.server.signalCode === null) await once(this.server, "exit");
    await rm(this.dir, { recursive: true, force: true });
  }

  get project(): string {
    return join(this.dir, "project");
  }

  /** A stack with a file of its own. */
  async write(stack: string, trustDomain: string, ...peers: string[]): Promise<void> {
    const config = { "spire-federation:trustDomain": trustDomain, "spire-federation:peers": peers };
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

  /** Names of the objects below a prefix. */
  async objects(...prefix: string[]): Promise<string[]> {
    return readdir(this.path(...prefix)).catch(() => []);
  }

  path(...prefix: string[]): string {
    return join(this.dir, "store", "state", ".pulumi", ...prefix);
  }

  private async makeProject(): Promise<void> {
    await mkdir(this.project);
    const project = {
      name: "spire-federation",
      runtime: { name: "nodejs", options: { typescript: false } },
      main: "index.js",
      config: { refreshHint: { type: "integer", default: 90 } },
    };
    await writeFile(join(this.project, "Pulumi.yaml"), stringify(project));
    await writeFile(join(this.project, "index.js"), PROGRAM);
    await writeFile(join(this.project, "package.json"), JSON.stringify({ name: "tiny", main: "index.js" }));
    await symlink(join(ROOT, "node_modules"), join(this.project, "node_modules"));
  }
}

export async function done(child: ChildProcess): Promise<Done> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr?.on("data", (text: Buffer) => (err += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([once(socket, "connect"), once(socket, "error")]).then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await sleep(100);
  }
}
