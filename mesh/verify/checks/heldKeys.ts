/** Whether what is held of a peer are the peer's present keys, X.509 or JWT. Pure. */
import { word } from "../../../components/shared/shell";
import { PROGRAM } from "../../../components/shared/names";
import { refresh } from "../../trust/serverStore";
import { failed, type Judgement, NotSeen, ok, pending, see, warn } from "../check";
import { keysOf, short } from "./endpointChecks";
import { untilNextPoll } from "../nextPoll";
import { fact, type PairView } from "../subjects";
import {
  fingerprint,
  isBehind,
  sameJwtKey,
  validRoots,
  type HeldBundle,
  type JwtKey,
  type Signing,
} from "../../spire/bundle";

/** A kind of keys in a bundle. */
interface KeyKind<Key> {
  keys: (bundle: HeldBundle) => readonly Key[];
  /** Keys that can still verify something; JWT keys don't say when they end. */
  valid: (bundle: HeldBundle, now: Date) => readonly Key[];
  id: (key: Key) => string;
  same: (one: Key, other: Key) => boolean;
  /** Ids of keys, each of which verifies what the peer signs now; none when that isn't known. */
  signing: (signing: Signing) => readonly string[];
  /** Whether a start below an upstream CA may make a new one: the root that X.509-SVIDs lead to stays. */
  newAtStart: boolean;
  describe: (bundle: HeldBundle) => string;
}

export const X509: KeyKind<Buffer> = {
  keys: ({ roots }) => roots,
  valid: validRoots,
  id: fingerprint,
  same: (one, other) => one.equals(other),
  signing: ({ x509 }) => x509,
  newAtStart: false,
  describe: keysOf,
};

export const JWT: KeyKind<JwtKey> = {
  keys: ({ jwtKeys }) => jwtKeys,
  valid: ({ jwtKeys }) => jwtKeys,
  id: ({ id }) => id,
  same: sameJwtKey,
  signing: ({ jwt }) => jwt,
  newAtStart: true,
  describe: ({ jwtKeys }) => jwtKeys.map(({ id }) => short(id)).join(", ") || "none",
};

export function judgeHeld<Key>(view: PairView, kind: KeyKind<Key>): Judgement {
  const held = heldOf(view);
  if (held === undefined) return notHeld(view);
  const { bundle: own, says: has } = see(view.peer.keys);
  const { keys, id, same } = kind;
  const list = (ids: readonly string[]): string => ids.map(short).join(", ");
  const isIn = (some: readonly Key[]) => (key: Key) => some.some((one) => same(one, key));
  const valid = kind.valid(held, view.now);
  const missing = keys(own).filter((key) => !isIn(keys(held))(key));
  const strange = valid.filter((key) => !isIn(keys(own))(key));
  const signing = "seen" in view.peer.signing ? kind.signing(view.peer.signing.seen) : [];
  const hasSigning = keys(own).some((key) => signing.includes(id(key)) && isIn(valid)(key));
  const lacksAll = missing.length > 0 && missing.length === keys(own).length;
  // JWT keys don't say when they end, and SPIRE drops one that the peer has given up at its next refresh.
  const outdated = kind.keys === JWT.keys && isBehind(held, own) && strange.length < valid.length;
  const trusts = `trusts ${list(strange.map(id))}, which the peer doesn't have`;
  const lacksSigning = signing.length > 0 && !hasSigning;
  const faults = [
    ...(strange.length > 0 && !outdated ? [trusts] : []),
    ...(lacksSigning ? [`lacks ${list(signing)}, with which the peer signs`] : []),
    ...(signing.length === 0 && lacksAll ? [`lacks ${list(missing.map(id))}, which is all that the peer ${has}`] : []),
    ...(keys(held).length > 0 && valid.length === 0 ? ["nothing that it holds is still valid"] : []),
  ];
  const says = `holds ${kind.describe(held)}; the peer ${has} ${kind.describe(own)}`;
  const refreshNow = refresh(view, see(view.peer.trustDomain));
  const wait =
    kind.newAtStart && lacksSigning && missing.length > 0 && faults.length === 1
      ? untilNextPoll(view, held.refreshHint)
      : undefined;
  if (wait !== undefined) return pending(`${faults.join()} ${wait} (${says})`, refreshNow);
  if (faults.length > 0) return failed(`${faults.join("; ")} (${says})`, refreshNow);
  if (keys(own).length === 0) throw new NotSeen(`the peer ${has} no such key (${says})`);
  if (missing.length > 0 && !hasSigning)
    throw new NotSeen(
      `lacks ${list(missing.map(id))}, and with which of its keys the peer signs is not known (${says})`,
    );
  if (outdated && strange.length > 0) return warn(`${trusts} any more (${says})`, refreshNow);
  if (missing.length === 0) return ok(says);
  return ok(`${says}; ${missing.length} that the peer has prepared come with the next refresh`);
}

function notHeld(view: PairView): Judgement {
  const trustDomain = see(view.peer.trustDomain);
  const { federates } = view.peer;
  if ("seen" in federates && !federates.seen)
    return pending(`no bundle of ${trustDomain} yet`, `npx ${PROGRAM} up ${word(view.member)}`);
  return failed(`holds no bundle of ${trustDomain}`, refresh(view, trustDomain));
}

/** Undefined when no bundle of the peer is held. */
export function heldOf(view: PairView): HeldBundle | undefined {
  const trustDomain = see(view.peer.trustDomain);
  return fact(view, "store").bundles.find((bundle) => bundle.trustDomain === trustDomain);
}
