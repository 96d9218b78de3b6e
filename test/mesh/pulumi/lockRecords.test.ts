/** The folder of a backend's locks, and processes that take locks in it. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fateOf } from "../../../mesh/pulumi/liveness";
import { deleteLock, locksFolder, recordLocks, recordOf } from "../../../mesh/pulumi/lockRecords";
import { end, run, withStateHome } from "./processes";

const stateHome = withStateHome();
let dir: string;
let folder: string;

beforeEach(() => {
  dir = stateHome();
  folder = join(dir, ".pulumi", "locks", "organization", "p", "s");
});

/** Takes a lock, as pulumi/pulumi's backend/diy/lock.go does. */
function lock(id: string, pid: number, host = hostname()): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${id}.json`);
  writeFileSync(file, JSON.stringify({ pid, username: "u", hostname: host, timestamp: new Date().toISOString() }));
  return file;
}

const kept = (): string[] => readdirSync(join(dir, "home", "spire-federation", "locks"));
async function recorded(id: string): Promise<void> {
  while ((await recordOf(`${id}.json`)) === undefined) await sleep(10);
}

test("a lock that the process takes is ours from then on, also after it was killed, and can be deleted", async () => {
  const pulumi = run();
  const recording = recordLocks(folder);
  recording.follow(pulumi.pid);
  const file = lock("one", pulumi.pid);
  await recorded("one");
  await end(pulumi);
  await recording.stop(false);

  const record = await recordOf("one.json");
  if (record === undefined) throw new Error("it is forgotten");
  expect([record.file, fateOf(record.holder)]).toEqual([file, "dead"]);
  expect(statSync(join(dir, "home", "spire-federation", "locks")).mode & 0o077).toBe(0);
  await deleteLock(record);
  expect([existsSync(file), kept()]).toEqual([false, []]);
});

test("a lock that is released is forgotten", async () => {
  const pulumi = run();
  const recording = recordLocks(folder);
  recording.follow(pulumi.pid);
  const file = lock("one", pulumi.pid);
  await recorded("one");
  rmSync(file);
  await recording.stop(false);
  expect(kept()).toEqual([]);
});

test("a process that takes no lock is watched no longer than it runs", async () => {
  const recording = recordLocks(folder);
  recording.follow(run().pid);
  await recording.stop(false);
  lock("late", process.pid);
  expect(await recordOf("late.json")).toBeUndefined();
});

test("a lock that has gone away with its backend stays known as ours", async () => {
  const pulumi = run();
  const recording = recordLocks(folder);
  recording.follow(pulumi.pid);
  lock("one", pulumi.pid);
  await recorded("one");
  renameSync(join(dir, ".pulumi"), join(dir, "away"));
  await recording.stop(false);
  expect(kept()).toHaveLength(1);

  folder = join(dir, ".pulumi", "locks", "organization", "p", "other");
  const next = recordLocks(folder);
  next.follow(pulumi.pid);
  lock("two", pulumi.pid);
  await recorded("two");
  await next.stop(false);
  expect(kept()).toHaveLength(2);
});

test("a lock that was there before, though it has the same process id, is somebody else's", async () => {
  const pulumi = run();
  lock("theirs", pulumi.pid);
  const recording = recordLocks(folder);
  recording.follow(pulumi.pid);
  lock("ours", pulumi.pid);
  await recorded("ours");
  await recording.stop(false);
  expect(await recordOf("theirs.json")).toBeUndefined();
});

test("a lock of another process or host, though it has our user or our process id, is somebody else's", async () => {
  const pulumi = run();
  const recording = recordLocks(folder);
  recording.follow(pulumi.pid);
  lock("process", pulumi.pid + 1);
  lock("host", pulumi.pid, "elsewhere");
  lock("ours", pulumi.pid);
  await recorded("ours");
  await recording.stop(false);
  expect(await recordOf("process.json")).toBeUndefined();
  expect(await recordOf("host.json")).toBeUndefined();
});

test("where Pulumi was refused, nothing is ours: the lock that is there has refused it", async () => {
  const pulumi = run();
  const recording = recordLocks(folder);
  recording.follow(pulumi.pid);
  lock("theirs", pulumi.pid);
  await recorded("theirs");
  await recording.stop(true);
  expect(await recordOf("theirs.json")).toBeUndefined();
});

test("records of locks that an orphan has released by itself go with the next one", async () => {
  for (const id of ["first", "second"]) {
    const pulumi = run();
    const recording = recordLocks(folder);
    recording.follow(pulumi.pid);
    const file = lock(id, pulumi.pid);
    await recorded(id);
    await recording.stop(false);
    rmSync(file);
    expect(kept()).toHaveLength(1);
  }
});

test.each([
  ["file:///srv/state", "/srv/state"],
  ["file:///srv/my%20state?no_tmp_dir=true", "/srv/my state"],
  ["file://~", homedir()],
  ["file://./state", "/project/state"],
])("a backend %s keeps its locks in a folder", (backend, root) => {
  expect(locksFolder(backend, "/project", "p", "s")).toBe(`${root}/.pulumi/locks/organization/p/s`);
});

test.each(["s3://bucket?region=x", "https://app.pulumi.com/ops", "gs://b", "azblob://b"])(
  "a backend %s has no such folder, so that none of its locks is ever ours",
  (backend) => {
    expect(locksFolder(backend, "/project", "p", "s")).toBeUndefined();
  },
);
