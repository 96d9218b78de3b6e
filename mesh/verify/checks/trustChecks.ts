/** MESH201 to MESH212: whether a member trusts a peer, and with the peer's present keys. Pure. */
import { word } from "../../../components/shared/shell";
import { TRUST_KIND, type TrustObject } from "../../../components/bundle/bundleMark";
import { entryText } from "../../../components/spireServer/federationSpec";
import { CONTROLLER_MANAGER, FEDERATION_CLASS, PROGRAM } from "../../../components/shared/names";
import { federatedTrustDomainSpec, federatesWith } from "../../../components/bundle/peer";
import { objectDifferences } from "../../kernel/difference";
import { POD } from "../../spire/serverCommands";
import { type Check, failed, ok, pending, see, skipped } from "../check";
import { JWT, X509 } from "../../trust/peerKeys";
import { judgeHeld } from "./heldKeys";
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
      "The same for JWT-SVIDs. X.509 can be in order while every token of the peer is refused: both come in one bundle, but JWT keys " +
      "change at other times than roots. SPIRE fetches the bundle four times in each refresh hint of the peer, every 75 s by default, and " +
      "does not know a JWT key that is newer. A key that the peer doesn't have fails: it may be revoked. It is pending until two polls are " +
      "over where the peer may have given it up since the last refresh. A missing key is pending when the peer has an upstream CA, its SPIRE " +
      "server has started since the last poll, and the next one is not overdue: below cert-manager each start of SPIRE 1.14 makes a new JWT key.",
    verifications: [5],
    needs: ["MESH134"],
    needsOfPeer: ["MESH134"],
    judge: (view) => judgeHeld(view, JWT),
  },
];

export function objectOf(view: PairView): TrustObject | undefined {
  const name = view.peer.object;
  return fact(view, "trust").find(({ metadata }) => metadata?.name === name);
}

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "nothing" : JSON.stringify(value);
