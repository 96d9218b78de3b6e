/** Whether what is held of a peer are the peer's present keys, X.509 or JWT. Pure. */
import { word } from "../../../components/shared/shell";
import { PROGRAM } from "../../../components/shared/names";
import { compareKeys, type KeyKind } from "../../trust/peerKeys";
import { comesWithNextPoll, goesWithNextPoll, type Polling } from "../../trust/polls";
import { refresh } from "../../trust/serverStore";
import { failed, type Judgement, NotSeen, ok, pending, see } from "../check";
import type { Looked } from "../../kernel/looked";
import { fact, type PairView } from "../subjects";
import { type HeldBundle, short } from "../../spire/bundle";

export function judgeHeld<Key>(view: PairView, kind: KeyKind<Key>): Judgement {
  const held = heldOf(view);
  if (held === undefined) return notHeld(view);
  const { bundle: own, says: has } = see(view.peer.keys);
  const { keys, id, same } = kind;
  const list = (ids: readonly string[]): string => ids.map(short).join(", ");
  const { valid, missing, strange } = compareKeys(kind, held, own, view.now);
  const signing = "seen" in view.peer.signing ? kind.signing(view.peer.signing.seen) : [];
  const hasSigning = keys(own).some((key) => signing.includes(id(key)) && valid.some((one) => same(one, key)));
  const lacksAll = missing.length > 0 && missing.length === keys(own).length;
  const lacksSigning = signing.length > 0 && !hasSigning;
  const trusts = `trusts ${list(strange.map(id))}, which the peer doesn't have`;
  const lacks = [
    ...(lacksSigning ? [`lacks ${list(signing)}, with which the peer signs`] : []),
    ...(signing.length === 0 && lacksAll ? [`lacks ${list(missing.map(id))}, which is all that the peer ${has}`] : []),
    ...(keys(held).length > 0 && valid.length === 0 ? ["nothing that it holds is still valid"] : []),
  ];
  const says = `holds ${kind.describe(held)}; the peer ${has} ${kind.describe(own)}`;
  const refreshNow = refresh(view, see(view.peer.trustDomain));
  const polling = kind.comesAndGoes ? pollingOf(view, held) : undefined;
  const goes =
    polling && strange.length > 0 && lacks.length === 0
      ? goesWithNextPoll(polling, seenOr(view.peer.revoked))
      : undefined;
  if (goes !== undefined) return pending(`${trusts}; ${goes} (${says})`, refreshNow);
  const faults = [...(strange.length > 0 ? [trusts] : []), ...lacks];
  const comes =
    polling && lacksSigning && missing.length > 0 && faults.length === 1
      ? comesWithNextPoll(polling, seenOr(view.peer.started))
      : undefined;
  if (comes !== undefined) return pending(`${faults.join()} ${comes} (${says})`, refreshNow);
  if (faults.length > 0) return failed(`${faults.join("; ")} (${says})`, refreshNow);
  if (keys(own).length === 0) throw new NotSeen(`the peer ${has} no such key (${says})`);
  if (missing.length > 0 && !hasSigning)
    throw new NotSeen(
      `lacks ${list(missing.map(id))}, and with which of its keys the peer signs is not known (${says})`,
    );
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

/** The member's polls of the peer; undefined where its log cannot be read. */
function pollingOf(view: PairView, held: HeldBundle): Polling | undefined {
  const log = "seen" in view.facts ? seenOr(view.facts.seen.log) : undefined;
  return log && { ...log.polls.get(held.trustDomain), hint: held.refreshHint, now: view.now };
}

const seenOr = <T>(looked: Looked<T>): T | undefined => ("seen" in looked ? looked.seen : undefined);
