/** How long certificates and roots still live: a member's own, and those that it holds of its peers. Pure. */
import { X509Certificate } from "node:crypto";
import { definedOnly } from "../../stacks/fields";
import { fingerprint, type HeldBundle, short } from "../spire/bundle";
import { heldOf } from "./checks/heldKeys";
import { chain, map } from "./peers";
import type { MemberView, PairView } from "./subjects";
import type { Held, Lifetime } from "./verification";

export function lifetimesOf({ facts, presented }: MemberView): Lifetime[] {
  const renewal = chain(facts, ({ certificate }) => map(certificate, (seen) => isoOf(seen?.status?.renewalTime)));
  const endpoint = map(presented, ({ certificate }): Lifetime[] => [
    {
      kind: "endpoint",
      what: "certificate of the bundle endpoint",
      ...lifeOf(certificate),
      ...("seen" in renewal && definedOnly({ renewal: renewal.seen })),
    },
  ]);
  const roots = chain(facts, ({ own }) => map(own, rootsOf));
  return [endpoint, roots].flatMap((lives) => ("seen" in lives ? lives.seen : []));
}

/** Undefined when no bundle of the peer is held, or that was not seen. */
export function heldLives(view: PairView): Held | undefined {
  if ("because" in view.facts || "because" in view.facts.seen.store || "because" in view.peer.trustDomain)
    return undefined;
  const held = heldOf(view);
  if (held === undefined) return undefined;
  const { log } = view.facts.seen;
  const refreshed = "seen" in log ? log.seen.polls.get(held.trustDomain)?.refreshed?.toISOString() : undefined;
  return { roots: rootsOf(held), ...definedOnly({ refreshed }) };
}

const rootsOf = ({ roots }: HeldBundle): Lifetime[] =>
  roots.map((root) => ({
    kind: "root",
    what: `X.509 root ${short(fingerprint(root))}`,
    ...lifeOf(new X509Certificate(root)),
  }));

const lifeOf = ({ raw, validFrom, validTo }: X509Certificate): Pick<Lifetime, "sha256" | "notBefore" | "notAfter"> => ({
  sha256: fingerprint(raw),
  notBefore: new Date(validFrom).toISOString(),
  notAfter: new Date(validTo).toISOString(),
});

/** When the last of them ends; undefined when there is none. */
export function lastEnd(lives: readonly Lifetime[]): string | undefined {
  const ends = lives.map(({ notAfter }) => Date.parse(notAfter));
  return ends.length === 0 ? undefined : new Date(Math.max(...ends)).toISOString();
}

/** Undefined where an object has something there that is no date. */
const isoOf = (date: unknown): string | undefined =>
  typeof date === "string" && !Number.isNaN(Date.parse(date)) ? new Date(date).toISOString() : undefined;
