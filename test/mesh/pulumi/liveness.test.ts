/** On real processes; what the system says of them is not made up. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fateOf, identityOf, type ProcessIdentity } from "../../../mesh/pulumi/liveness";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function run(): ChildProcess & { pid: number } {
  const child = spawn("sleep", ["60"]);
  children.push(child);
  return child as ChildProcess & { pid: number };
}

const known = (pid: number): ProcessIdentity => {
  const identity = identityOf(pid);
  if (identity === undefined) throw new Error("this system has no /proc");
  return identity;
};

test("a process is running until it has ended, and dead from then on", async () => {
  const child = run();
  const identity = known(child.pid);
  expect(fateOf(identity)).toBe("running");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(fateOf(identity)).toBe("dead");
  expect(identityOf(child.pid)).toBeUndefined();
});

test("a process that only waits for its parent to reap it is dead", async () => {
  // The parent becomes another program, which knows of no child.
  const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"]);
  children.push(parent);
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  const identity = known(pid);
  while (fateOf(identity) === "running") await sleep(20);
  expect(process.kill(pid, 0)).toBe(true);
  expect([fateOf(identity), identityOf(pid)]).toEqual(["dead", undefined]);
});

test("another process that has got the same id is not taken for it", () => {
  const identity = known(run().pid);
  expect(fateOf({ ...identity, started: String(Number(identity.started) - 1) })).toBe("dead");
});

test("nothing is said of a process of another boot or container, even with the same id and start", () => {
  const identity = known(run().pid);
  expect(fateOf({ ...identity, machine: "another" })).toBe("elsewhere");
  expect(fateOf(undefined)).toBe("elsewhere");
});

test("a container of this machine is another machine: it has a pid namespace of its own", () => {
  const script = `console.log(JSON.stringify(require("${process.cwd()}/dist/mesh/pulumi/liveness.js").identityOf(process.pid) ?? null))`;
  const inside = (...wrap: string[]): ProcessIdentity | null => {
    const line = [...wrap, process.execPath, "--eval", script];
    return JSON.parse(execFileSync("env", line, { encoding: "utf8" })) as ProcessIdentity | null;
  };
  expect(inside()?.machine).toBe(known(process.pid).machine);
  const contained = ["unshare", "--user", "--map-root-user", "--pid", "--fork"];
  expect(inside(...contained, "--mount-proc")?.machine).not.toBe(known(process.pid).machine);
  // With the /proc of the machine outside, nothing that it says is about the processes inside.
  expect(inside(...contained)).toBeNull();
});
