/** Time and memory of a command. */
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Project } from "../lab/client/project";

export interface Ran {
  seconds: number;
  /** Of the command and all that it started, at one time. */
  mostMiB: number;
  code: number | null;
  output: string;
}

/** Runs a program in a project's folder. */
export async function measureCommand(
  project: Project,
  [program = "", ...args]: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const begun = process.hrtime.bigint();
  const child = spawn(program, args, {
    cwd: project.dir,
    env: { ...process.env, ...project.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
  let code: number | null | undefined;
  const ended = new Promise<void>((done) => {
    child.once("close", (with_) => {
      code = with_;
      done();
    });
  });
  let mostMiB = 0;
  while (code === undefined) {
    mostMiB = Math.max(mostMiB, await residentMiB(child.pid ?? 0));
    await Promise.race([ended, sleep(100)]);
  }
  return { seconds: Number(process.hrtime.bigint() - begun) / 1e9, mostMiB, code, output };
}

/** Of a process and all below it. */
async function residentMiB(root: number): Promise<number> {
  const parents = new Map<number, { parent: number; kib: number }>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    parents.set(Number(pid), { parent: field("PPid"), kib: field("VmRSS") });
  }
  const isBelow = (pid: number): boolean => pid === root || (pid > 1 && isBelow(parents.get(pid)?.parent ?? 0));
  return [...parents].reduce((sum, [pid, { kib }]) => sum + (isBelow(pid) ? kib : 0), 0) / 1024;
}
