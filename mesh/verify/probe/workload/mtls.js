// @ts-check
"use strict";
/** Both ends of one mTLS connection between two workloads, each of which judges the other. */
const tls = require("node:tls");
const { createPrivateKey } = require("node:crypto");
const { refusal } = require("./judge");
const { trustDomainOf } = require("./workloadApi");

/**
 * @typedef {import("node:crypto").X509Certificate} X509Certificate
 * @typedef {import("./workloadApi").Svid} Svid
 *
 * Who this workload is, and whom its agent lets it trust.
 * @typedef {{ svid: Svid, bundles: Map<string, X509Certificate[]> }} Identity
 *
 * @typedef {{ id: string, host: string, port: number }} Peer
 *
 * How a connection to a peer went. `here`: its certificate was refused; `there`: the peer has refused ours.
 * @typedef {{ outcome: "met", tls: string }
 *   | { outcome: "refused", by: "here" | "there", why: string }
 *   | { outcome: "unreachable", why: string }} Dialed
 */

/** With the other end of one connection. */
const PATIENCE_MS = 10_000;

/**
 * Tells everybody who connects whom it has met, or why it refuses him. That gives away nothing that the other does not
 * know, and saves looking for it in two clusters' logs.
 *
 * @param {Identity} identity
 * @param {readonly string[]} expected SPIFFE IDs
 * @param {number} port
 */
function serve(identity, expected, port) {
  let current = identity;
  const trusted = expected.map(trustDomainOf);
  let context = tls.createSecureContext(credentials(identity, trusted));
  // A server of Node 20 takes `allowPartialTrustChain` from a context of SNI alone, and dial names a host.
  /** @type {tls.TlsOptions["SNICallback"]} */
  const SNICallback = (_, done) => done(null, context);
  const server = tls.createServer({ ...credentials(identity, trusted), requestCert: true, SNICallback }, (socket) => {
    socket.on("error", () => {});
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    const refused = judge(socket, expected, current.bundles);
    socket.end(`${JSON.stringify(refused === undefined ? { met: idOf(socket) } : { refused: refused.why })}\n`);
  });
  server.on("tlsClientError", () => {}); // a readiness probe comes, says nothing and goes
  server.listen(port);
  return {
    server,
    /** @param {Identity} next */
    update(next) {
      current = next;
      context = tls.createSecureContext(credentials(next, trusted));
      server.setSecureContext(credentials(next, trusted));
    },
  };
}

/**
 * @param {Identity} identity
 * @param {Peer} peer
 * @returns {Promise<Dialed>}
 */
function dial(identity, { id, host, port }) {
  const trustDomain = trustDomainOf(id);
  if (!identity.bundles.has(trustDomain)) {
    const why = `the agent gives no bundle of ${trustDomain}`;
    return Promise.resolve({ outcome: "refused", by: "here", why });
  }
  return new Promise((done) => {
    let answer = "";
    const socket = tls.connect({
      ...{ host, port, servername: host, ...credentials(identity, [trustDomain]) },
      checkServerIdentity: () => undefined, // the host's name says nothing here; judge asks for the SPIFFE ID
    });
    /** @param {Dialed} dialed */
    const end = (dialed) => {
      done(dialed);
      socket.destroy();
    };
    const unreachable = (/** @type {string} */ why) => end({ outcome: "unreachable", why: `${host}:${port}: ${why}` });
    socket.setTimeout(PATIENCE_MS, () => unreachable(`no answer within ${PATIENCE_MS / 1000} s`));
    socket.on("error", (error) => unreachable(error.message));
    socket.on("secureConnect", () => {
      const refused = judge(socket, [id], identity.bundles);
      if (refused?.unknown) unreachable(refused.why);
      else if (refused !== undefined) end({ outcome: "refused", by: "here", why: refused.why });
    });
    socket.on("data", (chunk) => (answer += chunk.toString()));
    // In TLS 1.3 this end is through before the other has looked at it: only its word is a yes.
    socket.on("end", () => {
      const { met, refused } = read(answer);
      if (refused !== undefined) end({ outcome: "refused", by: "there", why: refused });
      else if (met === identity.svid.id) end({ outcome: "met", tls: socket.getProtocol() ?? "TLS" });
      else unreachable("the connection ends without an answer");
    });
  });
}

/** @param {string} answer @returns {{ met?: string, refused?: string }} */
function read(answer) {
  try {
    return JSON.parse(answer);
  } catch {
    return {};
  }
}

/**
 * Each end goes through with the handshake and judges afterwards: so it can say why.
 *
 * @param {Identity} identity
 * @param {readonly string[]} trusted trust domains
 * @returns {tls.SecureContextOptions & { rejectUnauthorized: false }}
 */
function credentials({ svid, bundles }, trusted) {
  const pem = (/** @type {readonly X509Certificate[]} */ list) => list.map(String).join("");
  return {
    cert: pem(svid.chain),
    key: createPrivateKey({ key: svid.key, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }),
    ca: trusted.flatMap((trustDomain) => bundles.get(trustDomain) ?? []).map(String),
    allowPartialTrustChain: true, // an upstream CA may give SPIRE an intermediate for its root
    minVersion: "TLSv1.3",
    rejectUnauthorized: false,
  };
}

/**
 * @param {tls.TLSSocket} socket
 * @param {readonly string[]} expected
 * @param {Map<string, X509Certificate[]>} bundles
 */
function judge(socket, expected, bundles) {
  const verification = socket.authorized ? undefined : String(socket.authorizationError ?? "it could not be verified");
  return refusal(chainOf(socket), verification, expected, bundles);
}

/** What the other end has shown. @param {tls.TLSSocket} socket */
function chainOf(socket) {
  /** @type {X509Certificate[]} */
  const chain = [];
  // A root's issuer may be the root again.
  for (
    let next = socket.getPeerX509Certificate();
    next !== undefined && chain.length < 8;
    next = next.issuerCertificate
  )
    chain.push(next);
  return chain;
}

/** @param {tls.TLSSocket} socket */
const idOf = (socket) => socket.getPeerX509Certificate()?.subjectAltName?.replace("URI:", "");

module.exports = { serve, dial };
