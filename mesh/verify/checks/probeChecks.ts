/** MESH401 to MESH404: what workloads that were made for it have come to. Pure. */
import { CONTROLLER_MANAGER, SPIRE_AGENT } from "../../../components/shared/names";
import type { Dialed } from "../probe/log";
import { probeId } from "../probe/probeObjects";
import type { Probed, ProbeResult } from "../probe/probe";
import { POD } from "../../spire/serverCommands";
import { refresh } from "../../trust/serverStore";
import { type Check, type Code, failed, type Judgement, NotSeen, ok, see, skipped } from "../check";
import { ocHere } from "../subjects";
import type { Place } from "../../kernel/place";

export interface ProbeView extends Place {
  trustDomain: string;
  /** Undefined where nothing was made, because of a check that did not pass. */
  result: ProbeResult | undefined;
  /** Whether the probe has tried any direction at all, in whichever cluster. */
  tried: boolean;
}

export interface ProbePairView extends ProbeView {
  /** Undefined when it is of another project. */
  peer: ProbeView | undefined;
  /** Why these two cannot meet: what does not pass, or that the peer is not to trust the member. */
  hindrance: { evidence: string; needs?: Code } | undefined;
}

/** What has to work before anybody gets an SVID. */
const NEEDS = ["MESH101", "MESH134", "MESH135", "MESH136"] as const;

export const probeMemberChecks: readonly Check<ProbeView>[] = [
  {
    code: "MESH401",
    title: "a workload gets its SVID",
    source: "a pod made for it",
    about:
      "A pod that was made for it, with a ClusterSPIFFEID of its own, asks the agent of its node over the Workload " +
      "API, as any workload does, and is given the identity that it is to have. A pod that does not come to run says nothing " +
      "about SPIRE, and so this is then not known; one whose agent's socket cannot be mounted fails.",
    needs: NEEDS,
    judge: (view) => {
      const { report, pod } = probedOf(view);
      const { identity, without } = report;
      if (identity !== undefined) return ok(`${identity.id}, with bundles of ${identity.bundles.join(", ")}`);
      if (without !== undefined) return failed(`the agent gives none: ${without}`, whyNoIdentity(view));
      const trouble = `its pod says nothing: ${pod ?? "nothing is known of it"}`;
      if (pod?.includes("csi.spiffe.io")) return failed(trouble, ocHere(view, "get pods,daemonsets"));
      const other = pod !== undefined && /image/i.test(pod) ? "; --probe-image names another image with Node" : "";
      return { state: "unknown", evidence: `${trouble}${other}` };
    },
  },
  {
    code: "MESH403",
    title: "nothing of the probe is left",
    source: "the API server",
    about:
      "Everything that was made for it was taken away again, and seen to be gone. What is left gives nobody more than the identity " +
      "of the probe, the pod ends by itself after ten minutes, and the next probe takes it away.",
    needs: ["MESH101"],
    judge: ({ result }) => {
      if (result === undefined) return skipped("nothing was made there");
      return result.left === undefined ? ok("all of it is gone") : failed(result.left.why, result.left.cure);
    },
  },
  {
    code: "MESH404",
    title: "the probe has tried at least one direction",
    source: "all members of the probe",
    about:
      "A probe in which no two workloads were to meet proves nothing, and is no success: nobody trusts each other in both directions, or all " +
      "peers are of other projects.",
    needs: ["MESH401"],
    judge: ({ tried }) => {
      if (tried) return ok("workloads have tried to meet");
      throw new NotSeen("no two members trust each other in both directions, so no connection was tried");
    },
  },
];

export const probePairChecks: readonly Check<ProbePairView>[] = [
  {
    code: "MESH402",
    title: "a workload of the member and one of the peer authenticate each other",
    source: "a pod of the member",
    about:
      "The member's workload connects to the peer's, directly and through the peer's router, over TLS 1.3. Each shows its SVID, and each " +
      "takes the other's only if it has exactly the SPIFFE ID that is expected, and if the bundle of that very trust domain vouches " +
      "for it. The other direction is a check of the other pair. Both have to trust each other: where only one is to, or where that " +
      "trust does not pass its own checks, there is nothing to be tried.",
    verifications: [9],
    needs: ["MESH401"],
    needsOfPeer: ["MESH401"],
    judge: (view) => {
      const { peer, hindrance } = view;
      if (hindrance !== undefined) return { state: "skipped", ...hindrance };
      if (peer === undefined) return skipped("the peer is not of this project: no workload is made in its cluster");
      const dialed = probedOf(view).report.dialed.get(peer.member);
      if (dialed === undefined) return { state: "unknown", evidence: `nothing was heard of a connection` };
      return judgeDialed(view, peer, dialed);
    },
  },
];

export const isReadyToProbe = (passed: (code: Code) => boolean): boolean => NEEDS.every(passed);

/** @throws NotSeen for words that the workload does not have */
function judgeDialed(view: ProbeView, peer: ProbeView, dialed: Dialed): Judgement {
  switch (dialed.outcome) {
    case "met":
      return ok(`${probeId(view.trustDomain)} has met ${probeId(peer.trustDomain)}, ${dialed.tls}`);
    case "refused": {
      // Who refuses is who lacks the key that would vouch.
      const [who, whom] = dialed.by === "here" ? [view, peer] : [peer, view];
      return failed(`${who.member}'s workload refuses ${whom.member}'s: ${dialed.why}`, refresh(who, whom.trustDomain));
    }
    case "unreachable": {
      const { route } = probedOf(peer);
      return failed(
        `${peer.member}'s workload is not reached: ${[dialed.why, ...(route === undefined ? [] : [route])].join("; ")}`,
        route === undefined
          ? `let pods of ${view.member} reach the router of ${peer.member} on port 443, by that name`
          : `let the router of ${peer.member} serve Routes of other namespaces under its own domain`,
      );
    }
    default:
      throw new NotSeen(`its workload says ${JSON.stringify(dialed)}, which is no outcome`);
  }
}

const probedOf = ({ result }: ProbeView): Probed => see(result?.probed ?? { because: "nothing was made there" });

/** The agent knows nothing but the entries that it gets, which are made of ClusterSPIFFEIDs. */
const whyNoIdentity = (place: Place): string =>
  `${ocHere(place, `logs ${POD} -c ${CONTROLLER_MANAGER}`)}; ${ocHere(place, `logs daemonset/${SPIRE_AGENT}`)}`;
