/** What `spire-federation verify` found, and how it is printed. Pure. */
import { printable } from "../kernel/text";
import { EXIT, type ExitCode } from "../kernel/exit";
import { type Outcome, passes } from "./check";

export type Health = "healthy" | "pending" | "unhealthy" | "unknown";

/** Times of something that expires, in ISO 8601. */
export interface Lifetime {
  /** Of the bundle endpoint's certificate, or of an X.509 root of a trust domain. */
  kind: "endpoint" | "root";
  /** Such as `certificate of the bundle endpoint`, `X.509 root 3f9a12…`. */
  what: string;
  /** Of the certificate, in hexadecimal. */
  sha256: string;
  notBefore: string;
  notAfter: string;
  /** When it will be renewed, as far as somebody says so. */
  renewal?: string;
}

export interface VerifiedMember {
  member: string;
  trustDomain: string;
  /** Undefined when it could not be found out. */
  bundleEndpointUrl?: string;
  health: Health;
  checks: Outcome[];
  /** Of the endpoint's certificate and the trust domain's X.509 roots, as far as they were seen. */
  lifetimes: Lifetime[];
}

/** A peer's bundle in a member's SPIRE server. */
export interface Held {
  roots: Lifetime[];
  /** When the last poll refreshed it, as far as the SPIRE server's log says so, ISO 8601. */
  refreshed?: string;
}

/** One direction: `member` trusts `peer`. */
export interface VerifiedPair {
  member: string;
  peer: string;
  /** The peer's; undefined when it could not be found out. */
  trustDomain?: string;
  health: Health;
  checks: Outcome[];
  /** When the last root that the member's SPIRE server holds of the peer ends, ISO 8601; undefined when it holds none, or that was not seen. */
  trustedUntil?: string;
  /** Undefined when the member's SPIRE server holds no bundle of the peer, or that was not seen. */
  held?: Held;
}

/** A peer that is not to be verified itself, with what did not pass there and makes trust in it worthless. */
export interface VerifiedPeer {
  peer: string;
  /** Undefined when it could not be found out. */
  trustDomain?: string;
  health: Health;
  checks: Outcome[];
}

export interface Verification {
  /** When it was looked at, ISO 8601. */
  at: string;
  /** Of this program. */
  version: string;
  members: VerifiedMember[];
  pairs: VerifiedPair[];
  /** Only peers in which something did not pass. */
  peers: VerifiedPeer[];
}

export const pairName = ({ member, peer }: Pick<VerifiedPair, "member" | "peer">): string => `${member} -> ${peer}`;

/** All members, pairs and peers of a verification. */
export const subjectsOf = ({
  members,
  pairs,
  peers,
}: Verification): (VerifiedMember | VerifiedPair | VerifiedPeer)[] => [...members, ...pairs, ...peers];

/** Whether anything was asked, or should have been; a check that doesn't apply says nothing. */
export const wasAsked = ({ checks }: { checks: readonly Outcome[] }): boolean =>
  checks.some((check) => check.state !== "skipped" || check.needs !== undefined);

/**
 * A warning is about a member that is healthy: it changes neither its health nor the exit code. Of whom nothing was asked
 * nothing is known.
 */
export function healthOf(checks: readonly Outcome[]): Health {
  const some = (state: Outcome["state"]): boolean => checks.some((check) => check.state === state);
  if (!wasAsked({ checks })) return "unknown";
  if (some("failed")) return "unhealthy";
  if (some("pending")) return "pending";
  // What was not asked, because something that it needs did not pass, is not known to be so.
  const unasked = checks.some((check) => check.state === "skipped" && check.needs !== undefined);
  return some("unknown") || unasked ? "unknown" : "healthy";
}

/** What failed counts more than what could not be seen. Who was left out doesn't count, unless that is everybody. */
export function verifyExit(verification: Verification): ExitCode {
  const asked = subjectsOf(verification).filter(wasAsked);
  if (asked.length === 0) return EXIT.unknown;
  const healths = asked.map(({ health }) => health);
  if (healths.some((health) => health === "unhealthy" || health === "pending")) return EXIT.findings;
  return healths.includes("unknown") ? EXIT.unknown : EXIT.fine;
}

export const MARKS = { ok: "√", warn: "!", note: "i", failed: "×", pending: "…", skipped: "-", unknown: "?" } as const;

export function printVerify(verification: Verification): string {
  const groups = [
    ...verification.members.map(({ member, trustDomain, ...rest }) => ({
      head: `${member} (${trustDomain})`,
      ...rest,
    })),
    ...verification.pairs.map(({ member, peer, trustDomain, ...rest }) => ({
      head: `${member} -> ${peer}${trustDomain === undefined ? "" : ` (${trustDomain})`}`,
      ...rest,
    })),
    ...verification.peers.map(({ peer, trustDomain, ...rest }) => ({
      head: `${peer}${trustDomain === undefined ? "" : ` (${trustDomain})`}, a peer`,
      ...rest,
    })),
  ];
  return `${groups.map(({ head, health, checks }) => section(head, health, checks)).join("\n")}\n${summary(verification)}\n`;
}

function section(head: string, health: Health, checks: readonly Outcome[]): string {
  return [`${printable(head)}: ${health}`, ...checks.flatMap((check) => lines(check))]
    .map((text) => `${text}\n`)
    .join("");
}

function lines(check: Outcome): string[] {
  const { state, code, title, evidence, source } = check;
  // Where a passing fact was seen stands in docs/checks.md; who has to act wants it here.
  const seen = state === "failed" || state === "warn" || state === "unknown" ? `, seen from ${source}` : "";
  const text = `  ${MARKS[state]} ${code} ${title}: ${printable(evidence).replaceAll("\n", "\n      ")}${seen}`;
  return "cure" in check ? [text, `      cure: ${printable(check.cure).replaceAll("\n", "\n            ")}`] : [text];
}

/** How many checks came to what; one line. */
export function summary(verification: Verification): string {
  const subjects = subjectsOf(verification);
  const checks = subjects.flatMap((one) => one.checks);
  const count = (state: Outcome["state"]): number => checks.filter((check) => check.state === state).length;
  const counted = (number: number, word: string): string[] =>
    number === 0 ? [] : [`${number} ${word}${number === 1 ? "" : "s"}`];
  const worth = [...counted(count("warn"), "warning"), ...counted(count("note"), "note")];
  if (verifyExit(verification) === EXIT.fine) {
    const who = [...counted(verification.members.length, "member"), ...counted(verification.pairs.length, "pair")];
    const passed = checks.filter(({ state }) => passes(state)).length;
    return `${who.join(", ")}: healthy (${[...counted(passed, "check"), ...worth].join(", ")})`;
  }
  const states = (["failed", "pending", "unknown"] as const).filter((state) => count(state) > 0);
  const unasked = checks.filter((check) => check.state === "skipped" && check.needs !== undefined).length;
  return [
    ...states.map((state) => `${count(state)} ${state}`),
    ...(unasked > 0 ? [`${unasked} not asked`] : []),
    `${count("ok")} passed`,
    ...worth,
  ].join(", ");
}
