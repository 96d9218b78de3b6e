/** Takes keys of one trust domain out of use: looks, does the next step of each kind, and looks again. */
import { look, type Looked } from "../kernel/looked";
import { pause } from "../kernel/interruption";
import type { Authorities, Kind } from "../spire/authorities";
import { nextStep, type NextStep } from "./nextStep";
import type { KeySight, Memory, Sights } from "./sight";

/** How often the servers are asked: each time they start a few programs in their pods. */
const LOOK_MS = 2000;
/** A wait that goes on is said again after this. */
const SAY_MS = 15_000;

/** The keys that are to go, by their kinds. */
export type Leaving = Partial<Record<Kind, string>>;

export interface RotatedKey {
  kind: Kind;
  /** Id of the key that goes. */
  from: string;
  /** Id of the key that is active now. */
  to?: string;
  /** "replaced": neither its own server nor a peer's holds the old key. "stopped": nothing here leads on. */
  state: "replaced" | "waiting" | "stopped";
  /** What was done in this run. */
  did: string[];
  /** What it waits for, or why it was stopped. */
  because: string[];
}

export interface RotationWorld {
  server: Pick<Authorities, "prepare" | "activate" | "taint" | "revoke">;
  /** Has a member fetch the bundle of this trust domain now. */
  refresh: (member: string) => Promise<void>;
  sight: () => Promise<Sights>;
}

export interface Running {
  /** Without progress for this long it ends; the same command goes on later. */
  timeoutMs: number;
  signal: AbortSignal;
  note: (line: string) => void;
  /** Hears what was changed. */
  did: (what: string) => void;
  clock?: Clock;
}

export interface Clock {
  now: () => Date;
  /** Ends early when the signal is aborted. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

const realClock: Clock = {
  now: () => new Date(),
  pause: (ms, signal) => pause(ms, signal).catch(() => undefined),
};

export async function rotation(leaving: Leaving, world: RotationWorld, running: Running): Promise<RotatedKey[]> {
  const { signal, clock = realClock } = running;
  const keys = Object.entries(leaving).map(([kind, from]): RotatedKey => ({
    kind: kind as Kind,
    from,
    state: "waiting",
    did: [],
    because: [],
  }));
  const memory: Remembering = { held: new Map(), tainted: new Map() };
  const say = repeating(running.note, clock);
  let progress = clock.now();
  while (keys.some(({ state }) => state === "waiting")) {
    const seen = await look(world.sight);
    let acted = false;
    for (const key of keys.filter(({ state }) => state === "waiting")) {
      key.because = await advance(key, seen, memory, world, running);
      acted ||= key.because.length === 0;
      say(key);
    }
    if (acted) progress = clock.now();
    else if (signal.aborted || clock.now().getTime() - progress.getTime() >= running.timeoutMs) break;
    else await clock.pause(LOOK_MS, signal);
  }
  return keys;
}

/** @returns what it waits for; empty after a step that has changed something, and at the end */
async function advance(
  key: RotatedKey,
  seen: Looked<Sights>,
  memory: Remembering,
  { server, refresh }: RotationWorld,
  { signal, did, clock = realClock }: Running,
): Promise<string[]> {
  if ("because" in seen) {
    if (seen.forbidden) key.state = "stopped";
    return [seen.because];
  }
  const { kind, from } = key;
  const sight = seen.seen[kind];
  if (sight.slots.active !== undefined) key.to = sight.slots.active.id;
  remember(sight, memory);
  const step = nextStep(from, sight, memory);
  if (step.step === "wait") return step.for;
  if (step.step === "stop" || step.step === "done") {
    key.state = step.step === "done" ? "replaced" : "stopped";
    return step.step === "done" ? [] : [step.because];
  }
  if (signal.aborted) return [`interrupted before: ${described(kind, step)}`];
  if (step.step === "refresh") {
    const failed = await Promise.all(step.members.map((member) => attempt(member, () => refresh(member))));
    return [...step.why, ...failed.flat()];
  }
  const failed = await attempt(described(kind, step), () =>
    step.step === "prepare" ? server.prepare(kind) : server[step.step](kind, step.key),
  );
  // The agents as they were before they heard of it, also where the answer was lost: whoever has another SVID later has heard.
  if (step.step === "taint") memory.tainted.set(step.key, { at: clock.now(), agents: sight.agents });
  if (failed.length > 0) return failed;
  key.did.push(described(kind, step));
  did(described(kind, step));
  return [];
}

const attempt = async (what: string, act: () => Promise<void>): Promise<string[]> => {
  const done = await look(act);
  return "because" in done ? [`${what}: ${done.because}`] : [];
};

export const NAMES: Readonly<Record<Kind, string>> = { x509: "X.509", jwt: "JWT" };

function described(kind: Kind, step: NextStep): string {
  const what = `${NAMES[kind]} authority`;
  if (step.step === "prepare") return `prepared a new ${what}`;
  const past = { activate: "activated", taint: "tainted", revoke: "revoked" } as const;
  return step.step in past && "key" in step ? `${past[step.step]} ${what} ${step.key}` : step.step;
}

/** `Memory`, as it is being filled. */
type Remembering = {
  [K in keyof Memory]: Memory[K] extends ReadonlyMap<infer Key, infer Value> ? Map<Key, Value> : never;
};

function remember({ bundle, peers, agents, timing }: KeySight, { held, tainted }: Remembering): void {
  for (const { id, tainted: isTainted } of bundle) {
    if (isTainted && !tainted.has(id)) tainted.set(id, { at: timing.now, agents });
    const everywhere = peers.every((peer) => !("because" in peer) && peer.holds.includes(id));
    if (!everywhere) held.delete(id);
    else if (!held.has(id)) held.set(id, timing.now);
  }
}

/** Says what a key waits for when it is something new, and now and then. */
function repeating(note: (line: string) => void, { now }: Clock): (key: RotatedKey) => void {
  const last = new Map<Kind, { text: string; at: number }>();
  return ({ kind, because }) => {
    if (because.length === 0) return;
    // What counts down is not new.
    const text = because.map((one) => one.replace(/\d+ \w+$/, "")).join("; ");
    const before = last.get(kind);
    if (before?.text === text && now().getTime() - before.at < SAY_MS) return;
    last.set(kind, { text, at: now().getTime() });
    note(`${NAMES[kind]}: ${because.join("; ")}`);
  };
}
