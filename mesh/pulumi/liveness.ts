/** What this machine says of its processes. */
import { readFileSync } from "node:fs";
import type { RunningProcess } from "./lock";

/** In which /proc counts, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

/** What runs under a process id; undefined when nothing does, or only waits to be buried by its parent. */
export function runningProcess(pid: number): RunningProcess | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  let stat: string;
  let uptime: string;
  try {
    stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    uptime = readFileSync("/proc/uptime", "utf8");
  } catch {
    return {}; // not Linux, or it has just ended
  }
  // The name before it may contain anything, brackets too.
  const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if ("ZX".includes(state)) return undefined;
  const age = parseFloat(uptime) - Number(fields[18]) / TICKS_PER_SECOND;
  return { startedAt: new Date(Date.now() - age * 1000) };
}
