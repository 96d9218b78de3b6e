import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Deployment } from "@pulumi/pulumi/automation";
import { Interrupted, uninterrupted } from "../../../mesh/kernel/interruption";
import { PulumiError } from "../../../mesh/pulumi/runPulumi";
import { recordLocks, recordOf } from "../../../mesh/pulumi/lockRecords";
import { NotRecovered, readAgain, type Settled, settling, type Teller, withLock } from "../../../mesh/pulumi/recovery";
import { end, run, withStateHome } from "./processes";

const found: string[] = [];
const waits: string[] = [];
const teller: Teller = { found: (what) => found.push(what), doing: (what) => waits.push(what) };
const { signal } = uninterrupted;
const stateHome = withStateHome();
let dir: string;

beforeEach(() => {
  dir = stateHome();
  found.length = waits.length = 0;
});

/** A stack that a process locks, as Pulumi's own backend has it; `ours` is recorded as a lock that we have started. */
async function lockedBy({ pid }: { pid: number }, ours: boolean, url?: string) {
  const folder = join(dir, ".pulumi", "locks", "organization", "p", "s");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${String(pid)}.json`);
  const recording = recordLocks(folder);
  if (ours) recording.follow(pid);
  await writeFile(file, JSON.stringify({ pid, hostname: hostname() }));
  while (ours && (await recordOf(`${String(pid)}.json`)) === undefined) await sleep(10);
  await recording.stop(false);
  const by = `${userInfo().username}@${hostname()} (pid ${String(pid)}) at ${new Date().toISOString()}`;
  const lock = url ?? pathToFileURL(file).href;
  const stderr = `error: the stack is currently locked by 1 lock(s).\n  ${lock}: created by ${by}`;
  let tries = 0;
  const act = (): Promise<string> => {
    tries++;
    return existsSync(file) ? Promise.reject(new PulumiError(stderr, stderr)) : Promise.resolve("done");
  };
  return { file, act, tries: () => tries };
}

describe("a lock", () => {
  test("of a process that we have started, and that is gone, is deleted, and that is told", async () => {
    const holder = run();
    const { act } = await lockedBy(holder, true);
    await end(holder);
    await expect(withLock("s", teller, signal, act)).resolves.toBe("done");
    expect(found).toEqual([expect.stringMatching(/deleted the lock of process .* no longer running/)]);
  });

  test("of our host and user stays, though its process is gone: runners and containers share these", async () => {
    const holder = run();
    const { act, file, tries } = await lockedBy(holder, false);
    await end(holder);
    await expect(withLock("s", teller, signal, act)).rejects.toThrow(
      new RegExp(
        `locked by process ${String(holder.pid)} of .*@${hostname()}.*no process ${String(holder.pid)} on this machine now` +
          ".*npx pulumi cancel --stack s",
      ),
    );
    expect([existsSync(file), tries()]).toEqual([true, 1]);
  });

  test("of a process that runs here, and that nobody has recorded, is not called left over", async () => {
    const { act } = await lockedBy(run(), false);
    const error = await withLock("s", teller, signal, act).catch((e: unknown) => e);
    expect(String(error)).toMatch(/locked by process/);
    expect(String(error)).not.toMatch(/left over/);
  });

  test("in an object store stays, and the error says who has it and how to release it", async () => {
    const holder = run();
    const { act, file } = await lockedBy(holder, false, "s3://b/.pulumi/locks/organization/p/s/1f.json");
    await end(holder);
    await expect(withLock("s", teller, signal, act)).rejects.toThrow(/locked by process .*npx pulumi cancel --stack s/);
    expect(existsSync(file)).toBe(true);
  });

  test("of Pulumi Cloud stays, and the error has Pulumi's own words", async () => {
    const words = "[409] Conflict: Another update is currently in progress.";
    let tries = 0;
    const act = (): Promise<never> => {
      tries++;
      return Promise.reject(new PulumiError(words, `error: ${words}`));
    };
    await expect(withLock("ops/p/s", teller, signal, act)).rejects.toThrow(
      /\[409\] Conflict: .* release the lock: npx pulumi cancel --stack ops\/p\/s/,
    );
    expect(tries).toBe(1);
  });

  test("of a process of ours that still runs is waited for, and never deleted", async () => {
    const holder = run();
    const { act, file } = await lockedBy(holder, true);
    const result = withLock("s", teller, signal, act);
    while (waits.length === 0) await sleep(20);
    expect(waits).toEqual([expect.stringContaining(`process ${String(holder.pid)} `)]);
    expect(existsSync(file)).toBe(true);
    await rm(file); // as it does before it ends
    holder.kill();
    await expect(result).resolves.toBe("done");
    expect(found).toEqual([]);
  });

  test("is not waited for any longer once somebody interrupts", async () => {
    const { act } = await lockedBy(run(), true);
    const stop = new AbortController();
    const result = withLock("s", teller, stop.signal, act);
    const failed = expect(result).rejects.toThrow(Interrupted);
    while (waits.length === 0) await sleep(20);
    stop.abort();
    await failed;
  });

  test("that is there again and again is given up", async () => {
    const tries: number[] = [];
    const act = async (): Promise<never> => {
      tries.push(1);
      const holder = run();
      const { act: refused } = await lockedBy(holder, true);
      await end(holder);
      return refused() as Promise<never>;
    };
    await expect(withLock("s", teller, signal, act)).rejects.toThrow(NotRecovered);
    expect(tries).toHaveLength(5);
  });
});

describe("a state that is being written", () => {
  const torn = new PulumiError("failed to load checkpoint: EOF", "error: failed to load checkpoint: EOF");
  const failing = (times: number, error: Error) => {
    let runs = 0;
    return () => (++runs > times ? Promise.resolve(runs) : Promise.reject(error));
  };

  test("is read again", async () => {
    await expect(readAgain(signal, failing(2, torn))).resolves.toBe(3);
  });

  test("is read again, too, where Pulumi says so in an event", async () => {
    const failed = new PulumiError("update failed", "");
    await expect(readAgain(signal, failing(2, failed), () => [torn.message])).resolves.toBe(3);
  });

  test("and stays so is an error that says how to mend it", async () => {
    await expect(readAgain(signal, failing(99, torn))).rejects.toThrow(/delete any empty file .*\.attrs/);
  });

  test("is another thing than an error of any other kind, which is not tried again", async () => {
    const other = new PulumiError("update failed", "");
    await expect(readAgain(signal, failing(1, other))).rejects.toBe(other);
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
    const own: Settled = {
      name: "s",
      exportState: (): Promise<Deployment> => Promise.resolve({ version: 3, deployment: state }),
      clearPendingCreates: () => {
        state = { ...state, pending_operations: [] };
        return Promise.resolve();
      },
    };
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
