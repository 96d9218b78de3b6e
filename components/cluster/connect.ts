import { Agent } from "node:https";
import { isDeepStrictEqual } from "node:util";
import { HttpsProxyAgent } from "hpagent";
import {
  ApiException,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  type KubernetesObject,
  type RequestContext,
} from "./kubernetesClient";
import { accessOf, type ClusterAccess } from "./access";
import { type Cluster, Forbidden, type KubeObject } from "./cluster";
import { CredentialError } from "./execCredential";
import { loadKubeconfig } from "./kubeconfig";
import { again } from "./readAgain";
import { Unreachable } from "../shared/unreachable";

/** A request that takes longer is given up: an API server that is not reachable often answers nothing at all. */
export const REQUEST_MS = 10_000;

/** A connection is kept this long for the next request; longer, and what lies between might have given it up. */
const IDLE_MS = 5_000;

/**
 * A reader of a cluster.
 *
 * @param signal no request begins once it is aborted, and running ones are given up
 * @param requestMs how long a request may take. Default 10 seconds
 * @throws AccessError at once when the kubeconfig doesn't lead to a cluster; each read throws an Error that names the
 * context and the server when the cluster does not answer in that time, or refuses
 */
export function connect(access: ClusterAccess, signal?: AbortSignal, requestMs = REQUEST_MS): Cluster {
  const api = connectClient(access, signal, requestMs);
  return {
    access: accessOf(access),
    get<T extends KubeObject>(apiVersion: string, kind: string, name: string, namespace?: string) {
      const object = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
      return api.attemptRead<T | undefined>(
        `read ${kind} ${name}`,
        undefined,
        async () => (await api.read(object)) as unknown as T,
      );
    },
    list<T extends KubeObject>(apiVersion: string, kind: string, namespace?: string, labels?: string) {
      const unset = undefined; // this client takes its options by position
      return api.attemptRead<T[]>(`list ${kind}`, [], async () => {
        const found = await api.list(apiVersion, kind, namespace, unset, unset, unset, unset, labels);
        return found.items as unknown as T[];
      });
    },
    ask(service: string, port: number, namespace: string) {
      // By its number: the API server finds the port's name in the Service. The client leaves out the slash at the end of
      // the path, and the API server redirects to the path that has it.
      const asked = { name: `https:${service}:${port}`, namespace, path: "" };
      const proxy = kubeConfig(access, signal, requestMs).makeApiClient(CoreV1Api);
      return api.attemptRead<string | undefined>(`ask Service ${service} on port ${port}`, undefined, async () => {
        const answer: unknown = await proxy.connectGetNamespacedServiceProxyWithPath(asked);
        // The client parses JSON where the answer says that it is some.
        return typeof answer === "string" ? answer : JSON.stringify(answer);
      });
    },
  };
}

/** The client behind `connect`, for the one program that also deletes. */
export function connectClient(access: ClusterAccess, signal?: AbortSignal, requestMs = REQUEST_MS): ClusterClient {
  const config = kubeConfig(access, signal, requestMs);
  const client = config.makeApiClient(ClusterClient);
  client.signal = signal;
  client.requestMs = requestMs;
  client.place = describeCluster(access, config);
  client.server = config.getCurrentCluster()?.server ?? "";
  return client;
}

/** The cluster, as errors name it. */
export function describeCluster({ kubeconfig }: ClusterAccess, config: KubeConfig): string {
  const file = kubeconfig === undefined ? "" : ` of ${kubeconfig}`;
  return `context "${config.getCurrentContext()}"${file} (${config.getCurrentCluster()?.server ?? "no server"})`;
}

/** The kubeconfig with the chosen context as the current one; requests by any client that is made of it time out. */
export function kubeConfig(access: ClusterAccess, signal?: AbortSignal, requestMs = REQUEST_MS): KubeConfig {
  return loadKubeconfig(access, new ClusterKubeConfig(signal, requestMs));
}

/** A kubeconfig whose requests have a time limit and share a connection. */
class ClusterKubeConfig extends KubeConfig {
  private agent: Agent | undefined;

  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly requestMs: number,
  ) {
    super();
  }

  override async applySecurityAuthentication(request: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(request);
    const agent = request.getAgent();
    const { proxyUrl = "" } = this.getCurrentCluster() ?? {};
    // Proxies of other kinds have agents of their own.
    if (agent instanceof Agent && /^(https?:|$)/.test(proxyUrl)) {
      this.agent = keptAgent(this.agent, agent, proxyUrl);
      request.setAgent(this.agent);
    }
    request.setSignal(within(this.requestMs, this.signal));
  }
}

/**
 * Aborted after that time, and with `signal`. Not AbortSignal.any of AbortSignal.timeout: the garbage collection of Node 20
 * takes that timeout away, and the request waits for ever (nodejs/node#54614).
 */
function within(ms: number, signal?: AbortSignal): AbortSignal {
  const both = new AbortController();
  setTimeout(() => {
    both.abort();
  }, ms).unref();
  const abort = (): void => {
    both.abort(signal?.reason);
  };
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true, signal: both.signal });
  return both.signal;
}

/** The agent of earlier requests while the credentials are the same: the client makes one for each request, and each would open a connection. */
function keptAgent(kept: Agent | undefined, agent: Agent, proxy: string): Agent {
  const options = { ...agent.options, keepAlive: true, timeout: IDLE_MS };
  if (kept !== undefined && isDeepStrictEqual({ ...kept.options }, options)) return kept;
  return proxy === "" ? new Agent(options) : new HttpsProxyAgent({ ...options, proxy });
}

export class ClusterClient extends KubernetesObjectApi {
  /** The cluster, as errors name it. */
  place = "";
  /** URL of its API server. */
  server = "";
  signal: AbortSignal | undefined;
  requestMs = REQUEST_MS;

  /** What a request gives; `missing` when the object, or its kind, is not there. */
  async attempt<T>(what: string, missing: T, request: () => Promise<T>): Promise<T> {
    try {
      if (this.signal?.aborted) throw new Error("interrupted");
      return await request();
    } catch (error) {
      if (this.signal?.aborted) throw new Error(`${this.place}: cannot ${what}: interrupted`, { cause: error });
      if (isMissing(error)) {
        return missing;
      }
      const message = `${this.place}: cannot ${what}: ${explainError(error, this.server, this.requestMs)}`;
      if (!(error instanceof ApiException)) throw new Unreachable(message, this.place, { cause: error });
      const Failure = error.code === 403 ? Forbidden : Error;
      throw new Failure(message, { cause: error });
    }
  }

  /** The same for a request that changes nothing: one that fails in passing is made again. */
  attemptRead<T>(what: string, missing: T, request: () => Promise<T>): Promise<T> {
    return this.attempt(what, missing, () => again(request, this.signal));
  }

  protected override requestPromise<T extends KubernetesObject>(request: RequestContext, type?: string): Promise<T> {
    // "any" leaves the JSON as it came: the client picks a model by kind alone, and so would give an Ingress of
    // config.openshift.io the fields of the one that it knows, and drop the rest.
    return super.requestPromise<T>(request, type ?? "any");
  }
}

function isMissing(error: unknown): boolean {
  return (
    (error instanceof ApiException && error.code === 404) ||
    // This client's word for a group that is there without the kind.
    (error instanceof Error && error.message.startsWith("Unrecognized API version and kind"))
  );
}

function explainError(error: unknown, server: string, requestMs: number): string {
  if (error instanceof ApiException) {
    const answer = `the API server answers ${error.code}, ${reasonIn(error.body)}`;
    return error.code === 401 ? `${answer}; the login has expired or was revoked: oc login ${server}` : answer;
  }
  const { name, message, code = "" } = error as Error & { code?: string };
  if (error instanceof CredentialError) return message;
  // The client puts the request before the reason, which is empty when several addresses have refused.
  const reason = /failed, reason: (.*)$/s.exec(message)?.[1];
  const how = name === "AbortError" ? `no answer within ${requestMs / 1000} s` : reason || code || message;
  return /CERT|SIGNATURE/.test(code)
    ? `${how}; does the kubeconfig have the certificate-authority of this cluster?`
    : `${how}; is the cluster up and reachable from here?`;
}

/** The message of the Status that the API server answers with; what stands before it may answer with anything. */
function reasonIn(body: unknown): string {
  try {
    const { message } = (typeof body === "string" ? JSON.parse(body) : body) as { message?: string };
    return message ?? "without a reason";
  } catch {
    return "without a reason";
  }
}
