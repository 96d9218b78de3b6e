/** Who runs this program, for probes: its claims, and what has become of others'. */
import { hostname, userInfo } from "node:os";
import { verdict } from "../../pulumi/lock";
import { runningProcess } from "../../pulumi/liveness";
import type { Claim } from "./claim";
import type { ProbeIo } from "./probe";

export function ownClaim(): Pick<ProbeIo, "claim" | "verdict"> {
  const looker = { user: userInfo().username, host: hostname() };
  return {
    claim: { ...looker, pid: process.pid, since: new Date().toISOString() },
    verdict: (claim: Claim) =>
      verdict({ ...claim, lock: "", since: new Date(claim.since) }, looker, runningProcess(claim.pid)),
  };
}
