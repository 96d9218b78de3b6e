import { get } from "node:https";
import type { ClusterReader, KubeObject } from "../cluster/cluster";
import { OPERAND_NAMESPACE, OPERATOR_API, SINGLETON, SPIRE_BUNDLE } from "../shared/names";
import { proxyAgent } from "../cluster/proxy";
import { ready, waiting, type Verdict } from "../waiting/readiness";
import { notOffered, OFFER_MORE } from "./tlsOffer";

const TIMEOUT_MS = 5000;

/** Who a cluster is to its peers. */
export interface OwnTrust {
  /** Undefined where there is no ZTWIM. */
  trustDomain: string | undefined;
  /** The SPIRE server's X.509 roots (PEM), as its notifier writes them for the agents; undefined before it has run. */
  roots: string | undefined;
}

export async function readOwnTrust(reader: ClusterReader): Promise<OwnTrust> {
  const ztwim = await reader.get<KubeObject & { spec?: { trustDomain?: string; bundleConfigMap?: string } }>(
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
  return { trustDomain: ztwim?.spec?.trustDomain, roots: bundle?.data?.["bundle.crt"] };
}

/** The SPIRE server's X.509 roots alone. */
export const readOwnRoots = async (reader: ClusterReader): Promise<string | undefined> =>
  (await readOwnTrust(reader)).roots;

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
  const answer = await askSpiffeEndpoint(url, spiffeId, roots);
  if ("status" in answer) {
    return answer.status === 200 ? ready : waiting(`${url} answers with HTTP status ${answer.status}`);
  }
  const refused = notOffered(answer.error);
  if (refused !== undefined) return waiting(`${url}: ${refused}; ${OFFER_MORE}`);
  const { message, code = "" } = answer.error;
  const unreached = message.startsWith("no answer") || /^E(CONN|TIMEDOUT|HOSTUNREACH)/.test(code);
  return waiting(`${url} does not answer: ${message}${unreached ? `; ${REACHED}` : ""}`);
}

/** It presents something that is not what was asked for. */
class OtherName extends Error {}

/**
 * Why an `https_spiffe` endpoint cannot be the one that those roots vouch for; undefined when it is, and when it cannot be
 * reached from here.
 */
export async function refusalOfSpiffeEndpoint(
  url: string,
  spiffeId: string,
  roots: string,
): Promise<string | undefined> {
  const answer = await askSpiffeEndpoint(url, spiffeId, roots);
  if ("status" in answer) return undefined;
  const { error } = answer;
  // The words of Node and OpenSSL for a chain that leads to no root, such as UNABLE_TO_VERIFY_LEAF_SIGNATURE.
  return error instanceof OtherName || /CERT|ISSUER|SIGNATURE/.test(error.code ?? "") ? error.message : undefined;
}

function askSpiffeEndpoint(
  url: string,
  spiffeId: string,
  roots: string,
): Promise<{ status: number } | { error: NodeJS.ErrnoException }> {
  return new Promise((resolve) => {
    const request = get(
      url,
      {
        ca: roots,
        ...ANY_ANCHOR,
        agent: proxyAgent(url, TIMEOUT_MS) ?? false,
        // Said here, no variable of the environment can switch the verification off.
        rejectUnauthorized: true,
        timeout: TIMEOUT_MS,
        checkServerIdentity: (_, { subjectaltname }) =>
          subjectaltname === `URI:${spiffeId}`
            ? undefined
            : new OtherName(`it presents ${subjectaltname ?? "no name"}, not ${spiffeId}`),
      },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0 });
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error: NodeJS.ErrnoException) => {
      resolve({ error });
    });
  });
}
