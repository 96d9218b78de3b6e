/** What an endpoint presents and serves, to somebody who trusts nobody: whether to believe it is judged elsewhere. */
import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import type { TLSSocket } from "node:tls";
import { proxyAgent } from "../../components/cluster/proxy";
import { ANY_ANCHOR } from "../../components/bundle/spiffeEndpoint";
import { notOffered } from "../../components/bundle/tlsOffer";

export interface Presented {
  certificate: X509Certificate;
  /** Why the certificate would be refused by whoever trusts these CAs, as OpenSSL calls it; undefined when it would not. */
  refused: string | undefined;
  status: number;
  body: string;
}

/** An endpoint that doesn't answer within this time doesn't answer. */
const PATIENCE_MS = 5000;
/** Bundles are some kilobytes; whoever sends more is no bundle endpoint. */
const MOST_BYTES = 1_000_000;

/**
 * @param ca PEM of the CAs that are to vouch for it; undefined: the public ones
 * @throws Error when there is no TLS connection, or no answer over it
 */
export function presentedAt(url: string, ca: string | undefined): Promise<Presented> {
  return new Promise((done, fail) => {
    const asked = request(
      url,
      {
        agent: proxyAgent(url, PATIENCE_MS) ?? false,
        rejectUnauthorized: false,
        // The name is judged by itself.
        checkServerIdentity: () => undefined,
        signal: AbortSignal.timeout(PATIENCE_MS),
        // SPIRE servers have to believe it. Without CAs of its own Node 20 would forget NODE_EXTRA_CA_CERTS for that option.
        ...(ca === undefined ? {} : { ca, ...ANY_ANCHOR }),
      },
      (response) => {
        const socket = response.socket as TLSSocket;
        const { raw } = socket.getPeerCertificate();
        // Such as CERT_HAS_EXPIRED; its type says that it is an Error, which it is not.
        const refused = socket.authorized ? undefined : String(socket.authorizationError);
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
          if (body.length > MOST_BYTES) asked.destroy(new Error("it sends more than any bundle has"));
        });
        response.on("error", fail);
        response.on("end", () => {
          done({ certificate: new X509Certificate(raw), refused, status: response.statusCode ?? 0, body });
        });
      },
    );
    asked.on("error", (error) => {
      const late = error.name === "AbortError" || error.name === "TimeoutError";
      const said = late ? `no answer within ${PATIENCE_MS / 1000} s` : (notOffered(error) ?? error.message);
      fail(new Error(said, { cause: error }));
    });
    asked.end();
  });
}
