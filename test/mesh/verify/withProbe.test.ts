/** Who is probed, and what is said of it, by what the checks before it have said. */
import type { MeshMember } from "../../../mesh/members/members";
import { type Dialed, readReport } from "../../../mesh/verify/probe/log";
import type { Probed, ProbeMember, ProbeResult } from "../../../mesh/verify/probe/probe";
import type { Outcome } from "../../../mesh/verify/check";
import { type Verification, verifyExit } from "../../../mesh/verify/verification";
import { verifyWithProbe } from "../../../mesh/verify/withProbe";
import { faults, look, memberNamed, NAMES, objectIn, type Otherwise, removeFrom, trustDomainOf } from "./fixture";

const idOf = (name: string): string =>
  `spiffe://${trustDomainOf(name)}/ns/spire-federation-probe/sa/spire-federation-probe`;
const met: Dialed = { outcome: "met", tls: "TLSv1.3" };

/** Everybody meets whom he is to meet. */
const healthy = ({ member, meets }: ProbeMember): ProbeResult => ({
  probed: {
    seen: {
      report: {
        identity: { id: idOf(member), bundles: [trustDomainOf(member)] },
        dialed: new Map(meets.map((peer) => [peer, met])),
      },
    },
  },
});

interface Outcomes {
  verification: Verification;
  asked: readonly ProbeMember[];
  /** `MESH402 cluster1->cluster2`. */
  of: (code: string) => Outcome;
}

async function probe(
  { members = NAMES.map((name) => memberNamed(name)), chosen = NAMES, ...otherwise }: Otherwise = {},
  result: (member: ProbeMember) => ProbeResult = healthy,
): Promise<Outcomes> {
  let asked: readonly ProbeMember[] = [];
  const named = (names: readonly string[]): MeshMember[] => members.filter(({ name }) => names.includes(name));
  const verification = await verifyWithProbe(named(chosen), members, {
    verify: (those) => look({ members, ...otherwise, chosen: those.map(({ name }) => name) }),
    probe: (those) => {
      asked = those;
      return Promise.resolve(new Map(those.map((member) => [member.member, result(member)])));
    },
    program: () => Promise.resolve("/opt/spire/bin/spire-server"),
  });
  const of = (what: string): Outcome => {
    const [code, who] = what.split(" ");
    const { members: ofMembers, pairs } = verification;
    const { checks = [] } =
      [...ofMembers, ...pairs].find((one) => ("peer" in one ? `${one.member}->${one.peer}` : one.member) === who) ?? {};
    const outcome = checks.find((one) => one.code === code);
    if (outcome === undefined) throw new Error(`there is no ${what}`);
    return outcome;
  };
  return { verification, asked, of };
}

/** cluster1's workload has come to this, the others' are well. */
const cluster1 =
  (probed: Partial<Probed["report"]> & { pod?: string; route?: string }) =>
  (member: ProbeMember): ProbeResult => {
    const { pod, route, ...report } = probed;
    if (member.member !== "cluster1") return healthy(member);
    const rest = { ...(pod !== undefined && { pod }), ...(route !== undefined && { route }) };
    return { probed: { seen: { report: { dialed: new Map<string, Dialed>(), ...report }, ...rest } } };
  };
const identity = { id: idOf("cluster1"), bundles: [] };

test("on a mesh that is well every pair meets, in both directions", async () => {
  const { verification, of } = await probe();
  expect(faults(verification)).toEqual([]);
  expect(verifyExit(verification)).toBe(0);
  expect(verification.pairs.map(({ checks }) => checks.at(-1)?.code)).toEqual(Array(6).fill("MESH402"));
  expect(of("MESH402 cluster1->cluster2")).toMatchObject({
    state: "ok",
    evidence: `${idOf("cluster1")} has met ${idOf("cluster2")}, TLSv1.3`,
  });
  expect(of("MESH401 cluster1")).toMatchObject({ state: "ok" });
  expect(of("MESH403 cluster1")).toMatchObject({ state: "ok" });
});

/** Stacks with capitals, dots and underscores, whose objects are called like those of cluster1 to cluster3. */
const ODD: Record<string, string> = { cluster1: "Cluster1", cluster2: "cluster2.", cluster3: "_cluster3" };

test.each([
  ["short", (stack: string) => stack],
  ["with the project", (stack: string) => `spire-federation/${stack}`],
  ["in full", (stack: string) => `organization/spire-federation/${stack}`],
])("whatever the stacks are called, and with peers written %s, every pair is checked and meets", async (_, written) => {
  const odd = (name: string): string => ODD[name] ?? name;
  const members = NAMES.map((name) => {
    const peers = NAMES.filter((other) => other !== name).map((other) => written(odd(other)));
    return memberNamed(name, { peers }, odd(name));
  });
  const { asked, verification } = await probe({ members, chosen: Object.values(ODD) });
  expect(asked.map(({ member, meets }) => [member, ...meets])).toEqual([
    ["Cluster1", "cluster2.", "_cluster3"],
    ["cluster2.", "Cluster1", "_cluster3"],
    ["_cluster3", "Cluster1", "cluster2."],
  ]);
  expect(faults(verification)).toEqual([]);
  const met = verification.pairs.map(({ member, peer, checks }) => [member, peer, checks.at(-1)?.code]);
  expect(met).toHaveLength(6);
  expect(met[0]).toEqual(["Cluster1", "cluster2.", "MESH402"]);
});

test("of some members, only they and their peers get workloads, and only those pairs are tried", async () => {
  const { asked, verification } = await probe({ chosen: ["cluster1"] });
  expect(asked.map(({ member, meets }) => [member, ...meets])).toEqual([
    ["cluster1", "cluster2", "cluster3"],
    ["cluster2", "cluster1"],
    ["cluster3", "cluster1"],
  ]);
  expect(verification.members.map(({ member }) => member)).toEqual(["cluster1"]);
  expect(verification.pairs.map(({ member, peer }) => [member, peer])).toEqual([
    ["cluster1", "cluster2"],
    ["cluster1", "cluster3"],
  ]);
});

test("where trust does not pass its own checks, nobody is sent, and the root is named for both directions", async () => {
  const { asked, of } = await probe({
    change: ({ cluster1: one }) => {
      if (one) one.bundles = one.bundles.filter(({ trustDomain }) => trustDomain !== trustDomainOf("cluster2"));
    },
  });
  expect(asked.map(({ member, meets }) => [member, ...meets])).toEqual([
    ["cluster1", "cluster3"],
    ["cluster2", "cluster3"],
    ["cluster3", "cluster1", "cluster2"],
  ]);
  expect(of("MESH402 cluster1->cluster2")).toMatchObject({ state: "skipped", needs: "MESH211" });
  expect(of("MESH402 cluster2->cluster1")).toMatchObject({
    state: "skipped",
    needs: "MESH211",
    evidence: "MESH211 of cluster1 -> cluster2 did not pass",
  });
  expect(of("MESH402 cluster1->cluster3")).toMatchObject({ state: "ok" });
});

test("trust in one direction only is no fault, and nothing is tried", async () => {
  const members = [memberNamed("cluster1", { peers: ["cluster2"] }), memberNamed("cluster2", { peers: [] })];
  const { asked, of } = await probe({ members, chosen: ["cluster1", "cluster2"] });
  expect(asked.map(({ meets }) => meets)).toEqual([[], []]);
  const outcome = of("MESH402 cluster1->cluster2");
  expect(outcome).toMatchObject({
    state: "skipped",
    evidence: "cluster2 is not to trust cluster1, and this takes both",
  });
  expect(outcome).not.toHaveProperty("needs");
});

test("a probe that tries no direction is no success", async () => {
  const members = [memberNamed("cluster1", { peers: [] }), memberNamed("cluster2", { peers: [] })];
  const change: Otherwise["change"] = (clusters) => {
    for (const cluster of Object.values(clusters)) {
      cluster.objects = cluster.objects.filter(({ kind }) => kind !== "ClusterFederatedTrustDomain");
      const { federation } = objectIn(cluster, "SpireServer")["spec"] as unknown as { federation: object };
      Object.assign(federation, { federatesWith: [] });
      [cluster.bundles, cluster.relationships] = [[], []];
    }
  };
  const { verification, of } = await probe({ members, chosen: ["cluster1", "cluster2"], change });
  expect(of("MESH401 cluster1")).toMatchObject({ state: "ok" });
  expect(of("MESH404 cluster1")).toMatchObject({ state: "unknown" });
  expect(verifyExit(verification)).not.toBe(0);
  expect((await probe()).of("MESH404 cluster1")).toMatchObject({ state: "ok" });
});

test("where the SPIRE server cannot be asked what it holds, it is tried all the same", async () => {
  const { of } = await probe({
    change: ({ cluster1: one }) => {
      if (one) one.serverRefuses = new Error("403");
    },
  });
  expect(of("MESH402 cluster1->cluster2")).toMatchObject({ state: "ok" });
});

test("in a cluster without agents nothing is made", async () => {
  const { asked, of } = await probe({
    change: ({ cluster1: one }) => {
      removeFrom(one, "DaemonSet");
    },
  });
  expect(asked.map(({ member }) => member)).toEqual(["cluster2", "cluster3"]);
  expect(of("MESH401 cluster1")).toMatchObject({ state: "skipped", needs: "MESH136" });
  expect(of("MESH402 cluster2->cluster1")).toMatchObject({ state: "skipped", needs: "MESH136" });
});

test("a peer of another project has no workload, and that is no fault", async () => {
  const members = [memberNamed("cluster1", { peers: ["other/project/far"] })];
  const { of } = await probe({ members, chosen: ["cluster1"] });
  expect(of("MESH402 cluster1->other/project/far")).toMatchObject({
    state: "skipped",
    evidence: "the peer is not of this project: no workload is made in its cluster",
  });
});

describe("of a workload", () => {
  test("that the agent gives no identity, the agent's word is told, and where more is said", async () => {
    const { of } = await probe({}, cluster1({ without: "PermissionDenied: no identity issued" }));
    const outcome = of("MESH401 cluster1");
    expect(outcome).toMatchObject({
      state: "failed",
      evidence: "the agent gives none: PermissionDenied: no identity issued",
    });
    expect("cure" in outcome && outcome.cure).toMatch(
      /logs spire-server-0 -c spire-controller-manager.*logs daemonset\/spire-agent/,
    );
    expect(of("MESH402 cluster2->cluster1")).toMatchObject({ state: "skipped", needs: "MESH401" });
  });

  test("whose image cannot be pulled, nothing is known", async () => {
    const { of, verification } = await probe({}, cluster1({ pod: "workload: ImagePullBackOff" }));
    expect(of("MESH401 cluster1")).toMatchObject({ state: "unknown" });
    expect(of("MESH401 cluster1").evidence).toMatch(/ImagePullBackOff; --probe-image names another image/);
    expect(verifyExit(verification)).toBe(3);
  });

  test("whose agent's socket cannot be mounted, it is known that workloads get nothing", async () => {
    const { of } = await probe({}, cluster1({ pod: "driver name csi.spiffe.io not found" }));
    expect(of("MESH401 cluster1")).toMatchObject({ state: "failed" });
  });

  test("that could not be made, the reason is told and nothing is known", async () => {
    const { of } = await probe({}, (member) =>
      member.member === "cluster1" ? { probed: { because: "it was interrupted" } } : healthy(member),
    );
    expect(of("MESH401 cluster1")).toMatchObject({ state: "unknown", evidence: "it was interrupted" });
  });
});

describe("of a connection", () => {
  const dialed = (how: Dialed) => cluster1({ identity, dialed: new Map([["cluster2", how]]) });

  test.each<["here" | "there", string, string, string]>([
    ["here", "cluster1", "cluster2", "no root"],
    ["there", "cluster2", "cluster1", "no root"],
  ])("that is refused %s, who lacks the keys gets them", async (by, who, whom, why) => {
    const { of } = await probe({}, dialed({ outcome: "refused", by, why }));
    const outcome = of("MESH402 cluster1->cluster2");
    expect(outcome).toMatchObject({ state: "failed", evidence: `${who}'s workload refuses ${whom}'s: no root` });
    expect("cure" in outcome && outcome.cure).toMatch(
      new RegExp(
        `^oc --context ${who} exec .* -- /opt/spire/bin/spire-server federation refresh -id ${trustDomainOf(whom)}$`,
      ),
    );
  });

  test("that does not come about, it is told from where to where", async () => {
    const { of } = await probe({}, dialed({ outcome: "unreachable", why: "ECONNREFUSED" }));
    expect(of("MESH402 cluster1->cluster2")).toMatchObject({
      state: "failed",
      evidence: "cluster2's workload is not reached: ECONNREFUSED",
      cure: "let pods of cluster1 reach the router of cluster2 on port 443, by that name",
    });
  });

  test("that nothing was heard of, nothing is known", async () => {
    const { of } = await probe({}, cluster1({ identity }));
    expect(of("MESH402 cluster1->cluster2")).toMatchObject({ state: "unknown" });
  });
});

test("what is left is a failure of its own, with what removes it", async () => {
  const left = { why: "Pod does not end", cure: "oc delete" };
  const { of } = await probe({}, (member) => ({ ...healthy(member), ...(member.member === "cluster1" && { left }) }));
  expect(of("MESH403 cluster1")).toMatchObject({ state: "failed", evidence: left.why, cure: left.cure });
  expect(of("MESH403 cluster2")).toMatchObject({ state: "ok" });
});

test("words that the workload does not have are unknown, and no success", async () => {
  const dialed = new Map([["cluster2", { outcome: "fine" } as unknown as Dialed]]);
  const { verification, of } = await probe({}, cluster1({ identity, dialed }));
  expect(of("MESH402 cluster1->cluster2")).toMatchObject({ state: "unknown" });
  expect(verifyExit(verification)).not.toBe(0);
  expect(readReport('{"event":"identity","bundles":[]}\n{"event":"identity","id":"x"}').identity).toBeUndefined();
});
