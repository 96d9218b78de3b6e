// @ts-check
"use strict";
/**
 * The Workload API of the node's SPIRE agent, spoken by hand: gRPC is HTTP/2 with five bytes before each message, and of
 * the answer a few fields are wanted. So the probe needs no image but one with Node.
 */
const { X509Certificate } = require("node:crypto");
const http2 = require("node:http2");
const net = require("node:net");

/**
 * What the agent says that this workload is and whom it may trust.
 *
 * @typedef {object} Identities
 * @property {Svid[]} svids
 * @property {Map<string, X509Certificate[]>} bundles roots by trust domain, its own among them
 *
 * @typedef {object} Svid
 * @property {string} id
 * @property {X509Certificate[]} chain its own certificate first
 * @property {Buffer} key PKCS #8, DER
 */

/** gRPC's codes that an agent is known to answer with. */
const STATUS = /** @type {Record<string, string>} */ ({ 7: "PermissionDenied", 14: "Unavailable" });

/**
 * Asks once; the agent answers now and whenever something changes, until the stream ends.
 *
 * @param {string} socketPath
 * @param {(identities: Identities) => void} seen
 * @param {(why: string) => void} ended called once, with the reason
 */
function watchIdentities(socketPath, seen, ended) {
  const session = http2.connect("http://localhost", { createConnection: () => net.connect(socketPath) });
  let why = "the agent ended the stream";
  const fail = (/** @type {Error} */ error) => (why = `${socketPath}: ${error.message}`);
  session.on("error", fail);
  session.on("close", () => ended(why));
  const request = session.request({
    ":method": "POST",
    ":path": "/SpiffeWorkloadAPI/FetchX509SVID",
    "content-type": "application/grpc",
    te: "trailers",
    "workload.spiffe.io": "true",
  });
  const refuse = (/** @type {http2.IncomingHttpHeaders} */ headers) => {
    const status = headers["grpc-status"];
    if (typeof status === "string" && status !== "0")
      why = `${STATUS[status] ?? `gRPC status ${status}`}: ${decodeURIComponent(String(headers["grpc-message"] ?? ""))}`;
  };
  let pending = Buffer.alloc(0);
  request.on("response", refuse).on("trailers", refuse).on("error", fail);
  request.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
      const end = 5 + pending.readUInt32BE(1);
      seen(readIdentities(pending.subarray(5, end)));
      pending = pending.subarray(end);
    }
  });
  request.on("close", () => session.close());
  request.end(Buffer.alloc(5)); // a request without fields
}

/** @param {Buffer} message an X509SVIDResponse @returns {Identities} */
function readIdentities(message) {
  const bundles = new Map();
  const svids = [];
  for (const [number, value] of fields(message)) {
    const of = new Map(fields(value));
    if (number === 1) {
      const id = text(of.get(1));
      svids.push({ id, chain: certificates(of.get(2)), key: Buffer.from(of.get(3) ?? []) });
      bundles.set(trustDomainOf(id), certificates(of.get(4)));
    }
    if (number === 3) bundles.set(trustDomainOf(text(of.get(1))), certificates(of.get(2)));
  }
  return { svids, bundles };
}

/**
 * The fields of a protobuf message that have bytes, by number; there are no others here but ones that are not looked at.
 *
 * @param {Buffer} message
 * @returns {[number: number, value: Buffer][]}
 */
function fields(message) {
  /** @type {[number, Buffer][]} */
  const found = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const size = varint();
    if ((tag & 7) !== 2) continue; // a number, and it was the value
    found.push([tag >> 3, message.subarray(at, at + size)]);
    at += size;
  }
  return found;
}

/** Certificates in DER, one after the other. @param {Buffer | undefined} der */
function certificates(der = Buffer.alloc(0)) {
  const found = [];
  for (let at = 0; at < der.length;) {
    const short = der.readUInt8(at + 1);
    const size = short < 0x80 ? 2 + short : 2 + (short & 0x7f) + der.readUIntBE(at + 2, short & 0x7f);
    found.push(new X509Certificate(der.subarray(at, at + size)));
    at += size;
  }
  return found;
}

const text = (/** @type {Buffer | undefined} */ bytes) => (bytes ?? "").toString();

/** @param {string} id a SPIFFE ID, or that of a trust domain */
const trustDomainOf = (id) => id.replace("spiffe://", "").split("/")[0] ?? "";

module.exports = { watchIdentities, trustDomainOf };
