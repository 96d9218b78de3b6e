/** Asks a bundle endpoint with https_web for its bundle: the one client for that, over TLS that is always verified. */
import { request } from "node:https";
import { splitPem } from "../shared/arguments";
import { atMost } from "../shared/atMost";
import { proxyAgent } from "../cluster/proxy";
import { explain, type Problem } from "../shared/problem";
import { ready, type Verdict, waiting } from "../waiting/readiness";
import type { Peer } from "./peer";
import { pinned } from "./pinnedRoots";
import { ANY_ANCHOR } from "./spiffeEndpoint";
import { notOffered, OFFER_MORE } from "./tlsOffer";
import { MOST_BYTES, parseTrustBundle, type TrustBundle } from "./trustBundle";

/** An endpoint that serves a bundle. */
export interface Endpoint {
  trustDomain: string;
  bundleEndpointUrl: string;
  /** CA certificates (PEM) that vouch for it, and no others; Node's, with those of NODE_EXTRA_CA_CERTS, when left out. */
  caCertificates?: string | undefined;
}

/** With hundreds at once, on few processors, TLS takes longer than the bound. */
const MOST_FETCHES = 16;
/** The whole of one request, the body included. */
const TIMEOUT_MS = 10_000;
const RETRY_MS = 1000;

/**
 * What the endpoint serves now.
 *
 * @param seconds how long to keep trying; 0: once. Each request has a bound of its own
 * @throws Error that names the endpoint, what went wrong and what to look at
 */
export async function fetchNow(endpoint: Endpoint, seconds = 0): Promise<string> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await fetchOnce(endpoint);
    } catch (error) {
      if (Date.now() >= end) {
        const { bundleEndpointUrl, trustDomain } = endpoint;
        const said = seconds === 0 ? "does not answer" : `has not answered within ${seconds} s`;
        const about = `${bundleEndpointUrl}, the bundle endpoint of trust domain ${trustDomain},`;
        throw new Error(`${about} ${said}. The last error was: ${(error as Error).message}`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/**
 * The bundle that a peer's endpoint serves now, judged as an up judges it, with the peer's pins and approved keys.
 *
 * @throws Error as `fetchNow`
 */
export async function fetchFirst(peer: Peer, seconds = 0): Promise<TrustBundle | Problem[]> {
  const text = await fetchNow(peer, seconds);
  return pinned(parseTrustBundle(text, peer.trustDomain, new Date()), peer);
}

/** Whether the endpoint serves its trust domain's bundle, to whoever trusts those CAs. */
export async function lookAtWebEndpoint(endpoint: Endpoint): Promise<Verdict> {
  try {
    const bundle = parseTrustBundle(await fetchOnce(endpoint), endpoint.trustDomain, new Date());
    return Array.isArray(bundle)
      ? waiting(`${endpoint.bundleEndpointUrl} serves a wrong bundle: ${explain(bundle)}`)
      : ready;
  } catch (error) {
    return waiting(`${endpoint.bundleEndpointUrl} does not answer: ${(error as Error).message}`);
  }
}

/** One request. @throws Error with what went wrong and what to look at */
const fetchOnce = atMost(MOST_FETCHES, async (endpoint: Endpoint): Promise<string> => {
  try {
    return await ask(endpoint);
  } catch (error) {
    const { name, message, code = "" } = error as NodeJS.ErrnoException;
    const isLate = name === "TimeoutError" || name === "AbortError";
    const refused = notOffered(error as Error);
    const said = isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : (refused ?? message);
    const known = refused === undefined ? cureOf(isLate ? "ETIMEDOUT" : code) : OFFER_MORE;
    const cure = error instanceof WrongAnswer ? error.cure : known;
    throw new Error(printable(said) + (cure === undefined ? "" : `; ${cure}`), { cause: error });
  }
});

const BEHIND_ROUTE =
  "check that the SPIRE server behind its Route runs, and that no NetworkPolicy or service mesh keeps the router from its " +
  "port 8443";

/** The endpoint has answered, and not with a bundle. */
class WrongAnswer extends Error {
  readonly cure: string | undefined;

  constructor(message: string, cure?: string) {
    super(message);
    this.cure = cure;
  }
}

function ask({ bundleEndpointUrl: url, caCertificates }: Endpoint): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      {
        agent: proxyAgent(url, TIMEOUT_MS) ?? false,
        headers: { accept: "application/json" },
        // Said here, no variable of the environment can switch the verification off.
        rejectUnauthorized: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(caCertificates ? { ca: splitPem(caCertificates), ...ANY_ANCHOR } : {}),
      },
      (response) => {
        const { statusCode = 0 } = response;
        if (statusCode !== 200) {
          // A redirect is not followed.
          const cure = statusCode >= 400 ? BEHIND_ROUTE : undefined;
          asked.destroy(new WrongAnswer(`it answers with HTTP status ${statusCode}`, cure));
          return;
        }
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MOST_BYTES) asked.destroy(new WrongAnswer(`it answers with more than ${MOST_BYTES} bytes`));
          else chunks.push(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          if (body.includes('"keys"')) resolve(body);
          else reject(new WrongAnswer("it answers with something that is no bundle"));
        });
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

/** What to look at, by Node's code. */
function cureOf(code: string): string | undefined {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "check that the name resolves from here";
  if (/^E(CONNREFUSED|HOSTUNREACH|NETUNREACH|TIMEDOUT)$/.test(code)) {
    const router = "check that the cluster's router runs and that its port 443 can be reached from here";
    return code === "ETIMEDOUT" ? `${router}; ${BEHIND_ROUTE}` : router;
  }
  if (/^(ECONNRESET|EPIPE|EPROTO|HPE_|ERR_SSL)/.test(code)) return BEHIND_ROUTE;
  if (/CERT|ISSUER|SIGNATURE/.test(code)) {
    return (
      "check whose certificate it has. A CA that is not public is known once its Certificate has been renewed (cmctl renew), " +
      "or given as endpointCa of its stack, or as caCertificates of the peer"
    );
  }
  return undefined;
}

/** A certificate's names stand in Node's messages as their owner has written them. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");
