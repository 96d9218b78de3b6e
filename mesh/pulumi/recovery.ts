/** Recovers a stack that a killed run has left locked, or with operations that were under way. */
import { hostname } from "node:os";
import type { Deployment } from "@pulumi/pulumi/automation";
import { Interrupted, pause } from "../kernel/interruption";
import { PulumiError } from "./runPulumi";
import { describeOperation, interruptedOperations, noLongerWanted } from "./interruptedOperations";
import { describeHolder, type Holder, holders, lockId } from "./lock";
import { deleteLock, type LockRecord, recordOf } from "./lockRecords";
import { fateOf, isThere } from "./liveness";

/** The stack is left as it is; the message says why, and what to do. */
export class NotRecovered extends Error {}

export interface Teller {
  /** What is waited for. */
  doing: (what: string) => void;
  /** What an earlier run had left behind, and what was done about it. */
  found: (what: string) => void;
}

/** An up waits 10 minutes at most for one thing, and has a few to wait for. */
const WAIT_MS = 20 * 60_000;

/** How often a stack is taken over from others in a row before this gives up. */
const MOST_TURNS = 5;

/**
 * Does something that needs the stack's lock. A lock is deleted when its process was started by this program on this
 * machine and is gone; while such a process runs, such as the orphan of a run that was killed, this waits for it. Nobody
 * else's lock is ever touched.
 *
 * @throws NotRecovered when somebody else has the lock, or does not give it back; Interrupted
 */
export async function withLock<T>(
  stack: string,
  teller: Teller,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  const end = Date.now() + WAIT_MS;
  for (let turn = 1; ; turn++) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof PulumiError) || !error.isLocked) throw error;
      const locked = await judge(error);
      const others = locked.filter(({ fate }) => fate === "elsewhere");
      if (locked.length === 0 || others.length > 0) throw lockedBy(stack, others, error.message);
      if (turn === MOST_TURNS) throw lockedBy(stack, locked, `it was locked again ${String(turn)} times`);
      for (const { holder, record, fate } of locked) {
        if (fate === "running") await untilGone(stack, holder, record, { teller, signal, end });
        else if (record !== undefined) {
          await deleteLock(record);
          teller.found(`deleted the lock of ${describeHolder(holder)}, which is no longer running`);
        }
      }
    }
  }
}

interface Judged {
  holder: Holder;
  record: LockRecord | undefined;
  fate: ReturnType<typeof fateOf>;
}

function judge({ stderr }: PulumiError): Promise<Judged[]> {
  return Promise.all(
    holders(stderr).map(async (holder) => {
      const record = await recordOf(lockId(holder));
      return { holder, record, fate: fateOf(record?.holder) };
    }),
  );
}

async function untilGone(
  stack: string,
  holder: Holder,
  record: LockRecord | undefined,
  { teller, signal, end }: { teller: Teller; signal: AbortSignal; end: number },
): Promise<void> {
  teller.doing(`waits for ${describeHolder(holder)}, which has locked the stack`);
  while (fateOf(record?.holder) === "running") {
    if (Date.now() > end) {
      const why = `it is still running after ${String(WAIT_MS / 60_000)} minutes`;
      throw lockedBy(stack, [{ holder, record, fate: "running" }], why);
    }
    await pause(500, signal).catch(() => {
      throw new Interrupted(`interrupted while it waited for ${describeHolder(holder)}, which has locked the stack`);
    });
  }
}

/** @param words what Pulumi itself says, for backends that name nobody */
function lockedBy(stack: string, holding: readonly Judged[], words: string): NotRecovered {
  const who = holding.map(({ holder }) => describeHolder(holder)).join(", ");
  return new NotRecovered(
    `the stack is locked ${who === "" ? `by another update: ${words}` : `by ${who}`}. ` +
      holding.map(({ holder }) => absence(holder)).join("") +
      "If that update is still running, wait for it and run this again. If you are sure that it is no longer running, " +
      `release the lock: npx pulumi cancel --stack ${stack}`,
  );
}

/**
 * Helps the user to decide about a lock of which there is no record, such as when the command was killed between the lock
 * and its record. It decides nothing: containers and CI runners share host names.
 */
const absence = ({ host, pid }: Holder): string =>
  host !== hostname() || isThere(pid)
    ? ""
    : `There is no process ${String(pid)} on this machine now: if ${host} means this machine, the lock is left over. `;

/** What Pulumi says of a state whose sidecar is empty. */
const TORN = "failed to load checkpoint: EOF";
const READINGS = 4;

/**
 * Does again what has met a stack's state in the moment in which it was written. In a backend that is a folder, a state is
 * replaced at once, but the file `.attrs` beside it is emptied first (gocloud.dev/blob/fileblob, setAttrs); it stays
 * empty when the machine goes down just then.
 *
 * @param said what Pulumi has reported as events, beside the error's own message
 */
export async function readAgain<T>(
  signal: AbortSignal,
  act: () => Promise<T>,
  said: () => readonly string[] = () => [],
): Promise<T> {
  for (let left = READINGS; ; left--) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Error) || ![error.message, ...said()].some((text) => text.includes(TORN))) throw error;
      if (left > 1) await pause(500, signal);
      else throw new NotRecovered(`${TORN}; in the backend's folder, delete any empty file .pulumi/stacks/*/*.attrs`);
    }
  }
}

/** What is asked of a stack to settle what was interrupted. */
export interface Settled {
  name: string;
  /** Its state, which is only read. */
  exportState(): Promise<Deployment>;
  /** `pulumi refresh --clear-pending-creates`. */
  clearPendingCreates(): Promise<void>;
}

/** Runs the stack, and then forgets the operations that had been interrupted before and that this run has repeated. */
export async function settling<T>(stack: Settled, teller: Teller, run: (refresh: boolean) => Promise<T>): Promise<T> {
  const interrupted = interruptedOperations(await stack.exportState());
  // The state does not know what an interrupted change has done, so whoever wants the old value back would see no difference.
  const result = await run(interrupted.length > 0);
  if (interrupted.length > 0) {
    teller.found(
      `checked interrupted operations against the cluster: ${interrupted.map(describeOperation).join(", ")}`,
    );
  }
  // Pulumi forgets all other kinds by itself.
  if (!interrupted.some(({ type }) => type === "creating")) return result;

  const left = noLongerWanted(await stack.exportState());
  if (left.length === 0) {
    await stack.clearPendingCreates();
    return result;
  }
  throw new NotRecovered(
    `interrupted before, and no longer in the program: ${left.map(describeOperation).join(", ")}; the object may exist in the ` +
      `cluster. Delete it there, then run: npx pulumi refresh --clear-pending-creates --stack ${stack.name}`,
  );
}
