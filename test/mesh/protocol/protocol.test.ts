/**
 * Join, leave, rotate (and with it revoke), and recover, in any order, each interrupted anywhere: nothing is trusted that is not
 * declared, no peer is listed whose bundle is not held, no key goes that somebody needs, and in the end all converges.
 */
import fc from "fast-check";
import { HOUR, LIFETIME } from "../rotate/spire";
import { type Allows, domain, Mesh, NAMES } from "./mesh";

type Name = (typeof NAMES)[number];
/** Who is to trust whom, as `a b`. */
type Model = { pairs: Set<string>; leaving: Set<Name>; rotating: Set<Name> };

interface Crash {
  /** Killed after so many effects. */
  after: number;
  /** The last one was made, and nobody heard of it. */
  answerLost: boolean;
}

abstract class Step implements fc.AsyncCommand<Model, Mesh> {
  constructor(
    protected readonly crash: Crash | undefined,
    private readonly what: string,
  ) {}
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- for those that look at it
  check(_model: Readonly<Model>): boolean {
    return true;
  }
  protected abstract act(model: Model, mesh: Mesh): Promise<unknown>;
  async run(model: Model, mesh: Mesh): Promise<void> {
    mesh.trace.push(`  ${this.toString()}`);
    mesh.effects = this.crash?.after ?? Infinity;
    mesh.answerLost = this.crash?.answerLost ?? false;
    await this.act(model, mesh);
    mesh.effects = Infinity;
    expect(mesh.wrong).toEqual([]);
  }
  toString(): string {
    if (this.crash === undefined) return this.what;
    return `${this.what} (killed after ${String(this.crash.after)} changes${this.crash.answerLost ? ", the last unheard of" : ""})`;
  }
}

class Join extends Step {
  constructor(
    crash: Crash | undefined,
    private readonly one: Name,
    private readonly other: Name,
  ) {
    super(crash, `${one} and ${other} join`);
  }
  override check({ leaving }: Readonly<Model>): boolean {
    return this.one !== this.other && leaving.size === 0;
  }
  protected act({ pairs }: Model, mesh: Mesh): Promise<unknown> {
    for (const [who, of] of [
      [this.one, this.other],
      [this.other, this.one],
    ] as const) {
      pairs.add(`${who} ${of}`);
      if (!mesh.file(who).has(of)) mesh.file(who).set(of, { rebootstrap: 0 });
    }
    return mesh.up();
  }
}

class Leave extends Step {
  constructor(
    crash: Crash | undefined,
    private readonly name: Name,
  ) {
    super(crash, `${name} leaves`);
  }
  protected async act({ pairs, leaving }: Model, mesh: Mesh): Promise<void> {
    for (const pair of pairs) if (pair.split(" ").includes(this.name)) pairs.delete(pair);
    leaving.add(this.name);
    if (await mesh.remove(this.name)) leaving.delete(this.name);
  }
}

class Rotate extends Step {
  constructor(
    crash: Crash | undefined,
    private readonly name: Name,
    private readonly looks: number,
  ) {
    super(crash, `${name} rotates, interrupted after ${String(looks)} looks`);
  }
  protected async act({ rotating }: Model, mesh: Mesh): Promise<void> {
    rotating.add(this.name);
    await mesh.rotate(this.name, this.looks).catch(() => []);
  }
}

class Rebootstrap extends Step {
  constructor(
    crash: Crash | undefined,
    private readonly who: Name,
    private readonly of: Name,
    private readonly allows: Allows,
  ) {
    super(crash, `${who} trusts ${of} anew, and a person allows by name: ${allows}`);
  }
  override check({ pairs }: Readonly<Model>): boolean {
    return pairs.has(`${this.who} ${this.of}`);
  }
  protected act(_model: Model, mesh: Mesh): Promise<unknown> {
    return mesh.rebootstrap(this.who, this.of, this.allows);
  }
}

/** What happens beside all commands. */
class Happens extends Step {
  constructor(
    what: string,
    private readonly happen: (mesh: Mesh) => void,
  ) {
    super(undefined, what);
  }
  protected act(_model: Model, mesh: Mesh): Promise<void> {
    this.happen(mesh);
    return Promise.resolve();
  }
}

const agentOf = (mesh: Mesh, name: Name) => mesh.cluster(name).server.agents[0] ?? { away: false };
const crash = fc.option(fc.record({ after: fc.integer({ min: 1, max: 9 }), answerLost: fc.boolean() }), {
  nil: undefined,
});
const name = fc.constantFrom(...NAMES);
const commands = [
  fc.tuple(crash, name, name).map(([broken, one, other]) => new Join(broken, one, other)),
  fc.tuple(crash, name, name).map(([broken, one, other]) => new Join(broken, one, other)),
  fc.tuple(crash, name).map(([broken, one]) => new Leave(broken, one)),
  fc.tuple(crash, name, fc.integer({ min: 1, max: 60 })).map(([broken, one, looks]) => new Rotate(broken, one, looks)),
  fc
    .tuple(crash, name, name, fc.constantFrom<Allows>("none", "present", "others"))
    .map(([broken, one, other, allows]) => new Rebootstrap(broken, one, other, allows)),
  name.map(
    (one) =>
      new Happens(`${one} is rebuilt`, (mesh) => {
        mesh.build(one);
      }),
  ),
  name.map(
    (one) =>
      new Happens(`${one} does not answer`, (mesh) => {
        mesh.cluster(one).down = true;
      }),
  ),
  name.map(
    (one) =>
      new Happens(`${one} answers`, (mesh) => {
        mesh.cluster(one).down = false;
      }),
  ),
  fc
    .tuple(name, name)
    .filter(([one, other]) => one !== other)
    .map(
      ([one, of]) =>
        new Happens(`${one} cannot reach ${of}`, (mesh) => {
          mesh.held(one, of).cutOff = true;
        }),
    ),
  name.map(
    (one) =>
      new Happens(`the agent of ${one} is away`, (mesh) => {
        agentOf(mesh, one).away = true;
      }),
  ),
  fc
    .constantFrom(["a minute", 60_000] as const, ["an hour", HOUR] as const, ["half a life", LIFETIME / 2] as const)
    .map(
      ([what, ms]) =>
        new Happens(`${what} passes`, (mesh) => {
          mesh.pass(ms);
        }),
    ),
];

const declared = (model: Model) =>
  NAMES.flatMap((who) => NAMES.map((of) => ({ who, of, is: model.pairs.has(`${who} ${of}`) }))).filter(
    ({ who, of }) => who !== of,
  );

/** A person allows the keys that a peer has now: where trust is to begin anew without a word on keys, and where it has to. */
async function decide(model: Model, mesh: Mesh, isLost: (who: string, of: string) => boolean): Promise<void> {
  for (const { who, of, is } of declared(model)) {
    const { rebootstrap = 0, fingerprints } = mesh.file(who).get(of) ?? {};
    const isAsked = rebootstrap > 0 && fingerprints === undefined;
    if (is && (isAsked || isLost(who, of))) await mesh.rebootstrap(who, of, "present");
  }
}

/** All faults end, and the same commands are run again. */
async function settle(model: Model, mesh: Mesh): Promise<void> {
  mesh.trace.push("  all faults end, and all is run again");
  for (const one of NAMES) {
    mesh.cluster(one).down = false;
    agentOf(mesh, one).away = false;
    for (const peer of mesh.cluster(one).server.peers) peer.cutOff = false;
  }
  // Until then an up of that member fails, and with it a removal.
  await decide(model, mesh, (who, of) => {
    const { fingerprints } = mesh.file(who).get(of) ?? {};
    if (fingerprints === undefined) return false;
    const isPinned = (one: string): boolean => fingerprints.includes(one);
    // Trust begins with pinned roots alone; later the pins are no matter, and a rotation may have replaced all but one.
    return mesh.begins(who, of) ? !mesh.fingerprintsOf(of).every(isPinned) : !mesh.fingerprintsOf(of).some(isPinned);
  });
  for (const one of model.leaving) expect([one, await mesh.remove(one)]).toEqual([one, true]);
  await mesh.up();
  mesh.pass(120_000);
  // With https_spiffe a peer that missed the keys in use never comes back by itself.
  await decide(model, mesh, (who, of) => !mesh.held(who, of).held.x509.has(mesh.cluster(of).server.active("x509")));
  mesh.pass(120_000);
  for (const one of model.rotating)
    for (const { kind, state, because } of await mesh.rotate(one, Infinity, LIFETIME))
      if (state === "waiting") mesh.wrong.push(`${one} still waits with its ${kind} key: ${because.join("; ")}`);
  mesh.pass(120_000);
  const end = await mesh.up();
  expect(end.map(({ member, state, errors }) => [member, state, errors])).toEqual(
    NAMES.map((one) => [one, "complete", []]),
  );
  const changes = mesh.trace.length;
  await mesh.up();
  expect(mesh.trace.slice(changes)).toEqual([]);
  for (const { who, of, is } of declared(model)) {
    const { server } = mesh.cluster(of);
    const { x509, jwt } = mesh.held(who, of).held;
    const state = {
      holdsX509: x509.has(server.active("x509")),
      holdsJwt: jwt.has(server.active("jwt")),
      listed: mesh.cluster(who).federatesWith.includes(domain(of)),
    };
    expect([who, of, state]).toEqual([who, of, { holdsX509: is, holdsJwt: is, listed: is }]);
    if (!is) expect([who, of, x509.size]).toEqual([who, of, 0]);
  }
  expect(mesh.wrong).toEqual([]);
}

test("no interleaving trusts what is not declared, lists what is not held or revokes what is needed; then all converges", async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.commands(commands, { maxCommands: 14 }), async (whole, steps) => {
      const mesh = new Mesh();
      const model: Model = { pairs: new Set(), leaving: new Set(), rotating: new Set() };
      try {
        const pairs = [
          ["a", "b"],
          ["a", "c"],
          ["b", "c"],
        ] as const;
        if (whole) for (const [one, other] of pairs) await new Join(undefined, one, other).run(model, mesh);
        await fc.asyncModelRun(() => ({ model, real: mesh }), steps);
        await settle(model, mesh);
      } catch (error) {
        throw new Error([(error as Error).message, "What happened:", ...mesh.trace].join("\n"), { cause: error });
      }
    }),
    { numRuns: 300, seed: 29 },
  );
});
