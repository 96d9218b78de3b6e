/** Decides where the bundle endpoint's certificate comes from, and what a cluster keeps of what it has. Pure. */
import type { Profile } from "../components/bundle/peer";
import type { BundleEndpoint } from "../components/spireServer/bundleEndpoint";
import type { BundleEndpointSpec } from "../components/route/federation";
import { checkIssuer, type Issuer } from "../components/certificates/issuer";
import { checkEmail, checkHttpsUrl } from "../components/shared/arguments";
import { problem, type Problem } from "../components/shared/problem";
import type { EndpointNames } from "./endpointNames";
import { definedOnly } from "./fields";

/** Who issues the endpoint's certificate: an issuer of cert-manager, or somebody who needs no cert-manager. */
export type EndpointIssuer = Issuer | RouterIssuer | SecretIssuer | SpireIssuer;

/** The endpoint presents the ingress router's default certificate. */
export interface RouterIssuer {
  type: "router";
}

/** The endpoint presents the certificate of a secret that somebody else keeps, who also lets the router read it. */
export interface SecretIssuer {
  type: "secret";
}

/** The SPIRE server gets the certificate from an ACME server itself, by TLS-ALPN-01. */
export interface SpireIssuer {
  type: "spire";
  /** URL of the ACME directory. Default `https://acme-v02.api.letsencrypt.org/directory`. */
  server: string;
  /** e-mail address of the ACME account. Required. */
  email: string;
  /** true: you have read and accept the terms of service of the ACME server's CA. Required. */
  tosAccepted: boolean;
}

/** What the config leaves open: what a cluster has and can never change is then kept. */
export type Open = Readonly<Record<"profile" | "issuer", boolean>>;

/** Problems of the issuer. */
export function checkEndpointIssuer(path: string, issuer: EndpointIssuer): Problem[] {
  switch (issuer.type) {
    case "router":
    case "secret":
      return [];
    case "spire": {
      return [
        ...checkHttpsUrl(`${path}.server`, issuer.server),
        ...(issuer.email === "" ? [] : checkEmail(`${path}.email`, issuer.email)),
        ...checkTerms(path, issuer),
      ];
    }
    default:
      return checkIssuer(path, issuer);
  }
}

export function checkTerms(path: string, { tosAccepted }: SpireIssuer): Problem[] {
  const terms = "is not true; read the terms of service of the ACME server's CA, and set it to true to accept them";
  return tosAccepted ? [] : problem(`${path}.tosAccepted`, terms);
}

interface EndpointConfig {
  profile: Profile;
  issuer: EndpointIssuer;
}

/** The issuer of cert-manager; undefined if cert-manager does not issue the endpoint's certificate. */
export function certManagerIssuer({ profile, issuer }: EndpointConfig): Issuer | undefined {
  if (profile === "https_spiffe") return undefined;
  return issuer.type === "router" || issuer.type === "secret" || issuer.type === "spire" ? undefined : issuer;
}

/** The secret whose certificate the router presents; undefined where there is none. */
export function endpointSecret({
  profile,
  issuer,
  names,
}: EndpointConfig & { names: EndpointNames }): string | undefined {
  return profile === "https_spiffe" || issuer.type === "router" || issuer.type === "spire" ? undefined : names.secret;
}

/** Says in words where the certificate comes from. */
export function describeEndpoint({ profile, issuer }: EndpointConfig): string {
  if (profile === "https_spiffe") return profile;
  if (issuer.type === "router") return "https_web with the router's default certificate";
  if (issuer.type === "secret") return "https_web with a secret that somebody else keeps";
  return issuer.type === "spire" ? `https_web with SPIRE's own ACME at ${issuer.server}` : profile;
}

/** The bundle endpoint that the SpireServer should have. */
export function bundleEndpoint(
  config: EndpointConfig & { refreshHint: number; fileSyncInterval?: number; names: EndpointNames },
): BundleEndpoint {
  const { profile, issuer, refreshHint, fileSyncInterval } = config;
  if (profile === "https_spiffe") return { profile, refreshHint };
  if (issuer.type === "spire") {
    const { server: directoryUrl, email, tosAccepted } = issuer;
    return { profile, refreshHint, acme: { directoryUrl, email, tosAccepted } };
  }
  const externalSecretRef = endpointSecret(config);
  const source = externalSecretRef === undefined ? { routerCertificate: true } : { externalSecretRef };
  return { profile, refreshHint, servingCert: { ...definedOnly({ fileSyncInterval }), ...source } };
}

/** The fields that are read from a live SpireServer. */
export type LiveEndpoint = Partial<BundleEndpointSpec>;

/** Fills in what the config leaves open with what the cluster has, and returns notes that say so. */
export function keepEndpoint<C extends EndpointConfig & { open: Open; fileSyncInterval?: number }>(
  given: C,
  live: LiveEndpoint | undefined,
): { config: C; notes: string[] } {
  const config = { ...given, ...definedOnly({ fileSyncInterval: live?.httpsWeb?.servingCert?.fileSyncInterval }) };
  const { open } = config;
  if (open.profile && live?.profile === "https_spiffe") {
    const unused = open.issuer ? "" : ", and issuer has no effect";
    const note = `profile is not set; the SpireServer serves with https_spiffe, which it can never change, and keeps it${unused}.`;
    return { config: { ...config, profile: "https_spiffe" }, notes: [note] };
  }
  const acme = live?.httpsWeb?.acme;
  if (config.profile === "https_spiffe" || !open.issuer || acme === undefined) return { config, notes: [] };
  const { directoryUrl: server, email, tosAccepted } = acme;
  const note = `issuer is not set; the SpireServer gets its certificate by ACME itself from ${server}, which it can never change, and keeps it.`;
  return {
    config: { ...config, issuer: { type: "spire", server, email, tosAccepted: tosAccepted === "true" } },
    notes: [note],
  };
}
