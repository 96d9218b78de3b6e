/** Whether what is held of a peer are the peer's present keys, X.509 or JWT. Pure. */
import { PROGRAM } from "../../../components/names";
import { refresh } from "../../trust/serverStore";
import { failed, type Judgement, NotSeen, ok, pending, see } from "../check";
import { keysOf, short } from "./endpointChecks";
import { fact, type PairView } from "../subjects";
import {
  fingerprint,
  foreignJwtKeys,
  foreignRoots,
  validRoots,
  type HeldBundle,
  type JwtKey,
  type Signing,
} from "../../spire/bundle";

/** A kind of keys in a bundle. */
interface KeyKind<Key> {
  keys: (bundle: HeldBundle) => readonly Key[];
  /** Those that can still verify something; JWT keys don't say when they end. */
  valid: (bundle: HeldBundle, now: Date) => readonly Key[];
  id: (key: Key) => string;
  /** Ids of keys, each of which verifies what the peer signs now; none when that isn't known. */
  signing: (signing: Signing) => readonly string[];
  /** Keys that are held and that the peer doesn't have. */
  foreign: (held: HeldBundle, served: HeldBundle, now: Date) => readonly Key[];
  describe: (bundle: HeldBundle) => string;
}

export const X509: KeyKind<Buffer> = {
  keys: ({ roots }) => roots,
  valid: validRoots,
  id: fingerprint,
  signing: ({ x509 }) => x509,
  foreign: foreignRoots,
  describe: keysOf,
};

export const JWT: KeyKind<JwtKey> = {
  keys: ({ jwtKeys }) => jwtKeys,
  valid: ({ jwtKeys }) => jwtKeys,
  id: ({ id }) => id,
  signing: ({ jwt }) => jwt,
  foreign: foreignJwtKeys,
  describe: ({ jwtKeys }) => jwtKeys.map(({ id }) => short(id)).join(", ") || "none",
};

export function judgeHeld<Key>(view: PairView, kind: KeyKind<Key>): Judgement {
  const held = heldOf(view);
  if (held === undefined) return notHeld(view);
  const served = see(view.peer.served);
  const { keys, id } = kind;
  const list = (some: readonly Key[]): string => some.map((key) => short(id(key))).join(", ");
  const ids = keys(held).map(id);
  const missing = keys(served).filter((key) => !ids.includes(id(key)));
  const valid = kind.valid(held, view.now).map(id);
  const signing = "seen" in view.peer.signing ? kind.signing(view.peer.signing.seen) : [];
  const hasSigning = signing.some((one) => valid.includes(one));
  const lacking = hasSigning ? [] : keys(served).filter((key) => signing.includes(id(key)));
  const lacksAll = !hasSigning && missing.length > 0 && missing.length === keys(served).length;
  const strange = kind.foreign(held, served, view.now);
  const faults = [
    ...(strange.length > 0 ? [`trusts ${list(strange)}, which the peer doesn't have`] : []),
    ...(lacking.length > 0 ? [`lacks ${list(lacking)}, with which the peer signs`] : []),
    ...(lacking.length === 0 && lacksAll ? [`lacks ${list(missing)}, which is all that the peer serves`] : []),
    ...(ids.length > 0 && valid.length === 0 ? ["nothing that it holds is still valid"] : []),
  ];
  const says = `holds ${kind.describe(held)}; the peer serves ${kind.describe(served)}`;
  if (faults.length > 0) return failed(`${faults.join("; ")} (${says})`, refresh(view, see(view.peer.trustDomain)));
  if (missing.length === 0) return ok(says);
  if (!hasSigning)
    throw new NotSeen(`lacks ${list(missing)}, and with which of its keys the peer signs is not known (${says})`);
  return ok(`${says}; ${missing.length} that the peer has prepared come with the next refresh`);
}

function notHeld(view: PairView): Judgement {
  const trustDomain = see(view.peer.trustDomain);
  const { federates } = view.peer;
  if ("seen" in federates && !federates.seen)
    return pending(`no bundle of ${trustDomain} yet`, `npx ${PROGRAM} up ${view.member}`);
  return failed(`holds no bundle of ${trustDomain}`, refresh(view, trustDomain));
}

/** Undefined when no bundle of the peer is held. */
export function heldOf(view: PairView): HeldBundle | undefined {
  const trustDomain = see(view.peer.trustDomain);
  return fact(view, "store").bundles.find((bundle) => bundle.trustDomain === trustDomain);
}
