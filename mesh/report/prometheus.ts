/**
 * A verification in Prometheus' text format, for the textfile collector: what SPIRE itself has no metric for. Names of
 * members, trust domains, codes, states and fingerprints are labels; what a cluster says in its own words is none. Pure.
 */
import {
  type Health,
  type Lifetime,
  subjectsOf,
  type Verification,
  verifyExit,
  wasAsked,
} from "../verify/verification";
import type { Outcome } from "../verify/check";
import { printable } from "../kernel/text";
import { parseTime } from "./moments";

/** Begins the name of every metric. */
export const PREFIX = "spire_federation_";

type Labels = Readonly<Record<string, string | undefined>>;
/** A value that is not known has no sample. */
type Sample = readonly [labels: Labels, value: number | undefined];
type Metric = readonly [name: string, help: string, samples: readonly Sample[]];

const HEALTHS: readonly Health[] = ["healthy", "pending", "unhealthy", "unknown"];
const FINDINGS: readonly Outcome["state"][] = ["failed", "pending", "unknown", "warn", "note"];

/** @returns gauges alone; times are Unix times in seconds */
export function prometheus(seen: Verification): string {
  const { at, version, members, pairs, peers } = seen;
  const own = members.flatMap(({ lifetimes, member, trustDomain }) =>
    lifetimes.map((life) => ({ life, labels: { member, trust_domain: trustDomain } })),
  );
  const endpoints = own.filter(({ life }) => life.kind === "endpoint");
  const roots = own.filter(({ life }) => life.kind === "root").map(rootOf);
  const trust = pairs.map((pair) => ({
    ...pair,
    labels: { member: pair.member, peer: pair.peer, trust_domain: pair.trustDomain },
  }));
  const held = trust.flatMap((pair) => (pair.held?.roots ?? []).map((life) => rootOf({ life, labels: pair.labels })));
  const metrics: Metric[] = [
    ["info", "The program that looked.", [[{ version }, 1]]],
    ["verify_timestamp_seconds", "When it looked.", [[{}, seconds(at)]]],
    [
      "verify_exit_code",
      "0 all passed, 1 something failed or is pending, 3 something is unknown.",
      [[{}, verifyExit(seen)]],
    ],
    healths(
      "member_health",
      "Whether a member works by itself",
      members.map((one) => ({ ...one, labels: labelsOf(one) })),
    ),
    healths("pair_health", "Whether a member trusts a peer, and with the peer's present keys", trust),
    healths(
      "peer_health",
      "Of a peer that was not to be verified itself, and in which something did not pass",
      peers.map((one) => ({ ...one, labels: labelsOf(one) })),
    ),
    ["findings", "Checks with something to say, by whose they are, code and severity.", findings(seen)],
    ...times("endpoint_certificate", "certificate that a member's bundle endpoint presents", endpoints),
    [
      "endpoint_certificate_renewal_timestamp_seconds",
      "When cert-manager will renew it.",
      endpoints.map(({ life: { renewal }, labels }) => [labels, seconds(renewal)]),
    ],
    ...times("own_root", "X.509 root in a member's own bundle", roots),
    ...times("held_root", "X.509 root that a member's SPIRE server holds of a peer", held),
    [
      "trust_end_timestamp_seconds",
      "End of the last root that a member's SPIRE server holds of a peer: without a refresh trust ends then.",
      trust.map(({ labels, trustedUntil }) => [labels, seconds(trustedUntil)]),
    ],
    [
      "held_bundle_refreshed_timestamp_seconds",
      "When a member's SPIRE server refreshed a peer's bundle last, as far as its log says.",
      trust.map(({ labels, held }) => [labels, seconds(held?.refreshed)]),
    ],
  ];
  return metrics.map(print).join("");
}

const labelsOf = ({ trustDomain, ...one }: { member?: string; peer?: string; trustDomain?: string }): Labels => ({
  member: one.member,
  peer: one.peer,
  trust_domain: trustDomain,
});

interface Living {
  life: Lifetime;
  labels: Labels;
}

const rootOf = ({ life, labels }: Living): Living => ({ life, labels: { ...labels, sha256: life.sha256 } });

function times(name: string, what: string, all: readonly Living[]): Metric[] {
  return [
    [
      `${name}_not_before_timestamp_seconds`,
      `Beginning of the ${what}.`,
      all.map(({ life, labels }) => [labels, seconds(life.notBefore)]),
    ],
    [
      `${name}_not_after_timestamp_seconds`,
      `End of the ${what}.`,
      all.map(({ life, labels }) => [labels, seconds(life.notAfter)]),
    ],
  ];
}

/** One of the four is 1: unknown is not unhealthy. Of whom nothing was asked there is none, as the exit code has it. */
function healths(
  name: string,
  help: string,
  all: readonly { labels: Labels; health: Health; checks: Outcome[] }[],
): Metric {
  const samples = all
    .filter(wasAsked)
    .flatMap(({ labels, health }) =>
      HEALTHS.map((one): Sample => [{ ...labels, health: one }, one === health ? 1 : 0]),
    );
  return [name, `${help}: 1 for its health, 0 for the others.`, samples];
}

function findings(seen: Verification): Sample[] {
  return subjectsOf(seen).flatMap((subject) =>
    subject.checks
      .filter(({ state }) => FINDINGS.includes(state))
      .map(({ code, state }): Sample => [{ ...labelsOf(subject), code, severity: state }, 1]),
  );
}

/** Undefined where it is no time: what a cluster says may be anything. */
function seconds(iso: string | undefined): number | undefined {
  const time = iso === undefined ? undefined : parseTime(iso);
  return time === undefined ? undefined : time / 1000;
}

/** A collector refuses the whole file for one series that is there twice, so the first of them counts. */
function print([name, help, samples]: Metric): string {
  const lines = new Map<string, number>();
  for (const [labels, value] of samples) {
    const series = `${PREFIX}${name}${printLabels(labels)}`;
    if (value !== undefined && !lines.has(series)) lines.set(series, value);
  }
  if (lines.size === 0) return "";
  const head = `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} gauge\n`;
  return head + [...lines].map(([series, value]) => `${series} ${value}\n`).join("");
}

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${escaped(printable(value))}"`],
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
