/** SPIRE servers as they were measured: two slots, what each command does and refuses, polls, agents. For tests. */
import { activationLead, preparationLead } from "../../../components/spireServer/keyTimes";
import { Refused } from "../../../mesh/spire/serverExec";
import type { Agent, BundleKey, Kind } from "../../../mesh/spire/authorities";
import type { Slot } from "../../../mesh/spire/authority";
import { KINDS } from "../../../mesh/spire/authorities";
import type { RotationWorld } from "../../../mesh/rotate/rotation";
import type { PeerSight, KeySight } from "../../../mesh/rotate/sight";

export const HOUR = 3_600_000;
export const LIFETIME = 24 * HOUR;
const SVID_MS = HOUR;
const SYNC_MS = 5000;
const POLL_MS = 75_000;

interface Keys {
  active: string;
  next?: { id: string; status: "prepared" | "old" } | undefined;
  /** When each key was made, and when it ends. */
  made: Map<string, number>;
  ends: Map<string, number>;
  bundle: Map<string, { tainted: boolean }>;
}

interface SimulatedAgent {
  path: string;
  /** The X.509 authority of its SVID. */
  signer: string;
  serial: number;
  expires: number;
  /** Bundle and taints that it knows. */
  synced: number;
  known: Set<string>;
  away: boolean;
}

export interface SimulatedPeer {
  name: string;
  held: Record<Kind, Set<string>>;
  polled: number;
  /** Its API server does not answer. */
  unread: boolean;
  /** It cannot reach the bundle endpoint. */
  cutOff: boolean;
}

export class World {
  readonly keys: Record<Kind, Keys>;
  readonly peers: SimulatedPeer[];
  readonly agents: SimulatedAgent[];
  outside: string[] = [];
  upstream = "";
  /** What caValidity is now; a key keeps the life that it was made with. */
  lifetime = LIFETIME;
  jwtLife = 300_000;
  /** Whether somebody who holds keys is still to trust them; who is on the way out loses nothing. */
  isDeclared: (peer: string) => boolean = () => true;
  /** Agents hear of a taint before anybody can look. */
  quickAgents = false;
  /** Every change, as `x509 prepare`. */
  readonly done: string[] = [];
  /** What must never happen: somebody lost trust who was there. */
  readonly harm: string[] = [];
  /** The answer to the next change of a key, or to the next of that name, is lost: after it was made, or before. */
  lost: { after: boolean; of?: string } | undefined;
  private count = 0;
  private readonly taintedAt = new Map<string, number>();

  /** @param prefix of its keys' ids, for one of several */
  constructor(
    peers: readonly string[] = ["b", "c"],
    agents: readonly string[] = ["/spire/agent/one"],
    private readonly prefix = "",
    public now = Date.parse("2026-12-02T10:00:00Z"),
  ) {
    const fresh = (kind: Kind): Keys => {
      const id = this.id(kind);
      return {
        active: id,
        made: new Map([[id, this.now]]),
        ends: new Map([[id, this.now + LIFETIME]]),
        bundle: new Map([[id, { tainted: false }]]),
      };
    };
    this.keys = { x509: fresh("x509"), jwt: fresh("jwt") };
    this.peers = peers.map((name) => ({
      name,
      held: { x509: new Set([this.keys.x509.active]), jwt: new Set([this.keys.jwt.active]) },
      polled: this.now,
      unread: false,
      cutOff: false,
    }));
    this.agents = agents.map((path) => ({
      path,
      signer: this.keys.x509.active,
      serial: 1,
      expires: this.now + SVID_MS,
      synced: this.now,
      known: new Set([this.keys.x509.active]),
      away: false,
    }));
  }

  private id(kind: Kind): string {
    this.count += 1;
    return `${this.prefix}${kind}-${String(this.count)}`;
  }

  active(kind: Kind): string {
    return this.keys[kind].active;
  }

  /** Lets time pass: agents sync, peers poll, SPIRE prepares and activates by itself. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + SYNC_MS);
      for (const kind of KINDS) this.natural(kind);
      for (const agent of this.agents) this.sync(agent);
      for (const peer of this.peers) if (this.now - peer.polled >= POLL_MS) this.poll(peer);
    }
  }

  private natural(kind: Kind): void {
    const keys = this.keys[kind];
    const made = keys.made.get(keys.active) ?? 0;
    const [age, life] = [this.now - made, (keys.ends.get(keys.active) ?? 0) - made];
    if (age >= life - preparationLead(life / 1000) * 1000 && keys.next?.status !== "prepared") this.prepare(kind);
    if (age >= life - activationLead(life / 1000) * 1000 && keys.next?.status === "prepared")
      this.activate(kind, keys.next.id, false);
  }

  private sync(agent: SimulatedAgent): void {
    if (agent.away || agent.expires <= this.now) return;
    const { x509 } = this.keys;
    const half = agent.expires - this.now <= SVID_MS / 2;
    if (x509.bundle.get(agent.signer)?.tainted === true || half) {
      Object.assign(agent, { signer: x509.active, serial: agent.serial + 1, expires: this.now + SVID_MS });
    }
    agent.known = new Set(x509.bundle.keys());
  }

  poll(peer: SimulatedPeer): void {
    peer.polled = this.now;
    if (peer.cutOff) return;
    for (const kind of KINDS) peer.held[kind] = new Set(this.keys[kind].bundle.keys());
  }

  prepare(kind: Kind): void {
    const keys = this.keys[kind];
    const id = this.id(kind);
    keys.next = { id, status: "prepared" };
    keys.made.set(id, this.now);
    keys.ends.set(id, this.now + this.lifetime);
    keys.bundle.set(id, { tainted: false });
  }

  activate(kind: Kind, id: string, byHand = true): void {
    const keys = this.keys[kind];
    if (keys.next?.status !== "prepared" || keys.next.id !== id) throw new Refused("unexpected authority ID");
    keys.next = { id: keys.active, status: "old" };
    keys.active = id;
    if (byHand) this.nobodyLost(kind);
  }

  private taint(kind: Kind, id: string): void {
    const keys = this.keys[kind];
    const key = keys.bundle.get(id);
    if (keys.next?.id !== id || keys.next.status !== "old" || key === undefined)
      throw new Refused("unexpected authority ID");
    if (key.tainted) throw new Refused("root CA is already tainted");
    key.tainted = true;
    this.taintedAt.set(id, this.now);
    if (this.quickAgents) for (const agent of this.agents) this.sync(agent);
  }

  private revoke(kind: Kind, id: string): void {
    const keys = this.keys[kind];
    const key = keys.bundle.get(id);
    if (key?.tainted !== true) throw new Refused("it is not possible to revoke an untainted root CA");
    if (kind === "x509" && keys.next?.id !== id) throw new Refused("only Old local authority can be revoked");
    if (kind === "x509") {
      const left = this.agents.filter((agent) => agent.signer === id && agent.expires > this.now);
      if (left.length > 0)
        this.harm.push(`revoked ${id}, which ${left.map(({ path }) => path).join(", ")} still needs`);
    }
    const lacking = this.lackingPeers(kind);
    if (lacking.length > 0) this.harm.push(`revoked ${id}, and ${lacking.join(", ")} lack its successor`);
    const agentsKnow = (this.taintedAt.get(id) ?? 0) + SYNC_MS;
    if (kind === "jwt" && this.now < agentsKnow + this.jwtLife)
      this.harm.push(`revoked ${id}, which signed JWT-SVIDs in use`);
    keys.bundle.delete(id);
  }

  /** Whatever signs from now on is verified by every peer that trusts, and by every agent that is there. */
  private nobodyLost(kind: Kind): void {
    const { active } = this.keys[kind];
    const peers = this.lackingPeers(kind);
    if (peers.length > 0) this.harm.push(`${active} is active, and ${peers.join(", ")} lack it`);
    const agents = this.agents.filter(
      ({ known, away, expires }) => kind === "x509" && !away && expires > this.now && !known.has(active),
    );
    if (agents.length > 0) this.harm.push(`${active} is active, and agents lack it`);
  }

  /** Peers that trust, and do not hold the active key. */
  private lackingPeers(kind: Kind): string[] {
    const { active } = this.keys[kind];
    return this.peers
      .filter(({ name, held }) => this.isDeclared(name) && held[kind].size > 0 && !held[kind].has(active))
      .map(({ name }) => name);
  }

  sight(): Record<Kind, KeySight> {
    const of = (kind: Kind): KeySight => {
      const { active, next, made, ends, bundle } = this.keys[kind];
      const slot = (id: string): Slot => ({
        id,
        upstream: kind === "x509" ? this.upstream : "",
        expires: new Date(ends.get(id) ?? 0),
      });
      return {
        kind,
        slots: { active: slot(active), ...(next && { [next.status]: slot(next.id) }) },
        // Below an upstream CA that one's root.
        bundle: [
          ...(kind === "x509" && this.upstream !== "" ? new Map([[this.upstream, { tainted: false }]]) : bundle),
        ].map(([id, { tainted }]): BundleKey => ({
          id,
          tainted,
          ...(kind === "x509" && { notBefore: new Date(made.get(id) ?? 0) }),
        })),
        peers: this.peers.map(({ name, unread, held }): PeerSight =>
          unread ? { member: name, because: "no answer" } : { member: name, holds: [...held[kind]] },
        ),
        outside: this.outside,
        agents: this.agents.map(({ path, serial, expires }): Agent => ({
          path,
          serial: String(serial),
          expires: new Date(expires),
        })),
        timing: { now: new Date(this.now), hint: 300, lifetime: this.lifetime, jwtLife: this.jwtLife, entries: 3 },
      };
    };
    return { x509: of("x509"), jwt: of("jwt") };
  }

  rotationWorld(): RotationWorld {
    const change = async (what: string, act: () => void): Promise<void> => {
      const lost = what.startsWith(this.lost?.of ?? "") ? this.lost : undefined;
      if (lost !== undefined) this.lost = undefined;
      await Promise.resolve();
      if (lost?.after === false) throw new Error("the connection was lost");
      act();
      this.done.push(what);
      if (lost !== undefined) throw new Error("the connection was lost");
    };
    return {
      server: {
        prepare: (kind) =>
          change(`${kind} prepare`, () => {
            this.prepare(kind);
          }),
        activate: (kind, id) =>
          change(`${kind} activate ${id}`, () => {
            this.activate(kind, id);
          }),
        taint: (kind, id) =>
          change(`${kind} taint ${id}`, () => {
            this.taint(kind, id);
          }),
        revoke: (kind, id) =>
          change(`${kind} revoke ${id}`, () => {
            this.revoke(kind, id);
          }),
      },
      refresh: (member) => {
        const peer = this.peers.find(({ name }) => name === member);
        if (peer === undefined || peer.unread) return Promise.reject(new Error("no answer"));
        if (peer.cutOff) return Promise.reject(new Refused("failed to refresh bundle"));
        this.poll(peer);
        return Promise.resolve();
      },
      sight: () => Promise.resolve(this.sight()),
    };
  }
}
