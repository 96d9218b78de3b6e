/**
 * Which locks are our own. While a Pulumi that we have started takes its lock in a backend that is a folder, the lock's file
 * and the identity of that Pulumi are recorded in the user's state folder, on this machine. When both programs are killed,
 * the next run finds the record, sees that the process is gone, and may delete that one file.
 *
 * A lock without a record is never ours, whatever its host name and user say: it is somebody else's, or the program was
 * killed in the moment between the lock and the record, or the backend is no folder. Then a person has to decide.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { madeOr } from "../kernel/looked";
import { identityOf, type ProcessIdentity } from "./liveness";

export interface LockRecord {
  /** Path of the lock's file. */
  file: string;
  holder: ProcessIdentity;
}

/** A lock is there within a second of Pulumi's start; the state is read after that. */
const LOOK_MS = 20;

/** Where records are kept: for this user only. */
const recordsFolder = (): string =>
  join(process.env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "spire-federation", "locks");

const recordFile = (lock: string): string =>
  join(recordsFolder(), `${createHash("sha256").update(lock).digest("hex")}.json`);

/**
 * The folder of a stack's locks; undefined when the backend is no folder.
 *
 * @param backend URL of the backend, as `pulumi whoami` says it
 */
export function locksFolder(backend: string, dir: string, project: string, stack: string): string | undefined {
  const [, path] = /^file:\/\/([^?]+)/.exec(backend) ?? [];
  if (path === undefined) return undefined;
  const root = resolve(dir, decodeURIComponent(path).replace(/^~(?=\/|$)/, homedir()));
  return join(root, ".pulumi", "locks", "organization", project, stack);
}

/** Records the lock that one run of Pulumi takes. */
export interface Recording {
  /** From the start of the process on. Never throws: without a record a lock is only not known to be ours. */
  follow(pid: number): void;
  /** @param refused Pulumi has found the stack locked: what it had taken itself, it has given back */
  stop(refused: boolean): Promise<void>;
}

/** Begins before Pulumi does: what is in the folder by now is somebody else's, whatever process id it says. */
export function recordLocks(folder: string): Recording {
  const before = new Set(locksIn(folder));
  const recorded = new Set<string>();
  let stopped = false;
  let watching = Promise.resolve();
  const watch = async (holder: ProcessIdentity): Promise<void> => {
    while (!stopped && recorded.size === 0) {
      for (const file of locksIn(folder)) {
        if (before.has(file) || !isTakenBy(file, holder.pid)) continue;
        await write({ file, holder });
        recorded.add(file);
      }
      await sleep(LOOK_MS);
    }
  };
  return {
    follow(pid) {
      const holder = identityOf(pid);
      if (holder !== undefined) watching = watch(holder).catch(() => undefined);
    },
    async stop(refused) {
      stopped = true;
      await watching;
      for (const file of recorded) if (refused || isReleased(file)) await forget(file);
    },
  };
}

/** The lock's record, by the id in its URL; undefined when it is not ours. */
export async function recordOf(id: string): Promise<LockRecord | undefined> {
  const records = await readRecords();
  return records.find(({ file }) => file.endsWith(`/${id}`));
}

/** Deletes the lock, what the backend keeps beside it, and the record. */
export async function deleteLock({ file }: LockRecord): Promise<void> {
  await rm(file, { force: true });
  await rm(`${file}.attrs`, { force: true });
  await forget(file);
}

/** Paths of the locks in a stack's folder of them, which Pulumi makes. */
export const locksIn = (folder: string): string[] =>
  madeOr<string[]>([], () => readdirSync(folder)).flatMap((name) =>
    name.endsWith(".json") ? [join(folder, name)] : [],
  );

/** False while the lock is being written, and when it has just gone. */
const isTakenBy = (file: string, holder: number): boolean =>
  madeOr(false, () => {
    const lock = JSON.parse(readFileSync(file, "utf8")) as { pid?: number; hostname?: string };
    return lock.pid === holder && lock.hostname === hostname();
  });

async function write(record: LockRecord): Promise<void> {
  const path = recordFile(record.file);
  await mkdir(recordsFolder(), { recursive: true, mode: 0o700 });
  // Whole or not at all, whenever the program is killed.
  const half = `${path}.${String(process.pid)}`;
  await writeFile(half, JSON.stringify(record), { mode: 0o600 });
  await rename(half, path);
  // Records of locks that an orphan has released by itself.
  for (const { file } of await readRecords()) if (isReleased(file)) await forget(file);
}

/** A backend that has gone away, such as a share, may come back with the lock. */
const isReleased = (lock: string): boolean => existsSync(dirname(lock)) && !existsSync(lock);

const forget = (lock: string): Promise<void> => rm(recordFile(lock), { force: true });

async function readRecords(): Promise<LockRecord[]> {
  const folder = recordsFolder();
  const names = await readdir(folder).catch(() => [] as string[]);
  const records: LockRecord[] = [];
  for (const name of names) {
    if (!name.endsWith(".json")) continue;
    try {
      const record = JSON.parse(await readFile(join(folder, name), "utf8")) as LockRecord;
      if (recordFile(record.file) === join(folder, name)) records.push(record);
    } catch {
      // It has just been deleted.
    }
  }
  return records;
}
