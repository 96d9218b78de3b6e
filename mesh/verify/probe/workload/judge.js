// @ts-check
"use strict";
/** Whether to believe who is at the other end of a TLS connection. Pure. */
const { trustDomainOf } = require("./workloadApi");

/** @typedef {import("node:crypto").X509Certificate} X509Certificate */

/**
 * Why whoever shows this chain is not one of the expected; undefined when it is.
 *
 * TLS has verified the chain against the roots of all who are expected. That any of them could then vouch for anybody is
 * what this is about: the trust domain's own bundle has to.
 *
 * @param {X509Certificate[]} chain its own certificate first
 * @param {string | undefined} verification what TLS has against it
 * @param {readonly string[]} expected SPIFFE IDs
 * @param {ReadonlyMap<string, X509Certificate[]>} bundles
 * @returns {{ why: string, unknown?: true } | undefined} `unknown`: it has no SPIFFE ID, and so is no workload
 */
function refusal(chain, verification, expected, bundles) {
  const [own] = chain;
  if (own === undefined) return { why: "no certificate is shown", unknown: true };
  const ids = (own.subjectAltName ?? "")
    .split(", ")
    .flatMap((name) => (name.startsWith("URI:") ? [name.slice(4)] : []));
  const [id, ...others] = ids;
  if (id === undefined || others.length > 0 || !id.startsWith("spiffe://"))
    return {
      why: `the certificate shown has no SPIFFE ID; it is of ${own.subject.replaceAll("\n", ", ")}`,
      unknown: true,
    };
  if (!expected.includes(id)) return { why: `the certificate shown is of ${id}, not of ${expected.join(" or ")}` };
  const trustDomain = trustDomainOf(id);
  const roots = bundles.get(trustDomain) ?? [];

  if (!leadsTo(chain, roots))
    return {
      why: `the certificate of ${id} is signed by no root that is held of ${trustDomain} (${roots.length} held)`,
    };
  return verification === undefined ? undefined : { why: `the certificate of ${id} is refused: ${verification}` };
}

/**
 * @param {X509Certificate[]} chain
 * @param {readonly X509Certificate[]} roots
 */
function leadsTo(chain, roots) {
  for (const [index, certificate] of chain.entries()) {
    const signedBy = (/** @type {X509Certificate | undefined} */ issuer) =>
      issuer !== undefined && issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
    if (roots.some(signedBy)) return true;
    if (!signedBy(chain[index + 1])) return false;
  }
  return false;
}

module.exports = { refusal };
