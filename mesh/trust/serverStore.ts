/** What a SPIRE server has in its own store: whom it polls, and whose keys it trusts. Pure. */
import { word } from "../../components/shared/shell";
import type { Declared } from "./expected";
import type { Finding, FindingCode } from "../kernel/finding";
import { forgetCommand, inServer } from "../spire/serverCommands";
import type { Place } from "../kernel/place";
import { fingerprint, type HeldBundle } from "../spire/bundle";
import type { Polls } from "../spire/serverLog";
import { compareKeys, hintFault, JWT, X509 } from "./peerKeys";
import { goesWithNextPoll } from "./polls";

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

/** A peer's own keys. */
export interface PeersKeys {
  bundle: HeldBundle;
  /** When it revoked a JWT key last, as far as its log says so. */
  revoked?: Date;
}

/**
 * Whether what is held of a peer is the peer's own.
 *
 * A peer's keys come and go, and SPIRE looks again only every now and then. A held bundle that lacks keys is behind, and
 * that is no finding as long as it has one that is good. A key that the peer doesn't have is: it signs for the peer all
 * the same. Such a key is set by hand, or revoked by the peer. Roots that have expired verify nothing.
 *
 * @param held read before `own`: what the peer added in between is not missing there
 * @param polls of the peer, as far as the log says
 * @throws Error when a JWT key may be one that the peer has given up since the last poll, and nothing else was found
 */
export function heldOfPeer(
  place: Place,
  held: HeldBundle,
  { bundle: own, revoked }: PeersKeys,
  now: Date,
  polls: Polls = {},
): Finding[] {
  const { strange: roots, valid } = compareKeys(X509, held, own, now);
  const { strange: jwt } = compareKeys(JWT, held, own, now);
  const goes = jwt.length > 0 ? goesWithNextPoll({ ...polls, hint: held.refreshHint, now }, revoked) : undefined;
  const expected = `roots sha256 ${own.roots.map(fingerprint).join(", ")}`;
  const finding = (code: FindingCode, found: string): Finding => ({
    code,
    member: place.member,
    object: `bundle ${held.trustDomain}`,
    found,
    ...(code !== "bundle-hint" && { expected }),
    cure: refresh(place, held.trustDomain),
  });
  const hint = hintFault(held);
  const keys = [
    ...(roots.length > 0 ? [`roots sha256 ${roots.map(fingerprint).join(", ")}`] : []),
    ...(jwt.length > 0 ? [`JWT keys sha256 ${jwt.map(({ publicKey }) => fingerprint(publicKey)).join(", ")}`] : []),
  ].join(" and ");
  const isForeign = roots.length > 0 || (jwt.length > 0 && goes === undefined);
  const findings = [
    ...(isForeign ? [finding("bundle-foreign", `SPIRE trusts ${keys}, which the peer doesn't have`)] : []),
    ...(valid.length === 0 ? [finding("bundle-stale", "SPIRE holds no root of it that is still valid")] : []),
    ...(hint === undefined ? [] : [finding("bundle-hint", hint)]),
  ];
  if (findings.length === 0 && goes !== undefined) throw new Error(`SPIRE trusts ${keys}; ${goes}`);
  return findings;
}

/** Takes the peer's bundle as its endpoint serves it now; when that fails it says why. */
export const refresh = (place: Place, trustDomain: string): string =>
  inServer(place, `federation refresh -id ${word(trustDomain)}`);
