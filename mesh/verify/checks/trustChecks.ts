/** MESH201 to MESH214: whether a member trusts a peer, and with the peer's present keys. Pure. */
import { word } from "../../../components/shared/shell";
import { X509Certificate } from "node:crypto";
import { TRUST_KIND } from "../../../components/bundle/bundleMark";
import { entryText } from "../../../components/spireServer/federationSpec";
import { CONTROLLER_MANAGER, FEDERATION_CLASS, PROGRAM } from "../../../components/shared/names";
import { federatedTrustDomainSpec, federatesWith } from "../../../components/bundle/peer";
import { describeCa, hasPrivateCa, missingCas, PEER_CAS_PREFIX } from "../../../components/trustedCas/trustedCas";
import { objectDifferences } from "../../drift/difference";
import { POD } from "../../spire/serverCommands";
import { refresh } from "../../trust/serverStore";
import type { ListedTrust } from "../../trust/foreignTrust";
import { type Check, failed, NotSeen, ok, pending, see, skipped } from "../check";
import { heldOf, judgeHeld, JWT, X509 } from "./heldKeys";
import { pollCause } from "../pollCauses";
import { passesWithStart } from "../nextPoll";
import { span, startOf } from "../times";
import { fact, ocHere, type PairView, upAgain } from "../subjects";

export const trustChecks: readonly Check<PairView>[] = [
  {
    code: "MESH201",
    title: "there is a ClusterFederatedTrustDomain for the peer",
    source: `${TRUST_KIND}s`,
    about:
      "By it SPIRE gets the peer's first bundle, and the peer's URL to fetch later ones from. Pending as long as the peer has no endpoint.",
    verifications: [4],
    needs: ["MESH101"],
    judge: (view) => {
      const name = view.peer.object;
      const { notSeen } = view.peer;
      if (objectOf(view) !== undefined) return ok(notSeen === undefined ? name : `${name}; ${notSeen}`);
      const { federates } = view.peer;
      if ("seen" in federates && !federates.seen) {
        return pending(
          `${view.peer.label} has no bundle endpoint yet`,
          `npx ${PROGRAM} up ${word(view.peer.label)} ${word(view.member)}`,
        );
      }
      return failed(`${name} is not there`, upAgain(view));
    },
  },
  {
    code: "MESH202",
    title: "it is of the class that ZTWIM's controller takes",
    source: `${TRUST_KIND}s`,
    about: "The controller ignores one of another class, or without, and says nothing.",
    verifications: [4],
    needs: ["MESH201"],
    judge: (view) => {
      const { className } = objectOf(view)?.spec ?? {};
      return className === FEDERATION_CLASS
        ? ok(className)
        : failed(`its class is ${className ?? "none"}`, upAgain(view));
    },
  },
  {
    code: "MESH203",
    title: "it has the peer's trust domain, URL and profile",
    source: `${TRUST_KIND}s and the peer's own cluster`,
    about:
      "It says of the peer what the peer's own cluster says, not what anybody has copied: a wrong URL means that the bundle is never " +
      "refreshed, and with the next rotation all trust is gone.",
    verifications: [4, 5],
    needs: ["MESH201"],
    // Where the peer's endpoint is follows from its cluster.
    needsOfPeer: ["MESH101"],
    judge: (view) => {
      const { trustDomain, bundleEndpointURL, bundleEndpointProfile } = federatedTrustDomainSpec(
        see(view.peer.published),
      );
      const differ = objectDifferences({ trustDomain, bundleEndpointURL, bundleEndpointProfile }, objectOf(view)?.spec);
      if (differ.length === 0) return ok(see(view.peer.published).bundleEndpointUrl);
      const said = differ.map(
        ({ path, found, expected }) => `${path} is ${text(found)}, the peer has ${text(expected)}`,
      );
      return failed(said.join("; "), upAgain(view));
    },
  },
  {
    code: "MESH204",
    title: "federatesWith agrees",
    source: "SpireServer cluster",
    about:
      "With federatesWith static the SpireServer lists the peer as it is; with dynamic it need not. An entry that says otherwise wins over the " +
      "ClusterFederatedTrustDomain.",
    verifications: [7],
    needs: ["MESH131"],
    needsOfPeer: ["MESH101"],
    judge: (view) => {
      const [asked] = federatesWith([see(view.peer.published)]);
      const listed = fact(view, "server")?.spec?.federation?.federatesWith ?? [];
      const entry = listed.find(({ trustDomain }) => trustDomain === asked?.trustDomain);
      if (asked === undefined) return skipped("no entry is asked for");
      if (entry !== undefined && entryText(entry) !== entryText(asked)) {
        return failed(`it lists ${entryText(entry)}, the peer has ${entryText(asked)}`, upAgain(view));
      }
      if (entry !== undefined) return ok(entryText(entry));
      if (view.config.federatesWith === "dynamic") return ok("not listed, as federatesWith: dynamic has it");
      const { federates } = view.peer;
      if ("seen" in federates && !federates.seen)
        return pending("not listed yet", `npx ${PROGRAM} up ${word(view.member)}`);
      return failed(`it doesn't list ${asked.trustDomain}`, upAgain(view));
    },
  },
  {
    code: "MESH205",
    title: "the SPIRE server has the relationship",
    source: "the SPIRE server",
    about:
      "The SPIRE controller manager has made a federation relationship of the ClusterFederatedTrustDomain, so that SPIRE fetches the peer's bundle.",
    verifications: [5],
    needs: ["MESH134", "MESH135", "MESH202"],
    judge: (view) => {
      const trustDomain = see(view.peer.trustDomain);
      if (fact(view, "store").relationships.includes(trustDomain)) return ok(trustDomain);
      const logs = ocHere(view, `logs ${POD} -c ${CONTROLLER_MANAGER}`);
      return failed(`it has none with ${trustDomain}`, `${logs} says why`);
    },
  },
  {
    code: "MESH211",
    title: "it holds the peer's present X.509 roots",
    source: "the SPIRE servers of both",
    about:
      "The root that vouches for the X.509-SVIDs that the peer signs now is held, and no root is held that the peer doesn't have. The peer's " +
      "own SPIRE server says which these are; where it cannot be asked, the peer's endpoint counts, if its certificate is good. A root that the " +
      "peer has only prepared may still be missing: SPIRE fetches it long before it is used. With an upstream CA the peer signs with an " +
      "intermediate, and the root is that CA's; where it cannot be told which of several roots that is, and one is missing, this is unknown.",
    verifications: [5],
    needs: ["MESH134"],
    needsOfPeer: ["MESH134"],
    judge: (view) => judgeHeld(view, X509),
  },
  {
    code: "MESH212",
    title: "it holds the peer's present JWT keys",
    source: "the SPIRE servers of both",
    about:
      "The same for JWT-SVIDs. X.509 can be in order while every token of the peer is refused: SPIRE looks for a new bundle as often as its " +
      "X.509 roots need it, and JWT keys come and go by themselves. A key that the peer has given up since the last refresh is a warning. " +
      "Pending when the peer has an upstream CA, its SPIRE server has started since the last poll, and the next one is not overdue: below " +
      "cert-manager each start of SPIRE 1.14 makes a new JWT key.",
    verifications: [5],
    needs: ["MESH134"],
    needsOfPeer: ["MESH134"],
    judge: (view) => judgeHeld(view, JWT),
  },
  {
    code: "MESH213",
    title: "it reaches the peer's endpoint and refreshes the bundle",
    source: "the SPIRE server's log",
    about:
      "What the SPIRE server logs of its own polls, made from its own network, with its own DNS and trust store. The last line counts: the check " +
      "fails only when that is an error; it is pending when the peer's SPIRE server had only started then, and the next poll is not overdue. Without a line of the last half hour it is unknown, since logs rotate. On log level warn or error it is " +
      "always unknown: SPIRE then logs failed polls, but not the successful ones that may have followed. A certificate that is fine from here may be refused there, because the CA is not among those that ZTWIM gives it.",
    verifications: [5, 7],
    needs: ["MESH134", "MESH201"],
    needsOfPeer: [["MESH147", "MESH150"]],
    judge: (view) => {
      const trustDomain = see(view.peer.trustDomain);
      const { refreshed, failed: last } = fact(view, "polls").get(trustDomain) ?? {};
      const ago = (at: Date): string => `${span(view.now.getTime() - at.getTime())} ago`;
      const again = refresh(view, trustDomain);
      const level = quietLevelOf(view);
      if (level !== undefined) {
        const failure =
          last === undefined ? "" : `; the last failed poll in its log was ${ago(last.at)} (${last.error})`;
        throw new NotSeen(`SPIRE's log level is ${level}, on which it does not log successful polls${failure}`);
      }
      const isQuiet = (at: Date): boolean => view.now.getTime() - at.getTime() > QUIET_MS;
      if (last !== undefined && (refreshed === undefined || last.at > refreshed)) {
        if (refreshed === undefined && isQuiet(last.at)) {
          throw new NotSeen(
            `failed ${ago(last.at)} (${last.error}), and its log says nothing of the peer since; ${HIDDEN}`,
          );
        }
        const before = refreshed === undefined ? "never refreshed" : `refreshed ${ago(refreshed)}`;
        const passing = passesWithStart(view, last.at, heldOf(view)?.refreshHint);
        if (passing !== undefined)
          return pending(`${before}; failed ${ago(last.at)} (${last.error}); ${passing}`, again);
        const known = pollCause(last.error, view, view.peer.label);
        const why = known === undefined ? last.error : `${known.cause} (${last.error})`;
        return failed(
          `${before}; failed ${ago(last.at)}: ${why}`,
          known === undefined ? again : `${known.cure}; then ${again}`,
        );
      }
      if (refreshed !== undefined && isQuiet(refreshed)) {
        throw new NotSeen(`refreshed ${ago(refreshed)}, and its log says nothing of the peer since`);
      }
      if (refreshed !== undefined) return ok(`refreshed ${ago(refreshed)}`);
      const started = startOf(fact(view, "pod"));
      if (started !== undefined && view.now.getTime() - started.getTime() < FIRST_POLL_MS) {
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
];

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

/** When the last root that is held of the peer ends; undefined when none is, or that was not seen. */
export function trustedUntil(view: PairView): string | undefined {
  if ("because" in view.facts || "because" in view.facts.seen.store || "because" in view.peer.trustDomain)
    return undefined;
  const held = heldOf(view);
  const ends = (held?.roots ?? []).map((root) => Date.parse(new X509Certificate(root).validTo));
  return ends.length === 0 ? undefined : new Date(Math.max(...ends)).toISOString();
}

function objectOf(view: PairView): ListedTrust | undefined {
  const name = view.peer.object;
  return fact(view, "trust").find(({ metadata }) => metadata?.name === name);
}

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "nothing" : JSON.stringify(value);
