import { X509Certificate } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { formatDuration, parseDuration } from "./duration";
import { isKnown } from "./known";
import { problem, type Problem } from "./problem";

export type { Problem };
export { formatDuration, parseDuration };

/**
 * Pure checks of what a user writes. Each returns what is wrong, so that all problems can be shown together; none of
 * them asks a cluster. What is not known yet is not wrong: it is checked once more when it is known.
 */

/** Bounds of the SpireServer's CRD, in seconds. */
export const REFRESH_HINT = { min: 60, max: 3600, default: 300 } as const;
export const FILE_SYNC_INTERVAL = { min: 3600, max: 7776000, default: 86400 } as const;

/** The CRD's pattern; SPIFFE allows the same characters. */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;
/** With a prefix or without; Kubernetes checks the prefix as a DNS name. */
const LABEL_KEY =
  /^(?=[^/]{1,253}(\/|$))([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;
/** Host, port and path of an https URL. SPIRE reads its configuration with environment variables expanded: no `$`. */
const HTTPS_URL =
  /^https:\/\/((?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(\/[A-Za-z0-9._~/-]*)?$/;
/** Segments of a SPIFFE ID's path (SPIFFE-ID, section 2.2): none is empty, `.` or `..`. */
const SPIFFE_PATH = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

export function checkTrustDomain(path: string, value: pulumi.Input<string>): Problem[] {
  return !isKnown(value) || TRUST_DOMAIN.test(value)
    ? []
    : problem(
        path,
        `${quoted(value)} is not a trust domain; it takes lower-case letters, digits, ".", "_" and "-", like apps.cluster1.example.com`,
      );
}

/** A DNS name with at least two labels, as a certificate and a Route take it. */
export function checkHost(path: string, value: pulumi.Input<string>): Problem[] {
  return !isKnown(value) || HOST.test(value)
    ? []
    : problem(
        path,
        `"${value}" is not a host name; it takes lower-case DNS labels, like federation.apps.cluster1.example.com`,
      );
}

/** Labels of a Kubernetes object. */
export function checkLabels(
  path: string,
  labels: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>,
): Problem[] {
  if (!isKnown(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...(LABEL_KEY.test(key)
      ? []
      : problem(
          path,
          `"${key}" is no key of a label; it takes letters, digits, "-", "_" and ".", like type or example.com/type`,
        )),
    ...(!isKnown(value) || LABEL_VALUE.test(value)
      ? []
      : problem(
          `${path}.${key}`,
          `"${value}" is no value of a label; it takes at most 63 letters, digits, "-", "_" and "."`,
        )),
  ]);
}

/** Name of a Kubernetes object. */
export function checkName(path: string, value: pulumi.Input<string>): Problem[] {
  return !isKnown(value) || NAME.test(value)
    ? []
    : problem(path, `"${value}" is not a name; it takes lower-case letters, digits, "-" and ".", like internal-ca`);
}

export function checkHttpsUrl(path: string, value: pulumi.Input<string>): Problem[] {
  return !isKnown(value) || (HTTPS_URL.test(value) && URL.canParse(value))
    ? []
    : problem(
        path,
        `${quoted(value)} is not an https URL of host, port and path; expected one like ` +
          "https://federation.apps.cluster1.example.com, without user, query and fragment",
      );
}

/** Whether it is the SPIFFE ID of a workload of that trust domain (SPIFFE-ID, section 2). */
export function isSpiffeIdOf(trustDomain: string, id: string): boolean {
  const own = `spiffe://${trustDomain}`;
  return id.length <= 2048 && id.startsWith(own) && SPIFFE_PATH.test(id.slice(own.length));
}

/** In quotes; characters that would change what a terminal shows are escaped. */
export const quoted = (value: string): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

export function checkEmail(path: string, value: pulumi.Input<string>): Problem[] {
  return !isKnown(value) || /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value)
    ? []
    : problem(path, `"${value}" is not an e-mail address; it is one like ops@example.com`);
}

/** A whole number of seconds within the bounds that the CRD sets. */
export function checkSeconds(
  path: string,
  value: pulumi.Input<number>,
  bounds: { min: number; max: number },
): Problem[] {
  return !isKnown(value) || (Number.isInteger(value) && value >= bounds.min && value <= bounds.max)
    ? []
    : problem(path, `${value} is out of range; it is a whole number of seconds from ${bounds.min} to ${bounds.max}`);
}

export function checkDuration(path: string, value: pulumi.Input<string>): Problem[] {
  return isKnown(value) && parseDuration(value) === undefined
    ? problem(path, `"${value}" is not a duration; it is hours, minutes and seconds, like 2160h or 1h30m`)
    : [];
}

/** How long a certificate lives and when it is renewed. */
export interface CertificateTimes {
  duration: pulumi.Input<string>;
  renewBefore: pulumi.Input<string>;
  renewJitterHours: number;
}

/**
 * cert-manager's own bounds, and that the earliest renewal still falls within the certificate's life.
 *
 * @param at what stands before the names of the properties
 */
export function checkCertificateTimes(times: CertificateTimes, at = ""): Problem[] {
  const { renewJitterHours: jitter } = times;
  const problems = [
    ...checkDuration(`${at}duration`, times.duration),
    ...checkDuration(`${at}renewBefore`, times.renewBefore),
    ...(Number.isInteger(jitter) && jitter >= 0
      ? []
      : problem(`${at}renewJitterHours`, `${jitter} is not a number of hours; it is a whole number, 0 for none`)),
  ];
  const { duration, renewBefore } = times;
  if (!isKnown(duration) || !isKnown(renewBefore) || problems.length > 0) return problems;
  const [life, before] = [parseDuration(duration) ?? 0, parseDuration(renewBefore) ?? 0];
  const tooShort = (key: "duration" | "renewBefore", value: string, least: string): Problem[] =>
    problem(at + key, `"${value}" is too short; cert-manager takes ${least} or more`);
  const extra = jitter > 0 ? ` plus renewJitterHours of ${jitter}h` : "";
  const why = `is not less than the duration "${duration}"; the certificate would always be due`;
  return [
    ...(life < 3600 ? tooShort("duration", duration, "1h") : []),
    ...(before < 300 ? tooShort("renewBefore", renewBefore, "5m") : []),
    ...(before + jitter * 3600 >= life ? problem(`${at}renewBefore`, `"${renewBefore}"${extra} ${why}`) : []),
  ];
}

/** CA certificates only: a private key must never travel in an argument, a stack output or the state. */
export function checkCaCertificates(path: string, pem: pulumi.Input<string | undefined>): Problem[] {
  if (!isKnown(pem) || pem === undefined) return [];
  if (pem.includes("PRIVATE KEY")) {
    return problem(path, "holds a private key; give the CA's certificates alone");
  }
  const certificates = splitPem(pem);
  if (certificates.length === 0) {
    return problem(path, "holds no certificate; it is PEM, one or more -----BEGIN CERTIFICATE----- blocks");
  }
  return certificates.flatMap((certificate, index) => {
    try {
      return new X509Certificate(certificate).ca
        ? []
        : problem(path, `certificate ${index + 1} is not a CA's; give the CA that signs the endpoint's certificate`);
    } catch {
      return problem(path, `certificate ${index + 1} cannot be read; it is PEM of an X.509 certificate`);
    }
  });
}

/** The certificates of a PEM text, one block each. */
export function splitPem(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}
