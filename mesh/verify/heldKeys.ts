/** Whether what is held of a peer are the peer's present keys, X.509 or JWT. Pure. */
import { authorityId, fingerprint, foreignJwtKeys, foreignRoots, validRoots } from "../keys";
import type { HeldBundle, JwtKey, Signing } from "../spireServer";
import { refresh } from "../storeFindings";
import { failed, type Judgement, ok, pending, see } from "./check";
import { keysOf, short } from "./endpointChecks";
import { fact, type PairView } from "./views";

/** A kind of keys in a bundle. */
interface KeyKind<Key> {
  keys: (bundle: HeldBundle) => readonly Key[];
  id: (key: Key) => string;
  /** Whether the peer signs with it now. */
  signs: (key: Key, signing: Signing) => boolean;
  /** Keys that are held and that the peer doesn't have. */
  foreign: (held: HeldBundle, served: HeldBundle, now: Date) => readonly Key[];
  /** Whether nothing that is held is still good; JWT keys don't say when they end. */
  isOver: (held: HeldBundle, now: Date) => boolean;
  describe: (bundle: HeldBundle) => string;
}

export const X509: KeyKind<Buffer> = {
  keys: ({ roots }) => roots,
  id: fingerprint,
  signs: (root, { x509 }) => authorityId(root) === x509,
  foreign: foreignRoots,
  isOver: (held, now) => validRoots(held, now).length === 0,
  describe: keysOf,
};

export const JWT: KeyKind<JwtKey> = {
  keys: ({ jwtKeys }) => jwtKeys,
  id: ({ id }) => id,
  signs: ({ id }, { jwt }) => id === jwt,
  foreign: foreignJwtKeys,
  isOver: () => false,
  describe: ({ jwtKeys }) => jwtKeys.map(({ id }) => short(id)).join(", ") || "none",
};

export function judgeHeld<Key>(
  view: PairView,
  { keys, id, signs, foreign, isOver, describe }: KeyKind<Key>,
): Judgement {
  const held = heldOf(view);
  if (held === undefined) return notHeld(view);
  const served = see(view.peer.served);
  const ids = keys(held).map(id);
  const missing = keys(served).filter((key) => !ids.includes(id(key)));
  const { signing } = view.peer;
  // Where it is not known with which the peer signs, one that is held may be it.
  const lacking =
    "seen" in signing
      ? missing.filter((key) => signs(key, signing.seen))
      : missing.length < keys(served).length
        ? []
        : missing;
  const list = (some: readonly Key[]): string => some.map((key) => short(id(key))).join(", ");
  const strange = foreign(held, served, view.now);
  const faults = [
    ...(strange.length > 0 ? [`trusts ${list(strange)}, which the peer doesn't have`] : []),
    ...(lacking.length > 0 ? [`lacks ${list(lacking)}, with which the peer signs`] : []),
    ...(isOver(held, view.now) ? ["nothing that it holds is still valid"] : []),
  ];
  const says = `holds ${describe(held)}; the peer serves ${describe(served)}`;
  if (faults.length > 0) return failed(`${faults.join("; ")} (${says})`, refresh(view, see(view.peer.trustDomain)));
  return ok(
    missing.length > 0 ? `${says}; ${missing.length} that the peer has prepared come with the next refresh` : says,
  );
}

function notHeld(view: PairView): Judgement {
  const trustDomain = see(view.peer.trustDomain);
  const { federates } = view.peer;
  if ("seen" in federates && !federates.seen)
    return pending(`no bundle of ${trustDomain} yet`, `npx mesh up ${view.member}`);
  return failed(`holds no bundle of ${trustDomain}`, refresh(view, trustDomain));
}

/** Undefined when no bundle of the peer is held. */
export function heldOf(view: PairView): HeldBundle | undefined {
  const trustDomain = see(view.peer.trustDomain);
  return fact(view, "store").bundles.find((bundle) => bundle.trustDomain === trustDomain);
}
