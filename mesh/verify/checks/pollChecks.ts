/** MESH213 to MESH216: whether a member learns of the peer's next keys, and from the peer. Pure. */
import { REFRESH_HINT } from "../../../components/shared/arguments";
import { word } from "../../../components/shared/shell";
import { describeCa, hasPrivateCa, missingCas, PEER_CAS_PREFIX } from "../../../components/trustedCas/trustedCas";
import { madeOr } from "../../kernel/looked";
import { span, startOf } from "../../kernel/times";
import { fingerprint } from "../../spire/bundle";
import { hintFault, JWT, sharesFirstRoots, X509 } from "../../trust/peerKeys";
import { intervalOf, overdue, passesWithStart } from "../../trust/polls";
import { refresh } from "../../trust/serverStore";
import { type Check, failed, type Judgement, NotSeen, ok, passes, pending, see, skipped, warn } from "../check";
import { pollCause } from "../pollCauses";
import { fact, OUT_OF_SIGHT, type PairView } from "../subjects";
import { heldOf, judgeHeld } from "./heldKeys";
import { objectOf } from "./trustChecks";

export const pollChecks: readonly Check<PairView>[] = [
  {
    code: "MESH213",
    title: "it reaches the peer's endpoint and refreshes the bundle",
    source: "the SPIRE server's log",
    about:
      "What the SPIRE server logs of its own polls, made from its own network, with its own DNS and trust store. The last line counts: the check " +
      "fails only when that is an error; it is pending when the peer's SPIRE server had only started then, and the next poll is not overdue. " +
      "It passes then when the peer's router answered 503, and so was reached and believed: whether a key is missing, MESH211 and MESH212 say. " +
      "Three polls that the log doesn't show are a warning: a poll has no time limit, and may hang. Without a line of the last half hour it is " +
      "unknown, since logs rotate. On log level warn or error SPIRE logs failed polls alone: then it passes when the keys that are held are the " +
      "peer's present ones (MESH211, MESH212), and is unknown otherwise. A certificate that is fine from here may be refused there, because the " +
      "CA is not among those that ZTWIM gives it.",
    verifications: [5, 7],
    needs: ["MESH134", "MESH201"],
    needsOfPeer: [["MESH147", "MESH150"]],
    judge: (view) => {
      const trustDomain = see(view.peer.trustDomain);
      const polling = {
        ...fact(view, "log").polls.get(trustDomain),
        hint: madeOr(undefined, () => heldOf(view)?.refreshHint),
        now: view.now,
      };
      const { refreshed, failed: last } = polling;
      const since = (at: Date): number => view.now.getTime() - at.getTime();
      const ago = (at: Date): string => `${span(since(at))} ago`;
      const again = refresh(view, trustDomain);
      const level = quietLevelOf(view);
      if (level !== undefined && (last === undefined || since(last.at) > intervalOf(polling.hint)))
        return byKeys(view, level, last && `; the last failed poll in its log was ${ago(last.at)} (${last.error})`);
      if (last !== undefined && (refreshed === undefined || last.at > refreshed)) {
        if (refreshed === undefined && since(last.at) > QUIET_MS) {
          throw new NotSeen(
            `failed ${ago(last.at)} (${last.error}), and its log says nothing of the peer since; ${HIDDEN}`,
          );
        }
        const before = refreshed === undefined ? "never refreshed" : `refreshed ${ago(refreshed)}`;
        const { serverStart } = view.peer;
        const passing = "seen" in serverStart && passesWithStart(polling, last.at, serverStart.seen);
        if (passing) {
          const about = `${before}; failed ${ago(last.at)} (${last.error}); ${passing}`;
          return ROUTER_ALONE.test(last.error) ? ok(about) : pending(about, again);
        }
        const known = pollCause(last.error, view, view.peer.label);
        const why = known === undefined ? last.error : `${known.cause} (${last.error})`;
        return failed(
          `${before}; failed ${ago(last.at)}: ${why}`,
          known === undefined ? again : `${known.cure}; then ${again}`,
        );
      }
      if (refreshed !== undefined && since(refreshed) > QUIET_MS) {
        throw new NotSeen(`refreshed ${ago(refreshed)}, and its log says nothing of the peer since`);
      }
      const late = overdue(polling);
      if (late !== undefined) return warn(late, again);
      if (refreshed !== undefined) return ok(`refreshed ${ago(refreshed)}`);
      const started = startOf(fact(view, "pod"));
      if (started !== undefined && since(started) < FIRST_POLL_MS) {
        return pending(`not yet; it started ${ago(started)}`, again);
      }
      throw new NotSeen(`its log of the last hour says nothing of the peer; ${HIDDEN}`);
    },
  },
  {
    code: "MESH214",
    title: "its SPIRE server trusts the CA of the peer's endpoint",
    source: "StatefulSet spire-server and the ConfigMap with CAs that it mounts",
    about:
      "With https_web SPIRE fetches the peer's bundle as any client would, and believes the CAs of its image or of the ConfigMap that ZTWIM " +
      "gives it. The first bundle comes from the stack, which knows the peer's CA: so all works until the peer rotates, and then trust ends.",
    needs: ["MESH101"],
    needsOfPeer: ["MESH101"],
    judge: (view) => {
      const peer = see(view.peer.published);
      if (!hasPrivateCa(peer)) return skipped("the peer's endpoint has no CA of its own");
      const trusted = fact(view, "trustedCas");
      const about = describeCa(peer);
      if (missingCas(peer, trusted?.pem ?? "").length === 0) return ok(`${about}, in ConfigMap ${trusted?.name ?? ""}`);
      const up = `npx pulumi up --stack ${word(view.member)}`;
      if (trusted === undefined) {
        return failed(
          `it trusts the CAs of its image alone, and not ${about}`,
          `set trustPeerCas to true in Pulumi.${view.member}.yaml, then ${up}`,
        );
      }
      const found = `ConfigMap ${trusted.name} lacks ${about}`;
      if (trusted.name.startsWith(PEER_CAS_PREFIX)) return failed(found, up);
      return failed(found, `add it there; where OpenShift fills the ConfigMap, to the trustedCA of proxy/cluster`);
    },
  },
  {
    code: "MESH215",
    title: "the peer asks to be polled often enough",
    source: "the SPIRE server's store",
    about:
      "The refresh hint of a bundle says when SPIRE is to fetch the next one, and SPIRE knows no upper bound. Whoever could serve a bundle once, " +
      "with a hint of years, would have his keys trusted for years; a peer that revokes a key counts on the others looking again. So a hint of " +
      "more than an hour fails. One below a minute is a warning: SPIRE takes a minute.",
    needs: ["MESH134"],
    judge: (view) => {
      const held = heldOf(view);
      if (held === undefined) return skipped("no bundle is held");
      const fault = hintFault(held);
      const again = refresh(view, held.trustDomain);
      const { refreshHint } = held;
      if (fault !== undefined) return failed(fault, `${again}; ${HINTS}`);
      if (refreshHint !== undefined && refreshHint < REFRESH_HINT.min)
        return warn(`its bundle asks SPIRE to look again within ${span(refreshHint * 1000)}`, HINTS);
      return ok(`each ${span(intervalOf(refreshHint))}`);
    },
  },
  {
    code: "MESH216",
    title: "it still holds a root that trust began with, as long as one has not ended",
    source: "ClusterFederatedTrustDomain and the SPIRE server's store",
    about:
      "Asked only of a peer whose own SPIRE server cannot say what its keys are. With https_web whoever has a certificate for the peer's host can " +
      "replace its keys at any poll, and what is held is then what is served. A rotation keeps a root until a day after its end. So when the first " +
      "bundle, which the stack put into the ClusterFederatedTrustDomain, has a root that has not ended, and none of its roots is held any more, " +
      "then the peer has revoked them or begun anew, or somebody else answers in its place: a warning, since from here these look the same. When " +
      "all of the first roots have ended, nothing can be said, and the check is skipped.",
    needs: ["MESH134", "MESH201"],
    asked: ({ peer: { keys } }) => !("seen" in keys) || keys.seen.says !== "has",
    judge: (view) => {
      const [object, held] = [objectOf(view), heldOf(view)];
      if (object === undefined || held === undefined) return skipped("no bundle is held");
      const shares = sharesFirstRoots(object, held, view.now);
      if (shares === undefined) return skipped(`${view.peer.object} does not tell which bundle was the first`);
      if (shares === "ended") return skipped("the roots that trust began with have all ended");
      if (shares) return ok("it holds one of them");
      return warn(
        "it holds none of the roots that trust began with, and not all of those have ended: the peer has revoked them or begun anew, or somebody else answers in its place",
        `have the peer's owner confirm these roots over another channel: sha256 ${held.roots.map(fingerprint).join(", ")}`,
      );
    },
  },
];

const HINTS = `the peer's owner sets a refresh hint of ${REFRESH_HINT.min} to ${REFRESH_HINT.max} seconds`;

/** Where successful polls are not logged, the keys that are held tell whether there were any. */
function byKeys(view: PairView, level: string, failure = ""): Judgement {
  const hidden = `SPIRE's log level is ${level}, on which it does not log successful polls`;
  const present = [judgeHeld(view, X509), judgeHeld(view, JWT)].every(({ state }) => passes(state));
  if (!present) throw new NotSeen(`${OUT_OF_SIGHT}${hidden}${failure}`);
  return ok(`not logged on level ${level}; the keys that it holds are the peer's present ones`);
}

/** What OpenShift's router answers while nothing is behind a Route: it was reached, and its certificate was believed. */
const ROUTER_ALONE = /unexpected status 503/;

/** SPIRE polls a peer at least every 15 minutes: four times within the longest refresh hint that ZTWIM takes. */
const QUIET_MS = 30 * 60_000;

const HIDDEN = 'SPIRE writes "Bundle refreshed" on log level info or debug alone, and logs rotate';

/** The log level of the SPIRE server, when it hides successful polls. */
function quietLevelOf(view: PairView): string | undefined {
  const server = "because" in view.facts ? view.facts : view.facts.seen.server;
  const spec = "because" in server ? undefined : server.seen?.spec;
  return ["warn", "error"].find((level) => level === spec?.logLevel?.toLowerCase());
}

/** SPIRE polls a peer within a minute of its start. */
const FIRST_POLL_MS = 120_000;
