/** Memory of the lab's programs. */
import { readdir, readFile } from "node:fs/promises";

/** MiB of each program that runs in the lab, all of a name together. */
export async function memory(): Promise<Map<string, number>> {
  const sum = new Map<string, number>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
    const mib = Number(field("VmRSS")) / 1024;
    if (mib > 0) sum.set(field("Name"), (sum.get(field("Name")) ?? 0) + mib);
  }
  return sum;
}
