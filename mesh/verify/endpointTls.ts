/** How the SPIRE server of a peer judges the certificate that an endpoint presents. Pure. */
import { isIP } from "node:net";
import type { Peer } from "../../components/bundle/peer";
import { type Judgement, failed, ok, warn } from "./check";
import type { Presented } from "./presented";
import { dated, span } from "../kernel/times";

/** Whose certificate the endpoint has to present. */
export type Expected = { profile: "https_web"; host: string } | { profile: "https_spiffe"; spiffeId: string };

export function expectedAt({ profile, bundleEndpointUrl, endpointSpiffeId = "" }: Peer): Expected {
  return profile === "https_spiffe"
    ? { profile, spiffeId: endpointSpiffeId }
    : { profile, host: new URL(bundleEndpointUrl).hostname };
}

/** Go never reads a host name from the subject, and takes `*` only as a whole label. */
const AS_GO = { subject: "never", partialWildcards: false } as const;

export const namesOf = ({ certificate }: Presented): string => certificate.subjectAltName ?? "no name";

/** What is wrong with the names of the certificate; undefined when nothing is. */
export function wrongName(presented: Presented, expected: Expected): string | undefined {
  const names = namesOf(presented);
  if (expected.profile === "https_spiffe") {
    return names === `URI:${expected.spiffeId}` ? undefined : `it is for ${names}, not ${expected.spiffeId}`;
  }
  const { certificate } = presented;
  // A URL has an IPv6 address in brackets.
  const address = expected.host.replace(/^\[|\]$/g, "");
  const matches = isIP(address) === 0 ? certificate.checkHost(expected.host, AS_GO) : certificate.checkIP(address);
  return matches !== undefined ? undefined : `it is for ${names}, not ${expected.host}`;
}

export const judgeDates = ({ certificate: { validFrom, validTo } }: Presented, now: Date, renew: string): Judgement =>
  judgeLife(new Date(validFrom), new Date(validTo), now, renew);

/** What is left of a certificate's life when a person wants to know: a month, and a sixth where it lives for less than six. */
const SOON_MS = 30 * 86_400_000;

/** The same of a certificate of which nothing here says when it is renewed. */
export function judgeUnwatched(presented: Presented, now: Date, renew: string): Judgement {
  const judged = judgeDates(presented, now, renew);
  const [from, to] = [presented.certificate.validFrom, presented.certificate.validTo].map(Date.parse) as [
    number,
    number,
  ];
  const isSoon = to - now.getTime() < Math.min(SOON_MS, (to - from) / 6);
  return judged.state === "ok" && isSoon ? warn(judged.evidence, renew) : judged;
}

/** Whether a certificate is valid now. */
export function judgeLife(from: Date, to: Date, now: Date, renew: string): Judgement {
  const dates = `${dated(from)} to ${dated(to)}`;
  if (now >= to) return failed(`${dates}: it has expired`, renew);
  if (now < from)
    return failed(`${dates}: it is not valid yet`, "correct the clocks of the cluster and of this machine");
  return ok(`${dates}, ${span(to.getTime() - now.getTime())} left`);
}

/**
 * An expired certificate further up the chain counts as well: OpenSSL says one error only, and "expired" can hide
 * that nobody vouches for the chain.
 */
export function judgeIssuer({ certificate, refused }: Presented, cure: string): Judgement {
  const issuer = `issued by ${certificate.issuer.replaceAll("\n", ", ")}`;
  if (refused === undefined) return ok(issuer);
  const hint = refused === "CERT_HAS_EXPIRED" ? " (a CA in its chain has expired)" : "";
  return failed(`${issuer}: ${refused}${hint}`, cure);
}

/** Why nothing that came over this connection may be believed; undefined when the peer's SPIRE servers would believe it. */
export function notBelieved(presented: Presented, expected: Expected): string | undefined {
  const { refused, status } = presented;
  if (refused !== undefined) return `the certificate of its endpoint is refused: ${refused}`;
  if (status !== 200) return `its endpoint answers with HTTP status ${status}`;
  return wrongName(presented, expected);
}
