import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError, ConcurrentUpdateError, type Deployment, type Stack } from "@pulumi/pulumi/automation";
import { runningProcess } from "../../../mesh/pulumi/liveness";
import { NotRecovered, readAgain, settling, type Teller, withLock } from "../../../mesh/pulumi/recovery";

const found: string[] = [];
const waits: string[] = [];
const teller: Teller = { found: (what) => found.push(what), doing: (what) => waits.push(what) };
const children: ChildProcess[] = [];
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "recovery-"));
  found.length = waits.length = 0;
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(dir, { recursive: true });
});

/** A process that runs until it is ended. */
function run(): ChildProcess & { pid: number } {
  const child = spawn("sleep", ["60"]);
  children.push(child);
  return child as ChildProcess & { pid: number };
}

async function dead(): Promise<number> {
  const child = run();
  child.kill("SIGKILL");
  await once(child, "exit");
  return child.pid;
}

/** A stack that is locked as long as there are files, as Pulumi's own backend has it. */
async function lockedBy(pid: number, host = hostname()) {
  const folder = join(dir, ".pulumi", "locks", "organization", "p", "s");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${String(pid)}.json`);
  await writeFile(file, "");
  const by = `${userInfo().username}@${host} (pid ${String(pid)}) at ${new Date().toISOString()}`;
  const stderr = `error: the stack is currently locked by 1 lock(s).\n  ${pathToFileURL(file).href}: created by ${by}`;
  const error = Object.assign(Object.create(ConcurrentUpdateError.prototype) as Error, { message: stderr });
  const isLocked = (): Promise<boolean> =>
    access(file).then(
      () => true,
      () => false,
    );
  const act = async (): Promise<string> => {
    if (await isLocked()) throw error;
    return "done";
  };
  return { file, isLocked, act };
}

const stack = { name: "s" } as Stack;

describe("a lock", () => {
  test("of a process that is dead is taken away, and that is told", async () => {
    const { act } = await lockedBy(await dead());
    await expect(withLock(stack, teller, act)).resolves.toBe("done");
    expect(found).toEqual([expect.stringMatching(/runs no more/)]);
  });

  test("of a process that runs is waited for, and never taken away", async () => {
    const holder = run();
    const { act, file, isLocked } = await lockedBy(holder.pid);
    const result = withLock(stack, teller, act);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(waits).toEqual([expect.stringContaining(`process ${String(holder.pid)} `)]);
    expect(await isLocked()).toBe(true);
    await rm(file); // as it does before it ends
    holder.kill();
    await expect(result).resolves.toBe("done");
    expect(found).toEqual([]);
  });

  test("of another host stays, and the error says whose it is and what to do", async () => {
    const { act, isLocked } = await lockedBy(await dead(), "elsewhere");
    await expect(withLock(stack, teller, act)).rejects.toThrow(/@elsewhere.*npx pulumi cancel --stack s/s);
    expect(await isLocked()).toBe(true);
  });
});

describe("a state that is being written", () => {
  const torn = Object.assign(Object.create(CommandError.prototype) as Error, {
    message: "code: 255\n stderr: error: failed to load checkpoint: EOF\n",
  });
  const failing = (times: number, error: Error) => {
    let runs = 0;
    return () => (++runs > times ? Promise.resolve(runs) : Promise.reject(error));
  };

  test("is read again", async () => {
    await expect(readAgain(failing(2, torn))).resolves.toBe(3);
  });

  test("and stays so is an error that says how to mend it", async () => {
    await expect(readAgain(failing(99, torn))).rejects.toThrow(/delete any empty file .*\.attrs/);
  });

  test("is another thing than an error of any other kind, which is not tried again", async () => {
    const other = Object.assign(Object.create(CommandError.prototype) as Error, { message: "update failed" });
    await expect(readAgain(failing(1, other))).rejects.toBe(other);
  });
});

describe("a process", () => {
  test("that runs is known with the time when it began", () => {
    const startedAt = runningProcess(run().pid)?.startedAt?.getTime() ?? 0;
    expect(Math.abs(startedAt - Date.now())).toBeLessThan(5000);
  });

  test("that has ended is not", async () => {
    expect(runningProcess(await dead())).toBeUndefined();
  });
});

describe("interrupted operations", () => {
  const urn = "urn:pulumi:s::p::kubernetes:a/v1:B::role";
  const pending = {
    type: "creating",
    resource: { urn, inputs: { kind: "Role", metadata: { name: "secret-reader" } } },
  };
  /** A stack whose run makes the resource, or doesn't want it. */
  function interrupted(operations: object[], made: boolean) {
    let state = { pending_operations: operations, resources: [] as object[] };
    const own = {
      name: "s",
      exportStack: () => Promise.resolve({ version: 3, deployment: state }),
      importStack: (next: Deployment) => {
        state = next.deployment as typeof state;
        return Promise.resolve();
      },
    } as Partial<Stack> as Stack;
    const refreshed: boolean[] = [];
    const outcome = settling(own, teller, (refresh) => {
      refreshed.push(refresh);
      state = { ...state, resources: made ? [{ urn }] : [] };
      return Promise.resolve("ran");
    });
    return { outcome, refreshed, state: () => state };
  }

  test("make the run look at the cluster, are told, and are settled by it", async () => {
    const { outcome, refreshed, state } = interrupted([pending], true);
    await expect(outcome).resolves.toBe("ran");
    expect(refreshed).toEqual([true]);
    expect(found).toEqual([expect.stringContaining("creating role (Role secret-reader)")]);
    expect(state()).toEqual({ pending_operations: [], resources: [{ urn }] });
  });

  test("of an object that is no longer wanted stay, and are an error that names it", async () => {
    const { outcome, state } = interrupted([pending], false);
    await expect(outcome).rejects.toThrow(NotRecovered);
    await expect(outcome).rejects.toThrow(/Role secret-reader/);
    expect(state().pending_operations).toEqual([pending]);
  });

  test("without any, nothing is looked at", async () => {
    const { outcome, refreshed } = interrupted([], true);
    await outcome;
    expect(refreshed).toEqual([false]);
  });
});
