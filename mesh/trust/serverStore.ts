/** What a SPIRE server has in its own store: whom it polls, and whose keys it trusts. Pure. */
import { word } from "../../components/shared/shell";
import type { Declared } from "./expected";
import type { Finding } from "../kernel/finding";
import { forgetCommand, inServer } from "../spire/serverCommands";
import type { Place } from "../kernel/place";
import { fingerprint, foreignJwtKeys, foreignRoots, validRoots, type HeldBundle } from "../spire/bundle";

export interface Store {
  bundles: HeldBundle[];
  /** Trust domains of its dynamic relationships. */
  relationships: string[];
}

/** @param foreign trust domains that something else in the cluster asks for; what follows from that is said there */
export function leftInStore(place: Place, store: Store, declared: Declared, foreign: ReadonlySet<string>): Finding[] {
  const known = (trustDomain: string): boolean => declared.trustDomains.has(trustDomain) || foreign.has(trustDomain);
  const { member } = place;
  const left = store.relationships.filter((trustDomain) => !known(trustDomain));
  return [
    ...left.map((trustDomain): Finding => ({
      code: "relationship-undeclared",
      member,
      object: `relationship ${trustDomain}`,
      found: "SPIRE polls its bundle, and no stack declares it",
      cure: `${inServer(place, `federation delete -id ${word(trustDomain)}`)} && ${forgetCommand(place, trustDomain)}`,
    })),
    ...store.bundles
      .filter(({ trustDomain }) => !known(trustDomain) && !left.includes(trustDomain))
      .map(({ trustDomain }): Finding => ({
        code: "bundle-left",
        member,
        object: `bundle ${trustDomain}`,
        found: "SPIRE trusts it, and no stack declares it",
        cure: forgetCommand(place, trustDomain),
      })),
    ...[...declared.trusted]
      .filter(([trustDomain]) => !store.bundles.some((bundle) => bundle.trustDomain === trustDomain))
      .map(([trustDomain, stack]): Finding => ({
        code: "bundle-missing",
        member,
        object: `bundle ${trustDomain}`,
        found: `SPIRE holds no bundle of ${stack}`,
        cure: refresh(place, trustDomain),
      })),
  ];
}

/**
 * Whether what is held of a peer is the peer's own.
 *
 * A peer's keys come and go, and SPIRE looks again only every now and then. A held bundle that lacks keys is behind, and
 * that is no finding as long as it has one that is good. A key that the peer doesn't have is: it signs for the peer all
 * the same. Such a key is set by hand, or revoked by the peer since SPIRE looked last. Roots that have expired verify
 * nothing. JWT keys don't say when they expire: see foreignJwtKeys.
 *
 * @param held read before `own`: what the peer added in between is not missing there
 */
export function heldOfPeer(place: Place, held: HeldBundle, own: HeldBundle, now: Date): Finding[] {
  const about = { member: place.member, object: `bundle ${held.trustDomain}` };
  const roots = foreignRoots(held, own, now).map(fingerprint);
  const jwt = foreignJwtKeys(held, own).map(({ publicKey }) => fingerprint(publicKey));
  const expected = `roots sha256 ${own.roots.map(fingerprint).join(", ")}`;
  const cure = refresh(place, held.trustDomain);
  if (roots.length > 0 || jwt.length > 0) {
    const keys = [
      ...(roots.length > 0 ? [`roots sha256 ${roots.join(", ")}`] : []),
      ...(jwt.length > 0 ? [`JWT keys sha256 ${jwt.join(", ")}`] : []),
    ];
    const found = `SPIRE trusts ${keys.join(" and ")}, which the peer doesn't have`;
    return [{ ...about, code: "bundle-foreign", found, expected, cure }];
  }
  if (validRoots(held, now).length > 0) return [];
  return [{ ...about, code: "bundle-stale", found: "SPIRE holds no root of it that is still valid", expected, cure }];
}

/** Takes the peer's bundle as its endpoint serves it now; when that fails it says why. */
export const refresh = (place: Place, trustDomain: string): string =>
  inServer(place, `federation refresh -id ${word(trustDomain)}`);
