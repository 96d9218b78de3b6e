/** Decides where the bundle endpoint's certificate comes from, and what a cluster keeps of what it has. Pure. */
import { ACME_IS_PUBLIC, type BundleEndpointArgs } from "../components/spireServer/bundleEndpoint";
import type { BundleEndpointSpec } from "../components/spireServer/federationSpec";
import { accessOf, oc } from "../components/cluster/access";
import type { KubeObject } from "../components/cluster/cluster";
import { owners } from "../components/cluster/fieldOwners";
import { FIELD_MANAGER } from "../components/shared/names";
import { word } from "../components/shared/shell";
import { checkIssuer, type IssuerArgs } from "../components/certificates/issuer";
import { checkEmail, checkHttpsUrl } from "../components/shared/arguments";
import { problem, type Problem } from "../components/shared/problem";
import type { ClusterConfig } from "./config";
import { ENDPOINT_NAMES, nameKeys } from "./endpointNames";
import { definedOnly } from "./fields";

/** Who issues the endpoint's certificate: an issuer of cert-manager, or somebody who needs no cert-manager. */
export type EndpointIssuer = IssuerArgs | RouterIssuer | SecretIssuer | SpireIssuer;

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

function checkTerms(path: string, { tosAccepted }: SpireIssuer): Problem[] {
  const terms = "is not true; read the terms of service of the ACME server's CA, and set it to true to accept them";
  return tosAccepted ? [] : problem(`${path}.tosAccepted`, terms);
}

type EndpointConfig = Pick<ClusterConfig, "profile" | "issuer">;

/** The issuer of cert-manager; undefined if cert-manager does not issue the endpoint's certificate. */
export function certManagerIssuer({ profile, issuer }: EndpointConfig): IssuerArgs | undefined {
  if (profile === "https_spiffe") return undefined;
  return issuer.type === "router" || issuer.type === "secret" || issuer.type === "spire" ? undefined : issuer;
}

/** The secret whose certificate the router presents; undefined where there is none. */
export function endpointSecret({
  profile,
  issuer,
  names,
}: EndpointConfig & Pick<ClusterConfig, "names">): string | undefined {
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
  config: EndpointConfig & Pick<ClusterConfig, "refreshHint" | "fileSyncInterval" | "names">,
): BundleEndpointArgs {
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

/** The CRD forbids a change of the profile, and a change between acme (SPIRE has the certificate) and servingCert (the router). */
export function judgeEndpoint(config: ClusterConfig, live: LiveEndpoint | undefined): Problem[] {
  const { profile, issuer } = config;
  if (live?.profile !== undefined && live.profile !== profile) {
    const cure = `set "${live.profile}", or recreate the SpireServer`;
    return problem("profile", `the SpireServer serves with "${live.profile}", which it can never change; ${cure}`);
  }
  if (profile === "https_spiffe") return [];
  const bySpire = issuer.type === "spire";
  if (live?.httpsWeb?.acme !== undefined && !bySpire) {
    const cure = "take issuer out to keep that, or recreate the SpireServer";
    return problem("issuer", `the SpireServer gets its certificate by ACME itself and can never change that; ${cure}`);
  }
  if (live?.httpsWeb?.servingCert !== undefined && bySpire) {
    const cure = "choose another issuer.type, or recreate the SpireServer";
    return problem("issuer.type", `the router presents the SpireServer's certificate, which can never change; ${cure}`);
  }
  return [...(bySpire ? judgeSpireIssuer(config, issuer) : []), ...judgeUnused(config)];
}

const SECRET = ["spec", "federation", "bundleEndpoint", "httpsWeb", "servingCert", "externalSecretRef"];

/** A secret that somebody else has set stays when the stack asks for none, and the router would present that. */
export function judgeForeignSecret(config: ClusterConfig, server: KubeObject | undefined): Problem[] {
  const others = owners(server, SECRET).filter((manager) => manager !== FIELD_MANAGER);
  if (config.issuer.type !== "router" || config.profile === "https_spiffe" || others.length === 0) return [];
  const patch = JSON.stringify([{ op: "remove", path: `/${SECRET.join("/")}` }]);
  const cure = oc(accessOf(config), `patch spireservers.operator.openshift.io cluster --type json -p ${word(patch)}`);
  return problem(
    "issuer.type",
    `is router, but ${others.join(" and ")} has set the certificate's secret in the SpireServer; take it out: ${cure}`,
  );
}

/** These checks also apply to values from the cluster. */
function judgeSpireIssuer({ probe }: ClusterConfig, issuer: SpireIssuer): Problem[] {
  return [...checkTerms("issuer", issuer), ...(probe === "cluster" ? problem("probe", ACME_IS_PUBLIC) : [])];
}

/** Keys without effect, because cert-manager does not issue the certificate. */
function judgeUnused(config: ClusterConfig): Problem[] {
  if (certManagerIssuer(config) !== undefined) return [];
  const { certManager, issuer, names } = config;
  const keys = [
    ...nameKeys
      .filter((key) => key !== "route" && !(key === "secret" && issuer.type === "secret"))
      .filter((key) => names[key] !== ENDPOINT_NAMES[key])
      .map((key) => `names.${key}`),
    ...Object.keys(certManager).map((key) => `certManager.${key}`),
  ];
  const because = `has no effect with issuer.type ${issuer.type}, which needs no cert-manager; remove the key`;
  return keys.flatMap((key) => problem(key, because));
}
