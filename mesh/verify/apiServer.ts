/** What verify asks an API server beside objects. */
import {
  AuthorizationV1Api,
  CoreV1Api,
  type V1SubjectAccessReview,
  VersionApi,
} from "../../components/cluster/kubernetesClient";
import type { ClusterAccess } from "../../components/cluster/access";
import { connectClient, kubeConfig } from "../../components/cluster/connect";
import { OPERAND_NAMESPACE, ROUTER, SPIRE_AGENT, SPIRE_SERVER } from "../../components/shared/names";
import { POD } from "../spire/serverCommands";

export interface ApiServer {
  /** Such as `v1.32.5`. */
  version(): Promise<string>;
  /** Verbs on the endpoint's secret that the API server would let the router's ServiceAccount do. */
  routersVerbs(secret: string): Promise<string[]>;
  /** The SPIRE server's log of the last hour, in which it polls each peer at least three times. */
  serverLog(): Promise<string>;
  /** The log of a SPIRE agent, of the last minutes and of the container that runs now. */
  agentLog(pod: string): Promise<string>;
}

export const ROUTERS_VERBS = ["get", "list", "watch"] as const;

const HOUR_SECONDS = 3600;

/** An agent attests itself once a minute. */
export const ATTESTING_SECONDS = 180;

/** With level debug a SPIRE server says a lot, and there is an agent on every node: the last lines count. */
const SERVER_LOG = {
  container: SPIRE_SERVER,
  sinceSeconds: HOUR_SECONDS,
  tailLines: 20_000,
  limitBytes: 16_000_000,
};
const AGENT_LOG = {
  container: SPIRE_AGENT,
  sinceSeconds: ATTESTING_SECONDS,
  tailLines: 2000,
  limitBytes: 2_000_000,
};

export function apiServer(access: ClusterAccess, signal?: AbortSignal, requestMs?: number): ApiServer {
  const client = connectClient(access, signal, requestMs);
  const config = kubeConfig(access, signal, requestMs);
  const ask = <T>(what: string, request: () => Promise<T>): Promise<T> =>
    client.attemptRead<T | undefined>(what, undefined, request).then((answer) => {
      if (answer === undefined) throw new Error(`${client.place}: cannot ${what}: it is not there`);
      return answer;
    });
  const logOf = (name: string, part: typeof SERVER_LOG): Promise<string> =>
    ask(`read the log of ${name}`, () =>
      config.makeApiClient(CoreV1Api).readNamespacedPodLog({ name, namespace: OPERAND_NAMESPACE, ...part }),
    );
  return {
    version: async () => (await ask("read the version", () => config.makeApiClient(VersionApi).getCode())).gitVersion,
    routersVerbs: async (secret) => {
      const api = config.makeApiClient(AuthorizationV1Api);
      const allowed = ROUTERS_VERBS.map(async (verb) => {
        const body = review(verb, secret);
        const answer = await ask("review the router's access", () =>
          api.createNamespacedLocalSubjectAccessReview({ namespace: OPERAND_NAMESPACE, body }),
        );
        return answer.status?.allowed === true ? [verb] : [];
      });
      return (await Promise.all(allowed)).flat();
    },
    serverLog: () => logOf(POD, SERVER_LOG),
    agentLog: (pod) => logOf(pod, AGENT_LOG),
  };
}

/** As the router's ServiceAccount is known when it asks by itself. */
function review(verb: string, secret: string): V1SubjectAccessReview {
  const { namespace, serviceAccount } = ROUTER;
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "LocalSubjectAccessReview",
    metadata: { namespace: OPERAND_NAMESPACE },
    spec: {
      user: `system:serviceaccount:${namespace}:${serviceAccount}`,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      resourceAttributes: { namespace: OPERAND_NAMESPACE, verb, resource: "secrets", name: secret },
    },
  };
}
