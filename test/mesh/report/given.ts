/** Verifications as `spire-federation verify` gives them, made up: all its checks, and what they would say. */
import {
  type Check,
  type Code,
  evaluate,
  failed,
  type Judgement,
  note,
  NotSeen,
  ok,
  pending,
} from "../../../mesh/verify/check";
import { memberChecks, pairChecks } from "../../../mesh/verify/checks/all";
import { healthOf, type Lifetime, type Verification, type VerifiedMember } from "../../../mesh/verify/verification";

export const AT = "2026-11-27T13:15:00.000Z";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A time so long after (before: negative) the verification. */
export const after = (span: number): string => new Date(Date.parse(AT) + span).toISOString();

/** What checks say that don't pass, by code; a text is why it could not be seen. */
export type Said = Readonly<Partial<Record<Code, Judgement | string>>>;

/** What is otherwise in a mesh in which all trust all: by member, and by pair such as `cluster1 cluster2`. */
export interface Otherwise {
  said?: Readonly<Record<string, Said>>;
  lifetimes?: Readonly<Record<string, Lifetime[]>>;
  /** Pairs whose SPIRE server holds nothing, or was not seen. */
  unheld?: readonly string[];
}

export function mesh(count: number, { said = {}, lifetimes = {}, unheld = [] }: Otherwise = {}): Verification {
  const names = Array.from({ length: count }, (_, index) => `cluster${index + 1}`);
  const members = names.map((member): VerifiedMember => {
    const checks = evaluate(saying(memberChecks, said[member]), undefined);
    const trustDomain = `apps.${member}.example.com`;
    const bundleEndpointUrl = `https://federation.${trustDomain}`;
    const health = healthOf(checks);
    return {
      member,
      trustDomain,
      bundleEndpointUrl,
      health,
      checks,
      lifetimes: lifetimes[member] ?? [certificate, root],
    };
  });
  const pairs = members.flatMap(({ member, checks: own }) =>
    members
      .filter((peer) => peer.member !== member)
      .map(({ member: peer, trustDomain, checks: ofPeer }) => {
        const name = `${member} ${peer}`;
        const checks = evaluate(saying(pairChecks, said[name]), undefined, own, ofPeer);
        const holds = { trustedUntil: root.notAfter, held: { roots: [root], refreshed: after(-5 * 60_000) } };
        const trust = unheld.includes(name) || unheld.includes(member) ? {} : holds;
        return { member, peer, trustDomain, health: healthOf(checks), checks, ...trust };
      }),
  );
  return { at: AT, version: "0.1.0", members, pairs, peers: [] };
}

/** The real checks, that say what they are told to say. */
function saying<View>(checks: readonly Check<View>[], said: Said = {}): Check<undefined>[] {
  return checks.map((check) => ({
    ...check,
    // Endpoints are within reach; nobody has what other checks are asked of alone.
    asked: () => check.asked === undefined || /^MESH14/.test(check.code),
    judge: (): Judgement => {
      const judgement = said[check.code] ?? ok("so it is");
      if (typeof judgement === "string") throw new NotSeen(judgement);
      return judgement;
    },
  }));
}

const certificate: Lifetime = {
  kind: "endpoint",
  what: "certificate of the bundle endpoint",
  sha256: "c0".repeat(32),
  notBefore: after(-DAY),
  notAfter: after(89 * DAY),
  renewal: after(74 * DAY),
};
const root: Lifetime = {
  kind: "root",
  what: "X.509 root 3f9a12c8",
  sha256: "3f9a12c8".repeat(8),
  notBefore: after(-4 * HOUR),
  notAfter: after(20 * HOUR),
};

export const RENEW =
  "see that cert-manager runs, then cmctl --context cluster2 renew spire-server-federation-tls -n zero-trust-workload-identity-manager";
export const REACH = "oc --context cluster3 version";
export const refresh = (member: string, peer: string): string =>
  `oc --context ${member} exec -n zero-trust-workload-identity-manager spire-server-0 -c spire-server -- /spire-server federation refresh -id apps.${peer}.example.com`;

/** cluster2's certificate has expired, so that nobody gets its bundle; cluster2 holds no bundle of cluster1; cluster3's API server doesn't answer. */
export function faultyMesh(count = 3): Verification {
  const dates = `${after(-93 * DAY)} to ${after(-3 * DAY)}`;
  const expired = failed(`${dates}: it has expired`, RENEW);
  const holdsNone = failed("holds no bundle of apps.cluster1.example.com", refresh("cluster2", "cluster1"));
  const polls = Array.from({ length: count }, (_, index): [string, Said] => [
    `cluster${index + 1} cluster2`,
    {
      MESH213: failed(
        `refreshed 3 days ago; failed ${index + 7} s ago: tls: failed to verify certificate: x509: certificate has expired`,
        refresh(`cluster${index + 1}`, "cluster2"),
      ),
    },
  ]);
  return mesh(count, {
    said: {
      ...Object.fromEntries(polls),
      cluster2: { MESH114: expired, MESH144: expired },
      cluster3: { MESH101: { state: "unknown", evidence: "connect ECONNREFUSED 198.18.48.1:6443", cure: REACH } },
      "cluster2 cluster1": { MESH211: holdsNone, MESH212: holdsNone },
    },
    lifetimes: {
      cluster2: [
        { ...certificate, notBefore: after(-93 * DAY), notAfter: after(-3 * DAY), renewal: after(-18 * DAY) },
        root,
      ],
      cluster3: [],
    },
    unheld: ["cluster3", "cluster2 cluster1"],
  });
}

/** What each cluster of ZTWIM 1.1 has. */
export const GRANT = (member: string): Judgement =>
  note("the router may list and watch all secrets", `oc --context ${member} get secrets`);

/** Every state in members and in pairs. */
export function everyState(): Verification {
  const states = [
    failed("exit code 1, 4 restarts", "oc logs spire-server-0 says why"),
    pending("the peer has published no endpoint yet", "npx spire-federation up"),
    "pods is forbidden: User cannot list resource pods",
  ];
  const names = ["cluster1", "cluster2", "cluster3"];
  return mesh(4, {
    said: {
      cluster4: { MESH124: GRANT("cluster4") },
      ...Object.fromEntries(
        states.flatMap((state, index): [string, Said][] => [
          [names[index] ?? "", { MESH151: state }],
          [`cluster4 ${names[index] ?? ""}`, { MESH205: state }],
          [`${names[index] ?? ""} cluster4`, { MESH205: state }],
        ]),
      ),
    },
  });
}

/** The same mesh, whose members have other names. */
export function renamed(verification: Verification, rename: (name: string) => string): Verification {
  const text = verification.members.reduce(
    (json, { member }) => json.replaceAll(member, rename(member)),
    JSON.stringify(verification),
  );
  return JSON.parse(text) as Verification;
}
