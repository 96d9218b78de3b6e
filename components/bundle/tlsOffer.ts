/** What it says of this machine when an endpoint refuses its TLS handshake. Pure. */

/** What such a message begins with. */
const CANNOT_OFFER = "this machine cannot offer what the endpoint may demand";

/**
 * Undefined unless the endpoint found nothing to agree on in what was offered, and would perhaps with more: a strict
 * endpoint demands the group X25519MLKEM768, which OpenSSL has from 3.5 on. Other causes are possible, so nothing is
 * known of the endpoint.
 */
export function notOffered(
  { message }: Error,
  [major = 0, minor = 0] = process.versions.openssl.split(".").map(Number),
): string | undefined {
  const offersAll = major > 3 || (major === 3 && minor >= 5);
  // TLS alert 40, handshake_failure. Node's code for it differs with when the alert comes.
  if (offersAll || !/alert handshake failure/i.test(message)) return undefined;
  return (
    `${CANNOT_OFFER} (TLS alert handshake_failure): a strict TLS profile demands the group ` +
    `X25519MLKEM768, which takes OpenSSL 3.5, and this Node has ${process.versions.openssl}`
  );
}

export const isNotOffered = (message: string): boolean => message.includes(CANNOT_OFFER);

export const OFFER_MORE =
  "run it with a Node for which node -p process.versions.openssl says 3.5 or more, or set probe: cluster; if it is refused " +
  "then, see the TLS settings of the endpoint";
