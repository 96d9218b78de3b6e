/** What a SPIRE agent's log says of workloads that it has attested, or could not. Pure. */
import { fieldsOf } from "../spire/serverLog";

/** Times are of the last such line. */
export interface Attesting {
  /** A process could not be attested completely, so that SPIRE has refused it its identity. */
  failed?: { at: Date; error: string };
  /** A process was attested, and no registration entry is for it. */
  unregistered?: { at: Date; pid: string };
}

const FAILED = "Failed to collect all selectors for PID";
const TIMED_OUT = "Timed out collecting selectors for PID";
const ATTESTED = "PID attested to have selectors"; // on level debug, also after a failed attestor
const UNREGISTERED = "No identity issued";

/** The process has ended, or has hung up, while it was attested: it says nothing about the agent. */
const GONE = /\/proc\/\d+\/|context canceled|Canceled/;

/**
 * An agent attests itself about once a minute, as its health check, so one that cannot attest goes on saying so.
 *
 * @param log in either of SPIRE's formats, of the container that runs now
 */
export function attestingOf(log: string): Attesting {
  let failed: Attesting["failed"];
  let unregistered: Attesting["unregistered"];
  /** Processes whose attestation failed: that these then get no identity follows from it. */
  const failing = new Set<string>();
  for (const line of log.split("\n")) {
    if (![FAILED, TIMED_OUT, ATTESTED, UNREGISTERED].some((text) => line.includes(text))) continue;
    const { msg, time = "", error, pid = "", selectors } = fieldsOf(line);
    const at = new Date(time);
    if (Number.isNaN(at.getTime())) continue;
    if (msg === TIMED_OUT || (msg === FAILED && !GONE.test(error ?? ""))) {
      failed = { at, error: (error ?? msg).trim() };
      failing.add(pid);
    }
    if (msg === ATTESTED && JSON.stringify(selectors ?? "").includes("k8s")) {
      failed = undefined;
      failing.delete(pid);
    }
    if (msg === UNREGISTERED && !failing.has(pid)) unregistered = { at, pid };
  }
  return { ...(failed && { failed }), ...(unregistered && { unregistered }) };
}
