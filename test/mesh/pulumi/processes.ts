/** Processes that take locks, and a state folder for their records, for each test of a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const children: ChildProcess[] = [];

/** A process that runs until it is ended, at the latest with its test. */
export function run(): ChildProcess & { pid: number } {
  const child = spawn("sleep", ["60"]);
  children.push(child);
  return child as ChildProcess & { pid: number };
}

export async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Gives each test a new folder, whose `home` is where records are kept; the function says which. */
export function withStateHome(): () => string {
  const { XDG_STATE_HOME } = process.env;
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "locks-"));
    process.env["XDG_STATE_HOME"] = join(dir, "home");
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    rmSync(dir, { recursive: true });
  });
  afterAll(() => {
    if (XDG_STATE_HOME === undefined) delete process.env["XDG_STATE_HOME"];
    else process.env["XDG_STATE_HOME"] = XDG_STATE_HOME;
  });
  return () => dir;
}
