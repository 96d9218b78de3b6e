/**
 * A throw-away copy of the project as it was built, as a user's checkout would be.
 *
 * `pulumi stack init` writes into Pulumi.<stack>.yaml, so the committed files are never worked on.
 */
import { spawn } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { type Document, parse, parseDocument } from "yaml";

const configKeys = (path: string): (string | number)[] => [
  "config",
  ...`spire-federation:${path}`
    .split(/[.[\]]+/)
    .flatMap((key) => (key === "" ? [] : /^\d+$/.test(key) ? Number(key) : key)),
];

const REPOSITORY = resolve(__dirname, "..", "..");
const UP = ["up", "--yes", "--skip-preview", "--stack"];
const PROGRAM = ["start.js", "dist", "package.json", "Pulumi.yaml"];

/**
 * Of the passphrase "lab", and the same for all stacks: Pulumi hashes a passphrase a million times for each salt that a
 * run meets, and it meets those of the peers' stacks.
 */
const SALT = "encryptionsalt: v1:xvOzfGm7mzc=:v1:hqkb4ZkmB/LNxLtN:IzCxKGVMcO15B1NIKgkygb6wpNZGMQ==\n";

/** Folder of the running lab; `lab exec` sets KUBECONFIG to a file in it. */
export function labState(): string {
  const kubeconfig = process.env["KUBECONFIG"];
  if (kubeconfig === undefined)
    throw new Error("KUBECONFIG is not set: run this with `lab exec --`, or in `make lab-shell`");
  return dirname(kubeconfig);
}

export interface Run {
  /** Exit code; -1 when a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** A command that still runs. */
export interface Running {
  /** Undefined when it could not be started. */
  pid: number | undefined;
  ended: Promise<Run>;
}

/** The program that npm's `pulumi` starts; npm and npm's `pulumi` together take longer to start it than most commands run. */
const { resolve: pulumiProgram } = createRequire(__filename)("pulumi/lib/resolve.js") as {
  resolve: () => Promise<string>;
};

export class Project {
  private constructor(
    readonly dir: string,
    private readonly show: boolean,
    private readonly kubeconfig?: string,
  ) {}

  /** Any Pulumi project in a folder, with a state backend of its own there. */
  static async in(dir: string): Promise<Project> {
    await mkdir(join(dir, "state"), { recursive: true });
    return new Project(dir, false);
  }

  /** Copies the project into `dir` with a state backend of its own. `show` prints every command and its output as it runs. */
  static async create(dir: string, options: { show?: boolean } = {}): Promise<Project> {
    await mkdir(join(dir, "state"), { recursive: true });
    const stackFiles = ["Pulumi.cluster1.yaml", "Pulumi.cluster2.yaml"];
    for (const name of [...PROGRAM, ...stackFiles])
      await cp(join(REPOSITORY, name), join(dir, name), { recursive: true });
    for (const name of stackFiles) await appendFile(join(dir, name), SALT);
    await symlink(join(REPOSITORY, "node_modules"), join(dir, "node_modules"));
    return new Project(dir, options.show ?? false);
  }

  /** One for a test file, in the running lab's folder and gone with it. */
  static async forTest(...stacks: string[]): Promise<Project> {
    const project = await Project.create(await mkdtemp(join(labState(), "test-")));
    await project.init(...stacks);
    return project;
  }

  /** The same checkout and state in the hands of somebody with another kubeconfig. */
  as(kubeconfig: string): Project {
    return new Project(this.dir, this.show, kubeconfig);
  }

  /** The environment of every pulumi command: nothing of the user's own backend or login is touched. */
  get env(): Record<string, string> {
    return {
      PULUMI_BACKEND_URL: `file://${join(this.dir, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "lab",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_LOG_ROTATION_MAX_TOTAL_MB: "5", // each start looks at all the logs there are, 500 MB of them by default
      ...(this.kubeconfig !== undefined && { KUBECONFIG: this.kubeconfig }),
    };
  }

  /** Runs what `npx pulumi …` would, and gives its outcome, whatever the exit code. */
  async run(...args: string[]): Promise<Run> {
    const flags = ["--non-interactive", "--color", this.show ? "auto" : "never"];
    if (args[0] === "up") flags.push("--suppress-progress");
    if (this.show) process.stdout.write(`\n$ ${["npx", "pulumi", ...args].join(" ")}\n`);
    return this.start(await pulumiProgram(), [...args, ...flags]).ended;
  }

  /** Runs what `npx spire-federation …` would, and gives its outcome, whatever the exit code. */
  mesh(...args: string[]): Promise<Run> {
    return this.startMesh(...args).ended;
  }

  /** The same, for somebody who wants to end it before its time. */
  startMesh(...args: string[]): Running {
    if (this.show) process.stdout.write(`\n$ ${["npx", "spire-federation", ...args].join(" ")}\n`);
    return this.start("node", [join("dist", "mesh", "cli", "start.js"), ...args]);
  }

  private start(program: string, args: string[]): Running {
    const child = spawn(program, args, {
      cwd: this.dir,
      env: { ...process.env, ...this.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out: Run = { code: -1, stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      out.stdout += chunk.toString();
      if (this.show) process.stdout.write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      out.stderr += chunk.toString();
      if (this.show) process.stderr.write(chunk);
    });
    const ended = new Promise<Run>((done, fail) => {
      child.once("error", fail);
      child.once("close", (code) => {
        done({ ...out, code: code ?? -1 });
      });
    });
    return { pid: child.pid, ended };
  }

  /** Like `run`, but anything other than exit code 0 is an error that carries what pulumi said. */
  async pulumi(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: exit code ${code}\n${this.show ? "" : stdout + stderr}`);
    return stdout;
  }

  up(stack: string, ...flags: string[]): Promise<string> {
    return this.pulumi(...UP, stack, ...flags);
  }

  /** An up that may fail. */
  tryUp(stack: string, ...flags: string[]): Promise<Run> {
    return this.run(...UP, stack, ...flags);
  }

  destroy(stack: string): Promise<string> {
    return this.pulumi("destroy", "--yes", "--skip-preview", "--stack", stack);
  }

  /** Sets the config at a path, such as `issuer.type` or `peers[1]`, in the stack's file. */
  set(stack: string, path: string, value: string): Promise<void> {
    return this.edit(stack, (file) => {
      file.setIn(configKeys(path), parse(value));
    });
  }

  unset(stack: string, path: string): Promise<void> {
    return this.edit(stack, (file) => {
      file.deleteIn(configKeys(path));
    });
  }

  /** As pulumi config would; a test's few dozen of those take as long as a few ups. */
  private async edit(stack: string, change: (file: Document) => void): Promise<void> {
    const path = join(this.dir, `Pulumi.${stack}.yaml`);
    const file = parseDocument(await readFile(path, "utf8"));
    change(file);
    await writeFile(path, file.toString());
  }

  /** Writes a stack's file, whatever it was. */
  async writeStackFile(stack: string, config: string): Promise<void> {
    await writeFile(join(this.dir, `Pulumi.${stack}.yaml`), config + SALT);
  }

  /** Writes a stack's file with these keys of the project, whatever it was. */
  writeConfig(stack: string, config: Readonly<Record<string, unknown>>): Promise<void> {
    const lines = Object.entries(config).map(([key, value]) => `  spire-federation:${key}: ${JSON.stringify(value)}`);
    return this.writeStackFile(stack, ["config:", ...lines, ""].join("\n"));
  }

  /** Makes the stacks, as they are committed. */
  async init(...stacks: string[]): Promise<void> {
    for (const stack of stacks) await this.pulumi("stack", "init", stack);
  }

  async outputs(stack: string): Promise<Record<string, unknown>> {
    return JSON.parse(await this.pulumi("stack", "output", "--stack", stack, "--json")) as Record<string, unknown>;
  }
}
