/** What a SPIRE server's log says of its polls of other trust domains, and of its own keys. Pure. */
import { isObject, parsed } from "../../components/shared/untyped";

/** The last polls of one trust domain. */
export interface Polls {
  /** When its bundle was refreshed last. */
  refreshed?: Date;
  /** When a poll failed last, and why: in one line, since SPIRE quotes the page that a router answers with. */
  failed?: { at: Date; error: string };
}

export interface ServerLog {
  /** By trust domain. */
  polls: Map<string, Polls>;
  /** When it revoked a JWT key of its own last; undefined when the log does not say so. */
  revoked?: Date;
}

const REFRESHED = "Bundle refreshed";
const FAILED = "Error updating bundle";
const REVOKED = "JWT authority revoked successfully";

/** @param log in either of SPIRE's formats, text or json */
export function logOf(log: string): ServerLog {
  const polls = new Map<string, Polls>();
  let revoked: Date | undefined;
  for (const line of log.split("\n")) {
    if (![REFRESHED, FAILED, REVOKED].some((message) => line.includes(message))) continue;
    const { msg, time = "", error = "it doesn't say why", trust_domain: trustDomain } = fieldsOf(line);
    const at = new Date(time);
    if (Number.isNaN(at.getTime())) continue;
    if (msg === REVOKED) revoked = at;
    if (trustDomain === undefined) continue;
    const known = polls.get(trustDomain) ?? {};
    if (msg === REFRESHED) polls.set(trustDomain, { ...known, refreshed: at });
    const [why = ""] = error.split("\n", 1);
    if (msg === FAILED) polls.set(trustDomain, { ...known, failed: { at, error: why.trim() } });
  }
  return { polls, ...(revoked && { revoked }) };
}

const FIELD = /(\w+)=("(?:[^"\\]|\\.)*"|\S*)/g;

/** The fields of a line, of either of SPIRE's formats. */
export function fieldsOf(line: string): Partial<Record<string, string>> {
  const json = line.startsWith("{") ? parsed(line) : undefined;
  if (isObject(json)) return json as Partial<Record<string, string>>;
  const fields = [...line.matchAll(FIELD)].map(([, name = "", value = ""]) => {
    const text = value.startsWith('"') ? parsed(value) : value;
    return [name, typeof text === "string" ? text : value];
  });
  return Object.fromEntries(fields) as Partial<Record<string, string>>;
}
