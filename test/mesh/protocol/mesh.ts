/**
 * A mesh of https_spiffe members, as small as its protocol allows. Whatever the product decides by itself is decided here by
 * the product's own functions; simulated are clusters, Pulumi's order of steps, and SPIRE servers as they were measured.
 */
import { BEGINNING_ANNOTATION, beginning, BUNDLE_ANNOTATION, bundleMark } from "../../../components/bundle/bundleMark";
import type { TrustObject } from "../../../components/bundle/bundleMark";
import { givenBundle } from "../../../components/bundle/givenBundle";
import { keptPeer } from "../../../components/bundle/keptPeer";
import { objectName } from "../../../components/bundle/objectName";
import { federatedTrustDomainSpec, federatesWith, serverSpiffeId } from "../../../components/bundle/peer";
import { OWNED } from "../../../components/shared/names";
import type { MeshMember } from "../../../mesh/members/members";
import type { UpOutcome } from "../../../mesh/pulumi/outcomes";
import type { Published } from "../../../mesh/pulumi/workspace";
import { forgetAll } from "../../../mesh/remove/endOfTrust";
import { findLeaver } from "../../../mesh/remove/leaver";
import { type Sight, sights, workOf } from "../../../mesh/remove/plan";
import { type Site, type Traces, tracesOf } from "../../../mesh/remove/traces";
import { keyToGo } from "../../../mesh/rotate/beginning";
import { type Leaving, type RotatedKey, rotation } from "../../../mesh/rotate/rotation";
import { rotationWorld } from "../../../mesh/rotate/world";
import { type Authorities, KINDS } from "../../../mesh/spire/authorities";
import { up, type UpMember } from "../../../mesh/up/up";
import { type JoinedPeer, resolvePeers } from "../../../stacks/contract";
import { judgeFirstBundles, needsBundle } from "../../../stacks/firstBundle";
import { type Issued, root } from "../../components/issue";
import { configOf, SELF } from "../../stacks/fixtures";
import { memberOf, stackOf } from "../members/given";
import { LIFETIME, type SimulatedPeer, World } from "../rotate/spire";

export const NAMES = ["a", "b", "c"] as const;
export const domain = (name: string): string => `${name}.example.com`;
const nameOf = (trustDomain: string): string => trustDomain.split(".")[0] ?? "";

const JWT_MS = 60_000;

/** Issued once: a key has the same id in every run. */
const certificates = new Map<string, Issued>();
const keysById = new Map<string, string>();
function certificateOf(name: string, key: string): Issued {
  const known = certificates.get(`${name} ${key}`);
  if (known !== undefined) return known;
  const made = root(domain(name), { notAfter: new Date(Date.now() + 30 * 86_400_000) });
  certificates.set(`${name} ${key}`, made);
  keysById.set(sha256(made), key);
  return made;
}
const sha256 = ({ certificate }: Issued): string => certificate.fingerprint256.replaceAll(":", "").toLowerCase();

/** Its endpoint is verified with the keys that the peer holds: one that missed the active one never comes back by itself. */
class Server extends World {
  asks: (peer: string) => boolean = () => false;
  override poll(peer: SimulatedPeer): void {
    peer.polled = this.now;
    if (this.asks(peer.name) && peer.held.x509.has(this.active("x509"))) super.poll(peer);
  }
}

interface Entry {
  rebootstrap: number;
  fingerprints?: string[];
}

/** Which roots a person allows by their fingerprints. */
export type Allows = "none" | "present" | "others";

interface Cluster {
  server: Server;
  objects: Map<string, TrustObject>;
  federatesWith: string[];
  /** Its API server does not answer. */
  down: boolean;
}

export class Mesh {
  /** What each member's file says of its peers. */
  readonly files = new Map<string, Map<string, Entry>>(NAMES.map((name) => [name, new Map()]));
  readonly clusters = new Map<string, Cluster>();
  private readonly outputs = new Map<string, Published>();
  /** What happened, for people. */
  readonly trace: string[] = [];
  /** What must never happen. */
  readonly wrong: string[] = [];
  /** After so many effects nothing gets through any more, as when the command is killed. */
  effects = Infinity;
  /** The last effect is made, and its answer is lost. */
  answerLost = false;
  /** With which keys a person has allowed trust to begin anew. */
  private readonly allowed = new Set<string>();
  /** Objects that are gone until the new one is made, also where that was interrupted. */
  private readonly replacing = new Set<string>();
  private built = 0;

  constructor() {
    for (const name of NAMES) this.build(name);
  }

  cluster(name: string): Cluster {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) throw new Error(`no cluster ${name}`);
    return cluster;
  }

  file(name: string): Map<string, Entry> {
    return this.files.get(name) ?? new Map<string, Entry>();
  }

  /** What a member holds of a peer. */
  held(member: string, of: string): SimulatedPeer {
    const peer = this.cluster(of).server.peers.find(({ name }) => name === member);
    if (peer === undefined) throw new Error(`${member} is no peer of ${of}`);
    return peer;
  }

  holds(member: string, of: string): boolean {
    return this.held(member, of).held.x509.size > 0;
  }

  /** A cluster without trust, and with keys of its own. What its peers hold of an earlier one stays. */
  build(name: string): void {
    const before = this.clusters.get(name);
    const others = NAMES.filter((one) => one !== name);
    this.built += 1;
    const server = new Server(others, [`/agent-${name}`], `${name}${String(this.built)}/`, before?.server.now);
    for (const peer of server.peers)
      peer.held = before === undefined ? { x509: new Set(), jwt: new Set() } : this.held(peer.name, name).held;
    server.jwtLife = JWT_MS;
    server.asks = (peer) => this.asked(peer).includes(domain(name));
    server.isDeclared = (peer) => this.file(peer).has(name);
    this.clusters.set(name, { server, objects: new Map(), federatesWith: [], down: false });
    if (before !== undefined) for (const other of others) this.store(name, other, []);
  }

  pass(ms: number): void {
    for (const { server } of this.clusters.values()) server.pass(ms);
    this.judge();
  }

  /** One change, which may be the last one, or may not be heard of. */
  private effect(what: string, act: () => void): void {
    this.effects -= 1;
    if (this.effects < 0 || (this.effects === 0 && !this.answerLost)) throw new Error("killed");
    act();
    this.trace.push(`    ${what}`);
    this.judge();
    if (this.effects === 0) throw new Error("killed");
  }

  private judge(): void {
    for (const [name, { federatesWith: listed, server }] of this.clusters) {
      for (const of of listed.map(nameOf))
        if (!this.holds(name, of)) this.wrong.push(`${name} lists ${of} in federatesWith and holds no bundle of it`);
      this.wrong.push(...server.harm.splice(0).map((harm) => `${name}: ${harm}`));
    }
  }

  private store(member: string, of: string, keys: readonly string[]): void {
    this.held(member, of).held = { x509: new Set(keys), jwt: new Set() };
  }

  /** Trust domains that something in the cluster asks for. */
  private asked(name: string): string[] {
    const { objects, federatesWith: listed } = this.cluster(name);
    return [...new Set([...[...objects.values()].map(({ spec }) => spec?.trustDomain ?? ""), ...listed])];
  }

  members(): MeshMember[] {
    return NAMES.map((name) => {
      const peers = [...this.file(name)].map(([stack, entry]) => ({ stack, ...entry }));
      const raw = { context: name, trustDomain: domain(name), ...(peers.length > 0 && { peers }) };
      return memberOf(configOf(raw, { ...SELF, stack: name }), NAMES);
    });
  }

  private member(name: string): MeshMember {
    const found = this.members().find((one) => one.name === name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  }

  /** PEM of the roots that a cluster has now. */
  private rootsOf(name: string): string {
    const { bundle } = this.cluster(name).server.keys.x509;
    return [...bundle.keys()].map((key) => certificateOf(name, key).pem).join("");
  }

  fingerprintsOf(name: string): string[] {
    return [...this.cluster(name).server.keys.x509.bundle.keys()].map((key) => sha256(certificateOf(name, key)));
  }

  /** Whether the member's next up begins trust in the peer. */
  begins(name: string, of: string): boolean {
    const { rebootstrap = 0, fingerprints } = this.file(name).get(of) ?? {};
    const live = this.cluster(name).objects.get(objectName(of));
    return live?.metadata?.annotations?.[BEGINNING_ANNOTATION] !== beginning(rebootstrap, fingerprints);
  }

  /** `spire-federation up`. */
  up(): Promise<UpMember[]> {
    const stacks = {
      published: (stack: string) => Promise.resolve(this.outputs.get(stackOf(stack))),
      make: (stack: string) => {
        this.outputs.set(stackOf(stack), { pendingPeers: [], peers: {} });
        return Promise.resolve();
      },
      up: (stack: string) => this.run(stackOf(stack)),
    };
    return up(this.members(), stacks, 1, () => undefined);
  }

  /** One run of a stack: Pulumi makes what is new in the order of dependencies, and deletes last. */
  private run(name: string): Promise<UpOutcome> {
    const failed = (...errors: string[]): UpOutcome => ({ succeeded: false, errors, recovered: [] });
    const cluster = this.cluster(name);
    if (cluster.down) return Promise.resolve(failed("no answer"));
    const { config } = this.member(name);
    const trust = [...cluster.objects.values()];
    const readings = config.peers.map((peer) => ({ peer, published: this.outputs.get(peer.name)?.federation }));
    const resolved = resolvePeers(config.trustDomain, readings, {
      trusted: (peer, own) => keptPeer(peer, trust, own),
      declared: (peer) => ({ trustDomain: domain(peer.name), where: "its file" }),
    });
    // As `withFirstRoots` does: the peer's own cluster has the newest.
    const joined = resolved.joined.map((one): JoinedPeer => {
      const caCertificates = needsBundle(one, trust) ? this.rootsOf(one.peer.stack) : one.peer.caCertificates;
      return { ...one, peer: { ...one.peer, caCertificates } };
    });
    const problems = [...resolved.problems, ...judgeFirstBundles(joined, trust, new Date())];
    if (problems.length > 0) return Promise.resolve(failed(...problems.map(({ message }) => message)));
    try {
      for (const one of joined) if (needsBundle(one, trust)) this.begin(name, one);
      const listed = federatesWith(joined.map(({ peer }) => peer)).map(({ trustDomain }) => trustDomain);
      if (listed.join() !== cluster.federatesWith.join())
        this.effect(
          `${name}: federatesWith is ${listed.join(", ") || "empty"}`,
          () => (cluster.federatesWith = listed),
        );
      this.publish(name, joined, resolved.pending);
      if (resolved.faulty.length > 0) return Promise.resolve(failed(...resolved.faulty.map(({ fault }) => fault)));
      const wanted = joined.map(({ peer }) => objectName(peer.stack));
      for (const object of cluster.objects.keys())
        if (!wanted.includes(object)) this.effect(`${name}: deletes ${object}`, () => cluster.objects.delete(object));
    } catch (error) {
      return Promise.resolve(failed((error as Error).message));
    }
    return Promise.resolve({ succeeded: true, changes: {}, recovered: [] });
  }

  private publish(name: string, joined: readonly JoinedPeer[], pendingPeers: string[]): void {
    const now: Published = {
      federation: {
        version: 1,
        trustDomain: domain(name),
        bundleEndpointUrl: `https://federation.${domain(name)}`,
        profile: "https_spiffe",
        endpointSpiffeId: serverSpiffeId(domain(name)),
        caCertificates: this.rootsOf(name),
      },
      pendingPeers,
      peers: Object.fromEntries(
        joined.map(({ peer }) => [peer.stack, { trustDomain: peer.trustDomain, fingerprints: [] }]),
      ),
    };
    if (JSON.stringify(now) !== JSON.stringify(this.outputs.get(name)))
      this.effect(`${name}: publishes`, () => this.outputs.set(name, now));
  }

  /** Its object is made, or replaced, and the controller gives the bundle to SPIRE. */
  private begin(name: string, { peer, rebootstrap }: JoinedPeer): void {
    const { objects } = this.cluster(name);
    const object = objectName(peer.stack);
    const bundle = givenBundle(peer, new Date());
    if ("fault" in bundle) throw new Error(bundle.fault);
    const live = objects.get(object);
    const replaced = `${name} ${object}`;
    if (live !== undefined)
      this.effect(`${name}: deletes ${object} to replace it`, () => {
        objects.delete(object);
        this.replacing.add(replaced);
      });
    const began = beginning(rebootstrap, peer.fingerprints);
    const spec = { ...federatedTrustDomainSpec(peer), trustDomainBundle: bundle.jwks };
    const annotations = {
      ...OWNED,
      [BEGINNING_ANNOTATION]: began,
      [BUNDLE_ANNOTATION]: bundleMark("new/x", spec, began),
    };
    this.effect(`${name}: trusts ${peer.trustDomain} with ${String(bundle.fingerprints.length)} roots`, () => {
      this.judgeBeginning(name, peer.trustDomain, bundle.fingerprints, this.replacing.delete(replaced));
      objects.set(object, { metadata: { name: object, annotations }, spec });
      this.store(
        name,
        nameOf(peer.trustDomain),
        bundle.fingerprints.map((one) => keysById.get(one) ?? one),
      );
    });
  }

  /** What trust may begin with, said once more and without the product. */
  private judgeBeginning(name: string, trustDomain: string, fingerprints: readonly string[], anew: boolean): void {
    const of = nameOf(trustDomain);
    if (!this.file(name).has(of)) this.wrong.push(`${name} trusts ${trustDomain}, which its file does not declare`);
    const before = this.held(name, of).held.x509;
    const strange = fingerprints.filter(
      (one) => !before.has(keysById.get(one) ?? "") && !this.allowed.has(`${name} ${one}`),
    );
    // New roots beside one that was known are a rotation of the peer's.
    if (anew && strange.length === fingerprints.length)
      this.wrong.push(`${name} trusts other roots of ${trustDomain} than a person has allowed`);
  }

  /** A person raises the peer's number, and allows no roots by name, those that the peer has now, or by mistake others. */
  rebootstrap(name: string, of: string, allows: Allows): Promise<UpMember[]> {
    const entry = this.file(name).get(of) ?? { rebootstrap: 0 };
    const fingerprints = allows === "others" ? ["0".repeat(64)] : this.fingerprintsOf(of);
    if (allows === "present") for (const one of fingerprints) this.allowed.add(`${name} ${one}`);
    this.file(name).set(of, { rebootstrap: entry.rebootstrap + 1, ...(allows !== "none" && { fingerprints }) });
    return this.up();
  }

  private site(name: string): Site {
    const reached = async <T>(act: () => T): Promise<T> => {
      await Promise.resolve();
      if (this.cluster(name).down) throw new Error("no answer");
      return act();
    };
    const traces = (): Traces => {
      const asked = this.asked(name).map((trustDomain) => ({ object: "an object", trustDomain }));
      const bundles = NAMES.filter((of) => of !== name && this.holds(name, of)).map(domain);
      return { bundles, relationships: [], asked, users: [], unlisted: [] };
    };
    return {
      traces: () => reached(traces),
      polls: (trustDomain) => reached(() => this.asked(name).includes(trustDomain)),
      forget: (trustDomain) =>
        reached(() => {
          this.effect(`${name}: forgets ${trustDomain}`, () => {
            // What asks for it would bring it back.
            if (this.asked(name).includes(trustDomain))
              this.wrong.push(`${name} forgets ${trustDomain} and asks for it`);
            this.store(name, nameOf(trustDomain), []);
          });
        }),
    };
  }

  /** `spire-federation remove`. @returns whether all trust has ended */
  async remove(name: string): Promise<boolean> {
    const members = this.members();
    const seen = new Map<string, Traces | { unseen: string }>();
    for (const { id: of, name: one } of members)
      seen.set(
        of,
        await this.site(one)
          .traces()
          .catch(() => ({ unseen: "no answer" })),
      );
    const published = new Map(members.map((one) => [one.id, this.outputs.get(one.name)]));
    const readings = { published, traces: seen };
    const all = sights(findLeaver(name, members, readings), members, readings).map((sight): Sight =>
      "unseen" in sight.traces ? sight : { ...sight, traces: tracesOf(sight.traces, sight.ends) },
    );
    let clean = true;
    for (const { member, named } of all)
      for (const peer of named.map(stackOf)) {
        this.file(member.name).delete(peer);
        this.replacing.delete(`${member.name} ${objectName(peer)}`);
      }
    for (const sight of all) {
      const { name: one } = sight.member;
      const ran = workOf(sight).up ? await this.run(one) : { succeeded: true };
      const ended = forgetAll(this.site(one), sight.ends, {
        wait: false,
        signal: new AbortController().signal,
        all: one === name,
      });
      const left = await ended.then(
        (forgotten) => forgotten.left,
        (error: unknown) => [(error as Error).message],
      );
      clean &&= ran.succeeded && left.length === 0;
    }
    if (clean)
      for (const other of NAMES.filter((one) => one !== name))
        for (const [who, of] of [
          [other, name],
          [name, other],
        ] as const)
          if (this.holds(who, of) || this.asked(who).includes(domain(of)))
            this.wrong.push(`${name} is said to be out, and ${who} trusts ${of}`);
    return clean;
  }

  private authorities(name: string): Authorities {
    const { server } = this.cluster(name);
    const change = server.rotationWorld().server;
    const counted = async (what: string, act: () => Promise<void>): Promise<void> => {
      let made: Promise<void> | undefined;
      try {
        // It throws before it is done, or after.
        this.effect(`${name}: ${what}`, () => {
          made = act();
        });
      } finally {
        await made;
      }
    };
    const reached = async <T>(see: () => T): Promise<T> => {
      await Promise.resolve();
      if (this.cluster(name).down) throw new Error("no answer");
      return see();
    };
    return {
      slots: (kind) => reached(() => server.sight()[kind].slots),
      own: () => reached(() => ({ x509: server.sight().x509.bundle, jwt: server.sight().jwt.bundle })),
      held: () =>
        reached(
          () =>
            new Map(
              NAMES.filter((of) => of !== name && this.holds(name, of)).map((of) => {
                const { x509, jwt } = this.held(name, of).held;
                return [domain(of), { x509: [...x509], jwt: [...jwt] }];
              }),
            ),
        ),
      agents: () => reached(() => server.sight().x509.agents),
      entries: () => reached(() => ({ count: 3, longestJwt: JWT_MS / 1000 })),
      prepare: (kind) => counted(`prepares a ${kind} key`, () => change.prepare(kind)),
      activate: (kind, key) => counted(`activates ${key}`, () => change.activate(kind, key)),
      taint: (kind, key) => counted(`taints ${key}`, () => change.taint(kind, key)),
      revoke: (kind, key) => counted(`revokes ${key}`, () => change.revoke(kind, key)),
      refresh: (trustDomain) =>
        reached(() => {
          const of = nameOf(trustDomain);
          const peer = this.held(name, of);
          this.cluster(of).server.poll(peer);
        }),
    };
  }

  /** `spire-federation rotate`. */
  async rotate(name: string, looks = Infinity, timeoutMs = 1_800_000): Promise<RotatedKey[]> {
    const { server, down } = this.cluster(name);
    if (down) return [];
    const members = this.members();
    const others = members.filter((one) => one.name !== name);
    const lives = { hint: 300, lifetime: LIFETIME, jwtLife: JWT_MS };
    const now = (): Date => new Date(server.now);
    const world = await rotationWorld(this.member(name), others, (one) => this.authorities(one.name), lives, {}, now);
    const sight = await world.sight();
    const leaving: Leaving = Object.fromEntries(
      KINDS.flatMap((kind) => {
        const goes = keyToGo(sight[kind]);
        return goes === undefined ? [] : [[kind, goes.from]];
      }),
    );
    const ctrlC = new AbortController();
    let left = looks;
    const keys = await rotation(leaving, world, {
      timeoutMs,
      signal: ctrlC.signal,
      note: () => undefined,
      did: () => undefined,
      clock: {
        now,
        pause: () => {
          this.pass(10_000);
          left -= 1;
          if (left <= 0) ctrlC.abort();
          return Promise.resolve();
        },
      },
    });
    for (const { kind, from, state } of keys)
      for (const other of NAMES.filter((one) => this.file(one).has(name) && state === "replaced"))
        if (this.held(other, name).held[kind].has(from))
          this.wrong.push(`${from} of ${name} is said to be replaced, and ${other} holds it`);
    return keys;
  }
}
