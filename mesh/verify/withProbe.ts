/** `spire-federation verify --probe`: the checks of a verification, and then what workloads that are made for it come to. */
import { accessOf, type ClusterAccess } from "../../components/cluster/access";
import { definedOnly } from "../../stacks/fields";
import type { MeshMember } from "../members/members";
import type { ProbeMember, ProbeResult } from "./probe/probe";
import { type Code, evaluate, type Outcome, passes } from "./check";
import {
  isReadyToProbe,
  probeMemberChecks,
  probePairChecks,
  type ProbePairView,
  type ProbeView,
} from "./checks/probeChecks";
import { restingOn } from "./resting";
import { healthOf, type Verification } from "./verification";
import { placeOf } from "../kernel/place";

export interface Looking {
  verify: (members: readonly MeshMember[]) => Promise<Verification>;
  probe: (members: readonly ProbeMember[]) => Promise<ReadonlyMap<string, ProbeResult>>;
  /** Path of the SPIRE server's program in its container; undefined when it could not be found out. */
  program: (access: ClusterAccess) => Promise<string | undefined>;
}

/** Workloads are made for those who are chosen and for their peers. */
export async function verifyWithProbe(
  chosen: readonly MeshMember[],
  all: readonly MeshMember[],
  { verify, probe, program }: Looking,
): Promise<Verification> {
  const isChosen = (name: string): boolean => chosen.some((one) => one.name === name);
  const probed = all.filter(({ id, name }) => isChosen(name) || chosen.some(({ peers }) => peers.includes(id)));
  // All of them are judged: two can meet only when each passes, and trusts the other.
  const seen = await verify(probed);
  const checksOf = (name: string): Outcome[] => seen.members.find(({ member }) => member === name)?.checks ?? [];
  const ready = probed.filter(({ name }) =>
    isReadyToProbe((code) => checksOf(name).some((one) => one.code === code && passes(one.state))),
  );
  const probers = ready.map(({ name, config, peers }) => ({
    ...placeOf({ name, config }),
    trustDomain: config.trustDomain,
    meets: ready
      .filter(
        (peer) =>
          peers.includes(peer.id) &&
          (isChosen(name) || isChosen(peer.name)) &&
          hindranceOf(seen, name, peer.name) === undefined,
      )
      .map((peer) => peer.name),
  }));
  const results = await probe(probers);
  const tried = [...results.values()].some(({ probed: one }) => "seen" in one && one.seen.report.dialed.size > 0);
  const views = new Map(
    await Promise.all(
      probed.map(async ({ name, config }): Promise<[string, ProbeView]> => {
        const place = { ...placeOf({ name, config }), ...definedOnly({ program: await program(accessOf(config)) }) };
        return [name, { ...place, trustDomain: config.trustDomain, result: results.get(name), tried }];
      }),
    ),
  );
  return add(seen, views, isChosen);
}

/** Without these the member has no bundle of the peer, and would get no SVID that comes with it. What could not be seen is tried. */
const TRUST: readonly Code[] = ["MESH201", "MESH202", "MESH211"];

function hindranceOf({ pairs }: Verification, member: string, peer: string): ProbePairView["hindrance"] {
  for (const [from, to] of [
    [member, peer],
    [peer, member],
  ]) {
    const pair = pairs.find((one) => one.member === from && one.peer === to);
    if (pair === undefined) return { evidence: `${from} is not to trust ${to}, and this takes both` };
    const missed = pair.checks.find(({ code, state }) => TRUST.includes(code) && !passes(state) && state !== "unknown");
    if (missed === undefined) continue;
    const code = missed.state === "skipped" ? (missed.needs ?? missed.code) : missed.code;
    return { evidence: `${code}${from === member ? "" : ` of ${from} -> ${to}`} did not pass`, needs: code };
  }
  return undefined;
}

/** The outcomes of the probe, behind those that there are. */
function add(
  seen: Verification,
  views: ReadonlyMap<string, ProbeView>,
  isChosen: (name: string) => boolean,
): Verification {
  const members = seen.members.map((one) => {
    const view = views.get(one.member);
    return including(one, view === undefined ? [] : evaluate(probeMemberChecks, view, one.checks));
  });
  const checksOf = (name: string): Outcome[] | undefined => members.find(({ member }) => member === name)?.checks;
  const pairs = seen.pairs.map((one) => {
    const [view, peer] = [views.get(one.member), views.get(one.peer)];
    if (view === undefined) return one;
    const hindrance = peer === undefined ? undefined : hindranceOf(seen, one.member, one.peer);
    const ofPeer = checksOf(one.peer) ?? [outside];
    return including(one, evaluate(probePairChecks, { ...view, peer, hindrance }, checksOf(one.member), ofPeer));
  });
  return {
    ...seen,
    members: members.filter(({ member }) => isChosen(member)),
    pairs: pairs.filter(({ member }) => isChosen(member)),
    peers: restingOn([
      ...seen.peers,
      ...seen.members
        .filter(({ member }) => !isChosen(member) && pairs.some((one) => isChosen(one.member) && one.peer === member))
        .map(({ member, trustDomain, health, checks }) => ({ peer: member, trustDomain, health, checks })),
    ]),
  };
}

/** A peer that is no member has no workload, and is not to blame for it. */
const outside: Outcome = {
  code: "MESH401",
  title: "a workload gets its SVID",
  source: "nowhere",
  state: "skipped",
  evidence: "it is not of this project",
};

function including<T extends { checks: Outcome[] }>(one: T, added: readonly Outcome[]): T {
  const checks = [...one.checks, ...added];
  return { ...one, checks, health: healthOf(checks) };
}
