import { get } from "node:https";
import type { ClusterReader, KubeObject } from "./cluster";
import { OPERAND_NAMESPACE, OPERATOR_API, SINGLETON, SPIRE_BUNDLE } from "./names";
import { proxyAgent } from "./proxy";
import { ready, waiting, type Verdict } from "./readiness";

const TIMEOUT_MS = 5000;

/** The SPIRE server's X.509 roots (PEM), as its notifier writes them for the agents; undefined before it has run. */
export async function readOwnRoots(reader: ClusterReader): Promise<string | undefined> {
  const ztwim = await reader.get<KubeObject & { spec?: { bundleConfigMap?: string } }>(
    OPERATOR_API,
    "ZeroTrustWorkloadIdentityManager",
    SINGLETON,
  );
  const name = ztwim?.spec?.bundleConfigMap ?? SPIRE_BUNDLE;
  const bundle = await reader.get<KubeObject & { data?: Record<string, string> }>(
    "v1",
    "ConfigMap",
    name,
    OPERAND_NAMESPACE,
  );
  return bundle?.data?.["bundle.crt"];
}

/** The same of a SPIRE server that runs. */
export async function requireOwnRoots(reader: ClusterReader): Promise<string> {
  const roots = await readOwnRoots(reader);
  if (roots) return roots;
  throw new Error(
    `ConfigMap ${SPIRE_BUNDLE}, or what spec.bundleConfigMap names, has no roots of the SPIRE server, and the peers are to get ` +
      "them; check that the SPIRE server writes them, then run pulumi up again",
  );
}

/**
 * SPIRE, as everything in Go, trusts what is in the bundle, also when that is no self-signed root: an upstream CA may give
 * an intermediate for one. OpenSSL has to be told.
 */
export const ANY_ANCHOR = { allowPartialTrustChain: true };

const REACHED =
  "check that port 443 of the cluster's router can be reached from here, and that no NetworkPolicy or service mesh keeps " +
  "the router from port 8443 of the SPIRE server";

/**
 * Whether an `https_spiffe` endpoint answers, with the SVID that it must have.
 *
 * The certificate is verified against the roots; instead of the host's name it must carry the SPIFFE ID, which is what
 * curl cannot check.
 */
export async function lookAtSpiffeEndpoint(url: string, spiffeId: string, roots: string | undefined): Promise<Verdict> {
  if (roots === undefined) {
    return waiting("the SPIRE server has not written its roots yet");
  }
  return new Promise((resolve) => {
    const request = get(
      url,
      {
        ca: roots,
        ...ANY_ANCHOR,
        agent: proxyAgent(url, TIMEOUT_MS) ?? false,
        timeout: TIMEOUT_MS,
        checkServerIdentity: (_, { subjectaltname }) =>
          subjectaltname === `URI:${spiffeId}`
            ? undefined
            : new Error(`it presents ${subjectaltname ?? "no name"}, not ${spiffeId}`),
      },
      (response) => {
        response.resume();
        resolve(
          response.statusCode === 200 ? ready : waiting(`${url} answers with HTTP status ${response.statusCode ?? 0}`),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error: NodeJS.ErrnoException) => {
      // What it presents is another matter: then it was reached.
      const unreached = error.message.startsWith("no answer") || /^E(CONN|TIMEDOUT|HOSTUNREACH)/.test(error.code ?? "");
      resolve(waiting(`${url} does not answer: ${error.message}${unreached ? `; ${REACHED}` : ""}`));
    });
  });
}
