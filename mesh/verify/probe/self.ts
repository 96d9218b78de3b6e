/** The process that runs this program, for probes: its claims, and what has become of the processes of other claims. */
import { hostname, userInfo } from "node:os";
import { fateOf, identityOf } from "../../pulumi/liveness";
import { definedOnly } from "../../../stacks/fields";
import type { ProbeIo } from "./probe";

export function ownClaim(): Pick<ProbeIo, "claim" | "fate"> {
  return {
    claim: {
      user: userInfo().username,
      host: hostname(),
      pid: process.pid,
      since: new Date().toISOString(),
      ...definedOnly({ process: identityOf(process.pid) }),
    },
    fate: ({ process: identity }) => fateOf(identity),
  };
}
