import { get } from "node:https";
import { checkServerIdentity } from "node:tls";
import { proxyAgent } from "../cluster/proxy";
import { ANY_ANCHOR } from "../bundle/spiffeEndpoint";

const TIMEOUT_MS = 5000;

/**
 * Why peers would refuse the router's default certificate for that endpoint; undefined where they would not.
 *
 * It is asked for by a sibling of the host that no Route has: by the host itself the router presents the certificate of a
 * Route that is there already, which may be another.
 *
 * @param ca PEM of the CAs that are to vouch for it; undefined: the public ones
 */
export function refusalOfRouter(url: string, ca: string | undefined): Promise<string | undefined> {
  const host = new URL(url).hostname;
  const servername = host.replace(/^[^.]+/, "no-route-has-this-name");
  return new Promise((resolve) => {
    const request = get(
      url,
      {
        servername,
        headers: { host: servername },
        agent: proxyAgent(url, TIMEOUT_MS) ?? false,
        // Said here, no variable of the environment can switch the verification off.
        rejectUnauthorized: true,
        timeout: TIMEOUT_MS,
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
        ...(ca === undefined ? {} : { ca, ...ANY_ANCHOR }),
      },
      (response) => {
        response.resume();
        resolve(undefined);
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    request.on("error", (error: NodeJS.ErrnoException) => {
      resolve(
        isRefusal(error)
          ? `${REFUSED}: ${error.message}; ${CURE}`
          : `${url} does not answer: ${error.message}; ${REACH}`,
      );
    });
  });
}

const REFUSED = "is router, but the router's default certificate is not one that peers can verify";
const CURE =
  "give the IngressController a certificate of a CA that peers trust (spec.defaultCertificate), give the CA that vouches for it as " +
  "endpointCa, or choose another issuer.type";
const REACH =
  "the router's default certificate must be seen from here, or set probe to cluster to go on without having seen it";

/** Whether the router was reached, and its certificate is what is wrong: OpenSSL's words for it, and Node's for a name. */
function isRefusal({ code = "" }: NodeJS.ErrnoException): boolean {
  return code === "ERR_TLS_CERT_ALTNAME_INVALID" || /CERT|SIGNATURE|ISSUER|CHAIN/.test(code);
}
