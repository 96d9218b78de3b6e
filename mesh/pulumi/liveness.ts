/**
 * Which process of which machine something belongs to, and what has become of it.
 *
 * Host names, users and process ids are shared: by CI runners of one image, by containers, by a machine before and after
 * its restart. A process is known here by the kernel's boot id and the pid namespace (together: the machine), its pid, and
 * the time at which it began, in the kernel's own ticks. No two processes have all of these.
 */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { madeOr } from "../kernel/looked";

export interface ProcessIdentity {
  /** Hash of the boot id and the pid namespace. */
  machine: string;
  pid: number;
  /** Ticks since the boot, as /proc says it. */
  started: string;
}

export type Fate =
  /** It belongs to another machine, container or boot, or nobody has recorded it: from here nothing can be said. */
  | "elsewhere"
  | "running"
  /** It was here, and is gone. */
  | "dead";

/** Undefined for a process that is not there, and where the system has no /proc: such a process is never known to be dead. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const machine = thisMachine();
  const started = startOf(pid);
  return machine === undefined || started === undefined ? undefined : { machine, pid, started };
}

export function fateOf(identity: ProcessIdentity | undefined): Fate {
  if (identity === undefined || identity.machine !== thisMachine()) return "elsewhere";
  return startOf(identity.pid) === identity.started ? "running" : "dead";
}

/** Whether a process of this id runs here, whoever it is. */
export function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // somebody else's
  }
}

let machine: { name: string | undefined } | undefined;

function thisMachine(): string | undefined {
  machine ??= { name: readMachine() };
  return machine.name;
}

const readMachine = (): string | undefined =>
  madeOr(undefined, () => {
    // A /proc of another pid namespace, as some containers have it mounted, says nothing of the processes here.
    if (readlinkSync("/proc/self") !== String(process.pid)) return undefined;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return createHash("sha256")
      .update(`${boot} ${readlinkSync("/proc/self/ns/pid")}`)
      .digest("hex")
      .slice(0, 32);
  });

/** When the process began; undefined when it is gone, or is only waiting to be reaped by its parent. */
const startOf = (pid: number): string | undefined =>
  madeOr(undefined, () => {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    // The name before it may contain anything, also brackets.
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return "ZX".includes(state) ? undefined : fields[18];
  });
