/** What rotate and revoke do. */
import { accessOf } from "../../components/cluster/access";
import { connect } from "../../components/cluster/connect";
import { Forbidden } from "../../components/cluster/cluster";
import { UsageError } from "../kernel/exit";
import { type MeshMember, named } from "../members/members";
import { keysOf, keyToGo, kindOf, planOf } from "../rotate/beginning";
import { hopeless } from "../rotate/nextStep";
import { exitOfRotation, printRotated, type RotatedMember } from "../rotate/rotated";
import { type Leaving, rotation, type RotationWorld } from "../rotate/rotation";
import type { Sights } from "../rotate/sight";
import { readLives, rotationWorld } from "../rotate/world";
import { authorities, KINDS } from "../spire/authorities";
import type { RevokeFlags, RotateFlags } from "./flags";
import type { Context, Result, Session } from "./context";
import { isYes } from "./running";

export function runRotate(context: Context, names: readonly string[], flags: RotateFlags): Promise<Result> {
  const kinds = KINDS.filter((kind) => flags.keys === undefined || flags.keys === kind);
  return run("rotate", context, names, flags, (sights) =>
    Object.fromEntries(
      kinds.flatMap((kind) => {
        const chosen = keyToGo(sights[kind]);
        return chosen === undefined ? [] : [[kind, chosen.from]];
      }),
    ),
  );
}

export function runRevoke(context: Context, names: readonly string[], flags: RevokeFlags): Promise<Result> {
  return run("revoke", context, names, flags, (sights) => {
    const { key } = flags;
    const kind = key === undefined ? undefined : kindOf(key, sights);
    if (key !== undefined && kind !== undefined) return { [kind]: key };
    const there = keysOf(sights).join("\n  ");
    throw new UsageError(
      `${key === undefined ? "--key is missing" : `${key}: nobody holds such a key; it is revoked, or was never one`}. ` +
        `Keys of ${names.join(", ")}:\n  ${there}`,
    );
  });
}

async function run(
  command: "rotate" | "revoke",
  context: Context,
  names: readonly string[],
  { timeout, yes }: Pick<RotateFlags, "timeout" | "yes">,
  choose: (sights: Sights) => Leaving,
): Promise<Result> {
  const session = await context.open(names, "all");
  const rotated: RotatedMember[] = [];
  // One after the other: each trust domain has the others' attention.
  for (const target of named(names, session.members)) {
    const { signal } = session.interruption;
    if (signal.aborted) break;
    context.note(`${target.name}: reading its keys, and who holds them`);
    const { world, sights } = await firstSight(target, session).catch(withRights);
    const leaving = choose(sights);
    context.note(planOf(target.name, leaving, sights));
    const kinds = KINDS.filter((kind) => leaving[kind] !== undefined);
    const nothing = kinds.every((kind) => hopeless(leaving[kind] ?? "", sights[kind]) !== undefined);
    if (!yes && !nothing && !isYes(await context.ask("Proceed? [y/N] "))) {
      signal.throwIfAborted();
      throw new UsageError(`cancelled; ${rotated.length === 0 ? "nothing" : "nothing more"} was changed`);
    }
    const keys = await rotation(leaving, world, {
      timeoutMs: timeout * 1000,
      signal,
      note: (line) => {
        context.note(`${target.name}: ${line}`);
      },
      did: (what) => {
        context.did(`${target.name}: ${what}`);
      },
    });
    rotated.push({ member: target.name, trustDomain: target.config.trustDomain, keys, outside: sights.x509.outside });
  }
  return { exit: exitOfRotation(rotated), report: { command, members: rotated }, text: printRotated(rotated) };
}

async function firstSight(target: MeshMember, session: Session): Promise<{ world: RotationWorld; sights: Sights }> {
  const { members, stacks, interruption } = session;
  const { signal } = interruption;
  const lives = await readLives(target.name, connect(accessOf(target.config), signal));
  const others = members.filter((one) => one !== target);
  // Only for the names of partners: without it they have their labels.
  const own = target.outside.length > 0 ? await stacks.published(target.id).catch(() => undefined) : undefined;
  // A command that was begun is not cut off; between two of them an interruption is looked at.
  const world = await rotationWorld(
    target,
    others,
    (member) => authorities(accessOf(member.config)),
    lives,
    own?.peers,
  );
  return { world, sights: await world.sight() };
}

function withRights(error: unknown): never {
  if (error instanceof Forbidden) throw new Error(`${error.message}; docs/rbac/rotator.yaml grants what it needs`);
  throw error;
}
