/**
 * A workload in each cluster gets its SVID and does mTLS with those of its peers: what no object of Kubernetes and no
 * answer of a SPIRE server proves. Everything that is made for it is taken away again, however it ends.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { accessOf, type ClusterAccess } from "../../../components/cluster/access";
import { Forbidden } from "../../../components/cluster/cluster";
import type { Fate } from "../../pulumi/liveness";
import { readIngressDomain } from "../../trust/trustFacts";
import type { Claim } from "./claim";
import type { ProbeCluster } from "./cluster";
import type { PodReport } from "./log";
import type { Prober } from "./probeObjects";
import {
  claimPlace,
  Ended,
  isClaimed,
  makeWorkload,
  cleanUpCommand,
  removeNamespace,
  removeNamespaceCommand,
  takeAway,
  type Turn,
} from "./podPlace";
import { podTrouble, routeTrouble } from "./trouble";
import { hear, isSettled, news, nothing, type Watched } from "./watching";
import type { Place } from "../../kernel/place";
import { look, type Looked } from "../../kernel/looked";

export interface ProbeMember extends Place {
  trustDomain: string;
  /** Other members, each of which it trusts and is trusted by: other members would refuse the connection. */
  meets: readonly string[];
}

/** What a member's workload has come to. */
export interface Probed {
  report: PodReport;
  /** Without an identity: what keeps its pod from running. */
  pod?: string;
  /** Where somebody could not reach it: why the router doesn't serve it. */
  route?: string;
}

export interface ProbeResult {
  probed: Looked<Probed>;
  /** Why something of it is left, and what removes it. */
  left?: { why: string; cure: string };
}

export interface ProbeIo {
  connect: (access: ClusterAccess) => ProbeCluster;
  claim: Claim;
  fate: (claim: Claim) => Fate;
  note: (line: string) => void;
  /** Remembers what is there, for somebody who does not wait for the end; the function that it gives is called when it is gone. */
  made: (what: string) => () => void;
  interrupted: () => boolean;
  image: string;
}

/** For all of it but taking away: an image may have to be pulled, an agent looks every 5 seconds. */
const PROBE_MS = 120_000;
const AGAIN_MS = 1000;

const RIGHTS = "docs/rbac/auditor-probe.yaml grants all that a probe needs";

/** By member. All clusters at once: one that doesn't answer delays nobody. */
export async function probeMesh(members: readonly ProbeMember[], io: ProbeIo): Promise<Map<string, ProbeResult>> {
  const places = await Promise.all(
    members.map(async (member) => ({ member, place: await look(() => findPlace(member, io)) })),
  );
  const probers = places.flatMap(({ place }) => ("seen" in place ? [place.seen.prober] : []));
  const probe = new Probe(io, probers.length);
  const results = await Promise.all(
    places.map(async ({ member, place }): Promise<[string, ProbeResult]> => {
      if ("because" in place) return [member.member, { probed: place }];
      const peers = probers.filter((prober) => member.meets.includes(prober.member));
      return [member.member, await probe.run(member, place.seen, peers)];
    }),
  );
  return new Map(results);
}

interface ProbePlace {
  cluster: ProbeCluster;
  prober: Prober;
}

async function findPlace({ member, trustDomain, ...access }: ProbeMember, { connect }: ProbeIo): Promise<ProbePlace> {
  const cluster = connect(accessOf(access));
  const ingressDomain = await readIngressDomain(cluster);
  if (ingressDomain === undefined) throw new Error("ingresses.config/cluster has no domain");
  return { cluster, prober: { member, trustDomain, ingressDomain } };
}

/** The workloads of one probe, which end together: each is the server of others. */
class Probe {
  private readonly end = Date.now() + PROBE_MS;
  private readonly watched = new Map<string, Watched & { peers: readonly string[] }>();

  constructor(
    private readonly io: ProbeIo,
    /** How many are still to be made. */
    private coming: number,
  ) {}

  async run(
    { member, ...access }: ProbeMember,
    { cluster, prober }: ProbePlace,
    peers: Prober[],
  ): Promise<ProbeResult> {
    const { claim, fate, image } = this.io;
    const note = (line: string): void => {
      this.io.note(`${member}: ${line}`);
    };
    const goOn = (): void => {
      if (this.io.interrupted()) throw new Ended("it was interrupted");
      if (Date.now() > this.end) throw new Ended(`it could not be made within ${PROBE_MS / 1000} s`);
    };
    const turn: Turn = { cluster, claim, fate, note, goOn };
    let gone = (): void => undefined;
    const made = await look(async () => {
      try {
        await claimPlace(turn, prober, peers);
        gone = this.io.made(`what the probe has made in ${member} (remove it with: ${cleanUpCommand(access)})`);
        note("makes a workload, to be taken away again");
        await makeWorkload(turn, prober, peers, image);
      } catch (error) {
        throw error instanceof Forbidden ? new Error(`${error.message}; ${RIGHTS}`) : error;
      }
      this.watched.set(member, { ...nothing(), peers: peers.map((peer) => peer.member) });
    });
    this.coming -= 1;
    const probed = "because" in made ? made : await look(() => this.watch(member, cluster, note));
    const claimed = turn.mayBeClaimed === true && (await isClaimed(turn).catch(() => true));
    if (!claimed) {
      const why = turn.madeNamespace === true ? await removeNamespace(cluster) : undefined;
      return { probed, ...(why !== undefined && { left: { why, cure: removeNamespaceCommand(access) } }) };
    }
    const why = await takeAway(cluster);
    if (why === undefined) gone();
    note(why === undefined ? "has taken the workload away" : `could not take the workload away: ${why}`);
    return { probed, ...(why !== undefined && { left: { why, cure: cleanUpCommand(access) } }) };
  }

  private async watch(member: string, cluster: ProbeCluster, note: (line: string) => void): Promise<Probed> {
    while (!this.isDone()) {
      if (this.io.interrupted()) throw new Ended("it was interrupted");
      const log = await look(() => cluster.log());
      const before = this.watched.get(member);
      if ("seen" in log && before !== undefined) {
        const after = hear(before, log.seen, Date.now());
        news(before.report, after.report).forEach(note);
        this.watched.set(member, { ...before, ...after });
      }
      await sleep(AGAIN_MS);
    }
    return this.explain(member, cluster);
  }

  /** What it has said, and what only the cluster can say. */
  private async explain(member: string, cluster: ProbeCluster): Promise<Probed> {
    const all = [...this.watched.values()].map(({ report }) => report);
    const report = this.watched.get(member)?.report ?? nothing().report;
    const silent = report.identity === undefined && report.without === undefined;
    const pod = silent ? await podTrouble(cluster) : undefined;
    const unreached = all.some(({ dialed }) => dialed.get(member)?.outcome === "unreachable");
    const route = unreached ? await look(() => routeTrouble(cluster)) : undefined;
    return {
      report,
      ...(pod !== undefined && { pod }),
      ...(route !== undefined && "seen" in route && route.seen !== undefined && { route: route.seen }),
    };
  }

  private isDone(): boolean {
    const now = Date.now();
    if (now > this.end) return true;
    const present = (peers: readonly string[]): string[] => peers.filter((peer) => this.watched.has(peer));
    return this.coming === 0 && [...this.watched.values()].every((one) => isSettled(one, present(one.peers), now));
  }
}
