/** Takes up a stack where a run that was killed has left it: its lock, and the operations that were under way. */
import { PROGRAM } from "../../components/names";
import { rm } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CommandError, ConcurrentUpdateError, type Stack } from "@pulumi/pulumi/automation";
import { describeOperation, interruptedOperations, settle } from "./interruptedOperations";
import { describeHolder, type Holder, holders, verdict } from "./lock";
import { runningProcess } from "./liveness";

/** The stack is left as it is; the message says why, and what to do. */
export class NotRecovered extends Error {}

export interface Teller {
  /** What is waited for. */
  doing: (what: string) => void;
  /** What a run before this one had left, and what became of it. */
  found: (what: string) => void;
}

/** An up waits 10 minutes at most for one thing, and has a few to wait for. */
const WAIT_MS = 20 * 60_000;

/**
 * Does what needs the stack's lock. Where a process of ours has died with it, it is taken away; where one still runs,
 * such as the orphan of a mesh that was killed, this waits for it.
 *
 * @throws NotRecovered when whoever has it runs elsewhere, or does not end
 */
export async function withLock<T>(stack: Stack, teller: Teller, act: () => Promise<T>): Promise<T> {
  const looker = { host: hostname(), user: userInfo().username };
  const judge = (holder: Holder) => verdict(holder, looker, runningProcess(holder.pid));
  const end = Date.now() + WAIT_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof ConcurrentUpdateError)) throw error;
      const locked = holders(error.message);
      if (locked.length === 0) throw notOurs(stack.name, "by another update");
      const elsewhere = locked.filter((holder) => judge(holder) === "elsewhere");
      if (elsewhere.length > 0) throw notOurs(stack.name, `by ${elsewhere.map(describeHolder).join(", ")}`);
      const running = locked.find((holder) => judge(holder) === "running");
      if (running === undefined) await unlock(stack, locked, teller);
      else {
        teller.doing(`waits for ${describeHolder(running)}, which has locked the stack`);
        while (judge(running) === "running") {
          if (Date.now() > end) throw notOurs(stack.name, `by ${describeHolder(running)}, which does not end`);
          await sleep(500);
        }
      }
    }
  }
}

/** What Pulumi says of a state whose sidecar is empty. */
const TORN = "failed to load checkpoint: EOF";
const READINGS = 4;

/**
 * Does again what has met a peer's state at the moment in which that was written. Where the backend is a folder, a state
 * is replaced at once, but the file `.attrs` beside it is emptied first (gocloud.dev/blob/fileblob, setAttrs); it stays
 * empty when the machine goes down just then.
 */
export async function readAgain<T>(act: () => Promise<T>): Promise<T> {
  for (let left = READINGS; ; left--) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof CommandError) || !error.message.includes(TORN)) throw error;
      if (left > 1) await sleep(500);
      else throw new NotRecovered(`${TORN}; in the backend's folder, delete any empty file .pulumi/stacks/*/*.attrs`);
    }
  }
}

/** Runs the stack, and sees to it that nothing is left of what had been interrupted before. */
export async function settling<T>(stack: Stack, teller: Teller, run: (refresh: boolean) => Promise<T>): Promise<T> {
  const interrupted = interruptedOperations(await stack.exportStack());
  // Of an interrupted change the state knows nothing, so whoever wants the old value back would see no difference.
  const result = await run(interrupted.length > 0);
  // Only now it is certain that nobody else was at it.
  if (interrupted.length > 0) {
    teller.found(`looked again at what had been interrupted: ${interrupted.map(describeOperation).join(", ")}`);
  }
  if (!interrupted.some(({ type }) => type === "creating")) return result;

  const { settled, left } = settle(await stack.exportStack());
  await stack.importStack(settled);
  if (left.length === 0) return result;
  throw new NotRecovered(
    `interrupted before, and no longer asked for: ${left.map(describeOperation).join(", ")}; it may be there all the ` +
      `same. Delete it, then "npx pulumi refresh --clear-pending-creates --stack ${stack.name}"`,
  );
}

/**
 * Removes just these locks. `pulumi cancel` would remove every lock, and so also the one
 * of another mesh that has just recovered from the same death; it is for backends where nothing else will do.
 */
async function unlock(stack: Stack, dead: readonly Holder[], teller: Teller): Promise<void> {
  for (const holder of dead) {
    const file = lockFile(holder.lock);
    if (file === undefined) await stack.cancel();
    else await rm(file, { force: true });
    teller.found(`took away the lock of ${describeHolder(holder)}, which runs no more`);
  }
}

function lockFile(lock: string): string | undefined {
  return /^file:\/\/\/.*\/\.pulumi\/locks\/.*\.json$/.test(lock) ? fileURLToPath(lock) : undefined;
}

function notOurs(stack: string, who: string): NotRecovered {
  return new NotRecovered(
    `the stack is locked ${who}. Wait for it, or once you know that it is dead: "npx pulumi cancel --stack ${stack}", ` +
      `then npx ${PROGRAM} up again`,
  );
}
