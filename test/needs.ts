/** Tests that need a program which this machine may lack. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export type Found = { readonly program: string } | { readonly missing: string };

/** Where Chromium is. */
export function chromium(): Found {
  const { stdout, stderr, status } = spawnSync(join(__dirname, "chromium"), { encoding: "utf8" });
  return status === 0 ? { program: stdout.trim() } : { missing: stderr.trim() };
}

/** iproute2's `ip`. */
export function ip(): Found {
  const { status } = spawnSync("ip", ["-Version"]);
  return status === 0 ? { program: "ip" } : { missing: "no `ip` on PATH; it comes with the package iproute2" };
}

/**
 * Whether tests that need the program can run. Where they cannot, it says why they are skipped; with NO_SKIPS=1, as
 * .ci/run sets it, they run nevertheless and fail.
 */
export function has(found: Found, env = process.env): boolean {
  if ("program" in found || env["NO_SKIPS"] === "1") return true;
  process.stderr.write(`skipped: ${found.missing}\n`);
  return false;
}
