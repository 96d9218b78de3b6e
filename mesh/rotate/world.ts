/** A member's SPIRE server and those that trust it, as a rotation sees them. */
import type { ClusterReader } from "../../components/cluster/cluster";
import { OPERAND_NAMESPACE, SPIRE_SERVER } from "../../components/shared/names";
import type { Workload } from "../../components/waiting/workloads";
import { UsageError } from "../kernel/exit";
import { look } from "../kernel/looked";
import type { MeshMember } from "../members/members";
import type { Published } from "../pulumi/workspace";
import { type Authorities, type Kind, KINDS } from "../spire/authorities";
import { readKeyLives } from "../spire/keyLives";
import type { RotationWorld } from "./rotation";
import type { KeySight, PeerSight, Timing } from "./sight";

type Lives = Pick<Timing, "hint" | "lifetime" | "jwtLife">;

/** @throws UsageError where a rotation was never tried: several servers have keys and slots of their own each */
export async function readLives(member: string, reader: ClusterReader): Promise<Lives> {
  const [{ caValidity, defaultJWTValidity, refreshHint }, set] = await Promise.all([
    readKeyLives(reader),
    reader.get<Workload>("apps/v1", "StatefulSet", SPIRE_SERVER, OPERAND_NAMESPACE),
  ]);
  const replicas = set?.spec?.replicas ?? 1;
  if (replicas !== 1) {
    throw new UsageError(
      `${member}: its SPIRE server has ${String(replicas)} replicas, each with keys of its own; keys are replaced only where it has one`,
    );
  }
  return { hint: refreshHint, lifetime: caValidity * 1000, jwtLife: defaultJWTValidity * 1000 };
}

/**
 * @param others the other members: those that declare it as a peer, or hold its bundle, count
 * @param serverOf the SPIRE server of a member
 * @param trusted whom the cluster trusts since the last up, by the names of its peers
 */
export async function rotationWorld(
  member: MeshMember,
  others: readonly MeshMember[],
  serverOf: (member: MeshMember) => Authorities,
  lives: Lives,
  trusted: Published["peers"] = {},
  now = () => new Date(),
): Promise<RotationWorld> {
  const server = serverOf(member);
  const { trustDomain } = member.config;
  const { count, longestJwt } = await server.entries();
  const known = new Set([trustDomain, ...others.map(({ config }) => config.trustDomain)]);
  const partners = partnersOf(member, trusted);

  const heldBy = async (other: MeshMember): Promise<Record<Kind, PeerSight>[]> => {
    const held = await look(() => serverOf(other).held());
    if ("because" in held) {
      const unread = { member: other.name, because: held.because };
      return other.peers.includes(member.id) ? [{ x509: unread, jwt: unread }] : [];
    }
    const bundle = held.seen.get(trustDomain);
    if (bundle === undefined) return [];
    const holds = (kind: Kind): PeerSight => ({ member: other.name, holds: bundle[kind] });
    return [{ x509: holds("x509"), jwt: holds("jwt") }];
  };

  return {
    server,
    refresh: async (name) => {
      const other = others.find((one) => one.name === name);
      if (other !== undefined) await serverOf(other).refresh(trustDomain);
    },
    sight: async () => {
      const [x509, jwt, own, held, agents, peers] = await Promise.all([
        server.slots("x509"),
        server.slots("jwt"),
        server.own(),
        server.held(),
        server.agents(),
        Promise.all(others.map(heldBy)),
      ]);
      const slots = { x509, jwt };
      const of = (kind: Kind): KeySight => ({
        kind,
        slots: slots[kind],
        bundle: own[kind],
        peers: peers.flat().map((peer) => peer[kind]),
        // Who is trusted trusts back, as a rule.
        outside: [...new Set([...partners, ...held.keys()])].filter((one) => !known.has(one)),
        agents,
        timing: {
          now: now(),
          ...lives,
          jwtLife: Math.max(lives.jwtLife, longestJwt * 1000),
          entries: count,
        },
      });
      return Object.fromEntries(KINDS.map((kind) => [kind, of(kind)])) as Record<Kind, KeySight>;
    },
  };
}

/** Peers that are no members and are to trust it, by their trust domains: also those whose bundles it does not hold now. */
function partnersOf({ config, outside, labels }: MeshMember, trusted: Published["peers"]): string[] {
  return config.peers
    .filter(({ id, oneWay }) => outside.includes(id) && oneWay !== true)
    .map(({ id, name, publication, trustDomain }) => {
      // A stack of elsewhere need not have said it yet.
      return publication?.trustDomain ?? trustDomain ?? trusted[name]?.trustDomain ?? labels[id] ?? name;
    });
}
