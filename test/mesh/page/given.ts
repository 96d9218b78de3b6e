/** Verifications as `mesh verify` gives them, made up: how the mesh is, and what is wrong in it. */
import type { Judgement, Outcome } from "../../../mesh/verify/check";
import { failed, ok, pending } from "../../../mesh/verify/check";
import {
  healthOf,
  type Lifetime,
  type Verification,
  type VerifiedMember,
  type VerifiedPair,
} from "../../../mesh/verify/verification";

export const AT = "2026-11-27T13:15:00.000Z";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A time so long after (before: negative) the verification. */
export const after = (span: number): string => new Date(Date.parse(AT) + span).toISOString();

const API = "the API server";
const ENDPOINT = "the TLS endpoint";
const SERVER = "the SPIRE server";

export const outcome = (code: number, title: string, source: string, judgement: Judgement): Outcome => ({
  code: `MESH${code}`,
  title,
  source,
  ...judgement,
});

export const unknown = (evidence: string): Judgement => ({ state: "unknown", evidence });
const waits = (code: number, whose = ""): Judgement => ({
  state: "skipped",
  evidence: `${whose}MESH${code} did not pass`,
  needs: `MESH${code}`,
});

export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `cluster${index + 1}`);
}

/** All trust all, and everything is as it should be. */
export function healthyMesh(count: number): Verification {
  const names = namesOf(count);
  return {
    at: AT,
    version: "0.1.0",
    members: names.map((name) => memberWith(name, memberChecks())),
    pairs: names.flatMap((member) =>
      names.filter((peer) => peer !== member).map((peer) => pairWith(member, peer, pairChecks())),
    ),
  };
}

/** cluster2's certificate has expired, cluster1 holds no bundle of cluster3, and cluster3's API server does not answer. */
export function faultyMesh(count = 3): Verification {
  const mesh = healthyMesh(count);
  const member = (name: string, checks: Outcome[], lifetimes?: Lifetime[]): void => {
    mesh.members = mesh.members.map((one) => (one.member === name ? memberWith(name, checks, lifetimes) : one));
  };
  const ended = { ...certificate(), notBefore: after(-93 * DAY), notAfter: after(-3 * DAY), renewal: after(-18 * DAY) };
  const unreachable = "connect ECONNREFUSED 198.18.48.1:6443";
  member("cluster2", memberChecks({ 113: EXPIRED, 114: waits(113) }), [ended, x509Root()]);
  member("cluster3", memberChecks({ 101: failed(unreachable, REACH), ...eachOf([102, 103, 121], waits(101)) }), []);
  mesh.pairs = mesh.pairs.map(({ member: from, peer, ...rest }) => {
    if (from === "cluster3") return pairWith(from, peer, pairChecks(eachOf([201, 202, 203, 204], waits(101))), {});
    if (peer === "cluster2") return pairWith(from, peer, pairChecks({ 204: waits(113, "the peer's ") }));
    if (from === "cluster1" && peer === "cluster3") {
      return pairWith(from, peer, pairChecks({ 203: noBundle(from, peer), 204: waits(203) }), {});
    }
    return { member: from, peer, ...rest };
  });
  return mesh;
}

export const REACH = "kubectl --context cluster3 get --raw /readyz";
const EXPIRED = failed(
  `CN=federation.apps.cluster2.example.com ended ${after(-3 * DAY)}`,
  "cmctl renew spire-server-federation-tls -n zero-trust-workload-identity-manager --context cluster2",
);
const noBundle = (member: string, peer: string): Judgement =>
  failed(
    `it holds no bundle of apps.${peer}.example.com`,
    `kubectl --context ${member} annotate clusterfederatedtrustdomain ${peer} --overwrite looked-at=now`,
  );

const eachOf = (codes: readonly number[], judgement: Judgement): Record<number, Judgement> =>
  Object.fromEntries(codes.map((code) => [code, judgement]));

export function memberChecks(otherwise: Readonly<Record<number, Judgement>> = {}): Outcome[] {
  const check = (code: number, title: string, source: string, evidence: string): Outcome =>
    outcome(code, title, source, otherwise[code] ?? ok(evidence));
  return [
    check(101, "The API server answers", API, "version v1.33.2"),
    check(102, "The SPIRE server runs", API, "spire-server-0 is ready"),
    check(103, "The Route is admitted", API, "by the router default"),
    check(112, "The endpoint's certificate names its host", ENDPOINT, "CN=R11"),
    check(113, "The endpoint's certificate has not expired", ENDPOINT, "89 days left"),
    check(114, "The endpoint serves a bundle", ENDPOINT, "2 X.509 roots, 2 JWT keys, sequence 7"),
    check(121, "The SPIRE server serves its own keys", SERVER, "the same 2 roots"),
  ];
}

export function pairChecks(otherwise: Readonly<Record<number, Judgement>> = {}): Outcome[] {
  const check = (code: number, title: string, source: string, evidence: string): Outcome =>
    outcome(code, title, source, otherwise[code] ?? ok(evidence));
  return [
    check(201, "The peer is declared", API, "ClusterFederatedTrustDomain"),
    check(202, "The SPIRE server is configured for the peer", SERVER, "federatesWith names it"),
    check(203, "The SPIRE server holds the peer's bundle", SERVER, "2 roots"),
    check(204, "What it holds is what the peer serves", SERVER, "the same 2 roots and 2 JWT keys"),
  ];
}

/** Every state in a member and in a pair: cluster1 unhealthy, cluster2 pending, cluster3 unknown, and so on from cluster4 to 6. */
export function everyState(count = 4): Verification {
  const mesh = healthyMesh(count);
  const judgements = [
    failed("exit code 1", "kubectl logs spire-server-0"),
    PENDING,
    unknown("get pods: forbidden"),
    ok(""),
  ];
  const judgement = (index: number): Judgement => judgements[index % judgements.length] ?? ok("");
  return {
    ...mesh,
    members: mesh.members.map(({ member }, index) => memberWith(member, memberChecks({ 102: judgement(index) }))),
    pairs: mesh.pairs.map(({ member, peer }, index) => pairWith(member, peer, pairChecks({ 203: judgement(index) }))),
  };
}

/** The same mesh, whose members have other names. */
export function renamed(verification: Verification, rename: (name: string) => string): Verification {
  const text = verification.members.reduce(
    (json, { member }) => json.replaceAll(member, rename(member)),
    JSON.stringify(verification),
  );
  return JSON.parse(text) as Verification;
}

const PENDING = pending("the peer has published no endpoint yet", "npx mesh up");

const certificate = (): Lifetime => ({
  what: "certificate of the bundle endpoint",
  notBefore: after(-DAY),
  notAfter: after(89 * DAY),
  renewal: after(74 * DAY),
});
const x509Root = (): Lifetime => ({
  what: "X.509 root 3f9a12c8…",
  notBefore: after(-4 * HOUR),
  notAfter: after(20 * HOUR),
});

export function memberWith(member: string, checks: Outcome[], lifetimes = [certificate(), x509Root()]): VerifiedMember {
  const trustDomain = `apps.${member}.example.com`;
  return {
    member,
    trustDomain,
    bundleEndpointUrl: `https://federation.${trustDomain}`,
    health: healthOf(checks),
    checks,
    lifetimes,
  };
}

export function pairWith(
  member: string,
  peer: string,
  checks: Outcome[],
  trust: Pick<VerifiedPair, "trustedUntil"> = { trustedUntil: after(20 * HOUR) },
): VerifiedPair {
  return {
    member,
    peer,
    trustDomain: `apps.${peer}.example.com`,
    health: healthOf(checks),
    checks,
    ...trust,
  };
}
