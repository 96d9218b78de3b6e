/** MESH131 to MESH135 and MESH153: the SPIRE server, from what is asked of it to what runs. MESH151: what its operator says. Pure. */
import { differences, factsOfSpec, federationSpec, withoutPeers } from "../../../components/spireServer/federationSpec";
import type { FederationSpec } from "../../../components/route/federation";
import { renderBundleEndpoint } from "../../../components/spireServer/bundleEndpoint";
import { judgeKeyTimes, keyLivesOf } from "../../../components/spireServer/keyTimes";
import { CONTROLLER_MANAGER, SPIRE_SERVER } from "../../../components/shared/names";
import { conditionsReadiness, configHash, configHashOf } from "../../../components/spireServer/spireServerReadiness";
import { bundleEndpoint, describeEndpoint } from "../../../stacks/endpoint";
import { POD } from "../../spire/serverCommands";
import { serverConf } from "../../trust/foreignTrust";
import { type Check, failed, type Judgement, ok, see, warn } from "../check";
import { askOperator, fact, type MemberView, ocHere, upAgain } from "../subjects";
import { networkPolicyCheck } from "./networkPolicyCheck";

export const serverChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH131",
    title: "the SpireServer has the federation that the stack asks for",
    source: "SpireServer cluster",
    about:
      "Profile, refresh hint, certificate secret and who makes the Route are those of the stack's file. The list of peers is judged " +
      "for each pair, and what no stack lists by MESH302.",
    verifications: [7],
    needs: ["MESH103"],
    judge: (view) => {
      const server = fact(view, "server");
      const actual = server?.spec?.federation;
      if (server === undefined)
        return failed("there is no SpireServer cluster", "create it, or set spireServer.manage");
      if (actual === undefined) return failed("it has no federation", upAgain(view));
      const asked = askedOf(view);
      const differ = differences(factsOfSpec(asked), withoutPeers(factsOfSpec(actual)));
      if (differ.length > 0) return failed(differ.join("; "), upAgain(view));
      return ok(`${describeEndpoint(view.config)}, refreshHint ${asked.bundleEndpoint.refreshHint} s`);
    },
  },
  {
    code: "MESH132",
    title: "server.conf is of that SpireServer",
    source: `ConfigMap ${SPIRE_SERVER}`,
    about:
      "The operator has written the SpireServer's federation into the configuration that the SPIRE server reads. It writes nothing in " +
      "create-only mode, or while it doesn't run.",
    verifications: [7],
    needs: ["MESH131"],
    judge: (view) => {
      const [finding] = serverConf(view, fact(view, "server")?.spec?.federation, fact(view, "conf"));
      return finding === undefined ? ok("it says the same") : failed(finding.found, finding.cure);
    },
  },
  {
    code: "MESH133",
    title: "the SPIRE server runs with that server.conf",
    source: `StatefulSet ${SPIRE_SERVER}`,
    about:
      "The StatefulSet carries the hash of this server.conf, and its pod is of the StatefulSet's present revision: what the SPIRE " +
      "server does is what it was told last.",
    verifications: [7],
    needs: ["MESH132"],
    judge: (view) => {
      const set = fact(view, "statefulSet");
      if (set === undefined) return failed(`there is no StatefulSet ${SPIRE_SERVER}`, askOperator(view));
      const hash = configHash(fact(view, "conf") ?? "");
      const taken = configHashOf(set);
      if (taken !== hash) {
        return failed(`it is of another server.conf (hash ${taken ?? "none"}, not ${hash})`, askOperator(view));
      }
      const { generation = 0 } = set.metadata ?? {};
      const { observedGeneration = 0, updatedReplicas = 0 } = set.status ?? {};
      if (observedGeneration < generation || updatedReplicas < 1) {
        return failed(
          "its pod is of an earlier revision",
          `wait for the rollout; a pod that is not ready is not replaced: ${ocHere(view, `delete pod ${POD}`)}`,
        );
      }
      return ok("its pod is of the present revision");
    },
  },
  {
    code: "MESH134",
    title: "the SPIRE server runs",
    source: `Pod ${POD}`,
    about: "Its container is ready. While it is not, nobody gets new identities, and no bundle is served or fetched.",
    verifications: [8],
    needs: ["MESH101"],
    judge: (view) => container(view, SPIRE_SERVER),
  },
  {
    code: "MESH135",
    title: "the SPIRE controller manager runs",
    source: `Pod ${POD}`,
    about:
      "It is the container that makes SPIRE's relationships of ClusterFederatedTrustDomains, and entries of ClusterSPIFFEIDs. " +
      "While it is not ready, what is changed there has no effect.",
    verifications: [8],
    // It ends while the server does not answer.
    needs: ["MESH134"],
    judge: (view) => container(view, CONTROLLER_MANAGER),
  },
  {
    code: "MESH153",
    title: "peers know a new key before it is used",
    source: "SpireServer cluster",
    about:
      "SPIRE publishes its next key when half of the present one's life (caValidity) is left, 30 days at most, and signs with it when a sixth is " +
      "left, seven days at most; this holds for X.509 CAs and for JWT keys. A peer that gets no bundle in between refuses what the new key signs: " +
      "until its next poll with https_web, and for good with https_spiffe, since it does not believe the endpoint either. Where this time is " +
      "shorter than a peer's poll and its agents take, it fails. Where it is shorter than five refresh hints, it is a warning, since a short outage is " +
      "enough. It says how long a peer may be unreachable. Certificates of endpoints have MESH114 and MESH144.",
    needs: ["MESH131"],
    judge: (view) => {
      const { caValidity } = keyLivesOf(fact(view, "server")?.spec as Record<string, unknown> | undefined);
      const { state, about, cure } = judgeKeyTimes({ caValidity, refreshHint: view.config.refreshHint });
      if (state === "enough") return ok(about);
      return state === "tight" ? warn(about, cure) : failed(about, cure);
    },
  },
  networkPolicyCheck((view: MemberView) => ({
    policies: fact(view, "networkPolicies"),
    pod: fact(view, "pod"),
    ports: portsOfPeers(view),
  })),
];

function portsOfPeers({ declared }: MemberView): number[] {
  const peers = "seen" in declared ? declared.seen.peers : [];
  return peers.map(({ bundleEndpointUrl }) => Number(new URL(bundleEndpointUrl).port || 443));
}

/** After the Route's checks: the operator counts the Route as a part of what is ready. */
export const operatorChecks: readonly Check<MemberView>[] = [
  {
    code: "MESH151",
    title: "ZTWIM's operator says that all of it is there",
    source: "conditions of the SpireServer",
    about:
      "Ready, which may be that of the specification before and so counts only when everything above passed. Where the trust domain is no " +
      "DNS name, the operator can make no Route and never says Ready; then it is StatefulSetAvailable.",
    verifications: [7],
    needs: ["MESH133", "MESH134", "MESH135", "MESH142"],
    judge: (view) => {
      const server = fact(view, "server");
      const said = conditionsReadiness(askedOf(view), server);
      if (said.state !== "ready") return failed(said.because, askOperator(view));
      return ok(
        see(view.route).managedRoute ? "Ready=True" : "StatefulSetAvailable=True, without a Route of the operator's",
      );
    },
  },
];

/** The federation as the stack's file has it, without peers. */
function askedOf({ config, route }: MemberView): FederationSpec {
  const { host, managedRoute } = see(route);
  return federationSpec(renderBundleEndpoint(bundleEndpoint(config), host), [], managedRoute);
}

function container(view: MemberView, name: string): Judgement {
  const pod = fact(view, "pod");
  const status = pod?.status?.containerStatuses?.find((one) => one.name === name);
  const restarts = status?.restartCount ?? 0;
  if (status?.ready === true) return ok(`ready, ${restarts} restarts`);
  const { waiting, terminated } = status?.state ?? {};
  const last = status?.lastState?.terminated;
  const why = waiting?.reason ?? terminated?.reason ?? (pod === undefined ? "there is no such pod" : "not ready");
  const exit = last?.exitCode === undefined ? "" : `, last exit code ${last.exitCode}`;
  const logs = ocHere(view, `logs ${POD} -c ${name}${last === undefined ? "" : " --previous"}`);
  const again = `a pod that is not ready is replaced only when it is deleted: ${ocHere(view, `delete pod ${POD}`)}`;
  return failed(`${why}, ${restarts} restarts${exit}`, `${logs} says why; ${again}`);
}
