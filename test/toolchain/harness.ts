import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const toolchain = join(__dirname, "../../lab/toolchain");

const MODULES = [
  "lab",
  "lab/plugins",
  "lab/toolchain/language-nodejs",
  "lab/toolchain/language-yaml",
  "lab/toolchain/pulumi",
  "lab/toolchain/spire",
];

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * A copy of lab/toolchain in a lab of its own, with recipes of the test's and a `go` that
 * compiles nothing, so that what is tested is the order of things and not Go.
 */
export class Bench {
  readonly root = mkdtempSync(join(tmpdir(), "toolchain-"));
  readonly cache = join(this.root, "cache");
  private readonly running = new Set<ChildProcess>();
  private closed = false;

  /** @param recipes Bash that defines list_units and what it needs, after the real recipes. */
  constructor(recipes: string) {
    for (const part of ["build", "lib"])
      cpSync(join(toolchain, part), join(this.root, "lab/toolchain", part), { recursive: true });
    this.file("lab/toolchain/lib/recipes.sh", `${readFileSync(join(toolchain, "lib/recipes.sh"), "utf8")}\n${recipes}`);
    for (const module of MODULES) {
      this.file(`${module}/go.mod`, `module ${module}\n`);
      this.file(`${module}/go.sum`, "");
    }
    this.program(
      "bin/go",
      `case $1 in env) echo go1.26.8; echo amd64 ;; build) while [ "$1" != -o ]; do shift; done; mkdir -p "$(dirname "$2")"; echo built >"$2"; chmod +x "$2" ;; esac`,
    );
  }

  file(path: string, content: string): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  }

  program(path: string, script: string): string {
    const full = this.file(path, `#!/bin/bash\n${script}\n`);
    chmodSync(full, 0o755);
    return full;
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }

  /** What is in the file, without the last newline; empty if there is none. */
  read(path: string): string {
    const full = join(this.root, path);
    return existsSync(full) ? readFileSync(full, "utf8").trimEnd() : "";
  }

  /** The names of the finished units. */
  stored(): string[] {
    const store = join(this.cache, "store");
    return existsSync(store) ? readdirSync(store).map((entry) => entry.replace(/-[0-9a-f]{16}$/, "")) : [];
  }

  start(env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn("/bin/bash", [join(this.root, "lab/toolchain/build")], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        HOME: this.root,
        PATH: `${join(this.root, "bin")}:${process.env["PATH"] ?? ""}`,
        SPIRE_FEDERATION_CACHE: this.cache,
        // Nobody listens there: whatever is not served by the test is not downloadable.
        SPIRE_FEDERATION_DOWNLOADS: "http://127.0.0.1:9/",
        ...env,
      },
    });
    this.running.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code) => {
        this.running.delete(child);
        resolve({ code, stdout: stdout.trimEnd(), stderr });
      });
    });
    return { child, ended };
  }

  run(env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.start(env).ended;
  }

  /** Resolves when the file is there, which a recipe writes to say how far it is. */
  async appears(path: string): Promise<void> {
    while (!existsSync(join(this.root, path))) {
      // The test has given up: a wait that went on would keep jest from ending.
      if (this.closed) throw new Error(`${path} has not appeared`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  close(): void {
    this.closed = true;
    for (const child of this.running) child.kill("SIGTERM");
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Ends when no process has the pid any more, or only its remains. */
export async function gone(pid: number): Promise<void> {
  const state = (): string => {
    try {
      return readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .charAt(0);
    } catch {
      return "gone";
    }
  };
  while (state() !== "gone" && state() !== "Z") await new Promise((resolve) => setTimeout(resolve, 10));
}
