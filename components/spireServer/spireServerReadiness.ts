import { createHash } from "node:crypto";
import { type ClusterAccess, oc } from "../cluster/access";
import type { ClusterReader, ConfigMap } from "../cluster/cluster";
import { condition, describe, isTrue, notTrue, type Conditioned } from "../cluster/conditions";
import { deviations, differences, factsForServer, factsOfServerConf } from "./federationSpec";
import { type AskedFederation, type FederationSpec } from "../route/federation";
import { fieldsBehind } from "./managedFacts";
import { OPERAND_NAMESPACE, OPERATOR_API, SINGLETON, SPIRE_SERVER, TRUSTED_CA_ENV, ZTWIM } from "../shared/names";
import { operatorRefusal, PROXY_INVALID } from "./operatorRefusal";
import { failed, firstNotReady, ready, waiting, type Verdict } from "../waiting/readiness";
import { readRoute, routeReadiness, type Route } from "../route/routeReadiness";
import { operatorEnv, type OperatorDeployment } from "./ztwimRelease";
import { podsReadiness, rolloutReadiness, type Pod, type Workload } from "../waiting/workloads";

/** Conditions may still be those of the specification before. */
const SETTLE_SECONDS = 20;
/** A change of the specification makes the operator look at once, whatever it said before. */
const REFUSAL_SECONDS = 8;
const CONFIG_HASH = "ztwim.openshift.io/spire-server-config-hash";

/** What the operator writes on the StatefulSet that it makes for a server.conf. */
export function configHash(conf: string): string {
  return createHash("sha256").update(conf.trim()).digest("hex");
}

/** The server.conf that a StatefulSet is of, by its hash. */
export function configHashOf(statefulSet: Workload): string | undefined {
  return statefulSet.spec?.template?.metadata?.annotations?.[CONFIG_HASH];
}

export interface SpireServerObject extends Conditioned {
  spec?: { federation?: FederationSpec; upstreamAuthority?: object; logLevel?: string };
}

/** What has to agree before the SPIRE server federates as it was asked to. */
export interface ServerState {
  server: SpireServerObject | undefined;
  config: ConfigMap | undefined;
  statefulSet: Workload | undefined;
  pod: Pod | undefined;
  route: Route | undefined;
}

export async function lookAtSpireServer(reader: ClusterReader, asked: AskedFederation): Promise<Verdict> {
  const [server, config, statefulSet, pod, route] = await Promise.all([
    reader.get<SpireServerObject>(OPERATOR_API, "SpireServer", SINGLETON),
    reader.get<ConfigMap>("v1", "ConfigMap", SPIRE_SERVER, OPERAND_NAMESPACE),
    reader.get<Workload>("apps/v1", "StatefulSet", SPIRE_SERVER, OPERAND_NAMESPACE),
    reader.get<Pod>("v1", "Pod", `${SPIRE_SERVER}-0`, OPERAND_NAMESPACE),
    asked.ownRoute === undefined ? readRoute(reader, undefined) : undefined,
  ]);
  if (operatorRefusal(server)?.reason === PROXY_INVALID && (await knowsTrustedCas(reader))) {
    return waiting("the operator starts again with the ConfigMap of trusted CAs that its Subscription now names");
  }
  return spireServerReadiness(asked, { server, config, statefulSet, pod, route });
}

/** What the operator said of its environment is old once its Deployment has another. */
async function knowsTrustedCas(reader: ClusterReader): Promise<boolean> {
  const deployment = await reader.get<OperatorDeployment>("apps/v1", "Deployment", ZTWIM.deployment, OPERAND_NAMESPACE);
  return (operatorEnv(deployment).get(TRUSTED_CA_ENV) ?? "") !== "";
}

/**
 * Whether the server runs with what was asked for.
 *
 * `Ready=True` alone may be that of the generation before, since the operator has no observedGeneration. So the
 * evidence is followed from the specification through server.conf, the StatefulSet that was made for just this
 * server.conf, and its rollout; only then Ready counts, and then the Route. A Route of the stack's own is made and judged
 * after this; of the operator's Route beside it only RouteAvailable counts, as a part of Ready, since its host need not
 * resolve.
 */
export function spireServerReadiness(asked: AskedFederation, state: ServerState): Verdict {
  return firstNotReady(
    () => specReadiness(asked.federation, state.server),
    () => operatorReadiness(state.server, asked.access),
    () => configReadiness(asked, state),
    () => statefulSetReadiness(state, asked.access),
    () => conditionsReadiness(asked.federation, state.server, asked.access),
    () => (asked.ownRoute === undefined ? routeReadiness(asked, state.route) : ready),
  );
}

/** The specification in the cluster is the one that was asked for, and the operator acts on it. */
function specReadiness(asked: FederationSpec, server: SpireServerObject | undefined): Verdict {
  if (server === undefined) {
    return failed(
      `is not there; create it as the product's documentation says, or let the stack own it with spireServer.manage`,
      SETTLE_SECONDS,
    );
  }
  if (isTrue(server, "CreateOnlyMode")) {
    return failed(
      "the operator runs with CREATE_ONLY_MODE and applies no change; take that variable out of its Subscription",
    );
  }
  const actual = server.spec?.federation;
  if (actual === undefined) {
    return failed(
      'spec.federation is not set, though the stack has set it; "pulumi up --refresh" sets it again',
      SETTLE_SECONDS,
    );
  }
  const changed = deviations(asked, actual);
  if (changed.length > 0) {
    return failed(
      `somebody has changed spec.federation: ${changed.join("; ")}; "pulumi up --refresh" puts it right`,
      SETTLE_SECONDS,
    );
  }
  for (const type of ["ConfigurationValid", "TTLConfigurationValid"]) {
    const found = condition(server, type);
    if (found?.status === "False" && operatorRefusal(server) === undefined) {
      return failed(`the operator refuses the specification: ${describe(found)}`, SETTLE_SECONDS);
    }
  }
  return ready;
}

/** The operator has not stopped at something that it never gets over by itself. */
function operatorReadiness(server: SpireServerObject | undefined, access: ClusterAccess | undefined): Verdict {
  const refusal = operatorRefusal(server, access);
  return refusal === undefined
    ? ready
    : failed(`the operator does nothing more: ${refusal.because}. Cure: ${refusal.cure}`, REFUSAL_SECONDS);
}

/** The operator has written the specification into the server's configuration. */
function configReadiness({ managed = {} }: AskedFederation, { server, config }: ServerState): Verdict {
  const conf = config?.data?.["server.conf"] ?? "";
  const facts = factsOfServerConf(conf);
  const federation = server?.spec?.federation;
  if (facts === undefined || federation === undefined) {
    return waiting(`server.conf has no federation yet; SpireServer: ${notTrue(server)}`);
  }
  const fields = fieldsBehind(managed, conf).map((field) => `${field} is not as the stack asks for it`);
  const behind = [...differences(factsForServer(federation), facts), ...fields];
  return behind.length === 0
    ? ready
    : waiting(`server.conf is behind: ${behind.join("; ")}; SpireServer: ${notTrue(server)}`);
}

/** The StatefulSet is of this server.conf, and its pods are of this StatefulSet. */
function statefulSetReadiness(
  { config, statefulSet, pod, server }: ServerState,
  access: ClusterAccess | undefined,
): Verdict {
  if (statefulSet === undefined) {
    return waiting(`StatefulSet ${SPIRE_SERVER} is not there yet; SpireServer: ${notTrue(server)}`);
  }
  const hash = configHash(config?.data?.["server.conf"] ?? "");
  const taken = configHashOf(statefulSet);
  if (taken !== hash) {
    return waiting(
      `StatefulSet ${SPIRE_SERVER} is of another server.conf (its hash is ${taken ?? "not set"}, not ${hash})`,
    );
  }
  const rollout = rolloutReadiness("StatefulSet", statefulSet);
  if (rollout.state === "ready" || pod === undefined) {
    return rollout;
  }
  const detail = podsReadiness([pod], access ?? {});
  if (detail.state === "ready") {
    return rollout;
  }
  const because = `${rollout.because}; ${detail.because}`;
  return detail.state === "waiting"
    ? waiting(because)
    : failed(`${because}. ${replacement(access)}`, detail.settleSeconds);
}

/** kubernetes/kubernetes#67250: a StatefulSet replaces no pod that is not ready, whatever has been put right since. */
const replacement = (access: ClusterAccess = {}): string =>
  `Once that is put right, "${oc(access, `delete pod -n ${OPERAND_NAMESPACE} ${SPIRE_SERVER}-0`)}": a StatefulSet does not replace a pod that is not ready`;

/** Any change of what the operator made ends its back-off. */
const routeAgain = (access: ClusterAccess = {}): string =>
  'put right what it says ("pulumi up --refresh" restores the router\'s access to the secret), then make the operator try again: ' +
  oc(
    access,
    `annotate configmap -n ${OPERAND_NAMESPACE} ${SPIRE_SERVER} --overwrite spire-federation/look-again="$(date +%s)"`,
  );

/** What the operator itself says of what it made. */
export function conditionsReadiness(
  asked: FederationSpec,
  server: SpireServerObject | undefined,
  access?: ClusterAccess,
): Verdict {
  const route = condition(server, "RouteAvailable");
  if (asked.managedRoute === "false") {
    // The operator counts a Route that it leaves to others as a failure: Ready never comes.
    return route?.status === "True"
      ? waiting("the operator has not let go of the Route yet")
      : isTrue(server, "StatefulSetAvailable")
        ? ready
        : waiting(notTrue(server));
  }
  if (route?.status === "False" && route.reason?.endsWith("Failed") === true) {
    // The operator backs off for up to 16 minutes: nobody should wait with it.
    return failed(`${describe(route)}; ${routeAgain(access)}`, SETTLE_SECONDS);
  }
  return isTrue(server, "Ready") ? ready : waiting(notTrue(server));
}
