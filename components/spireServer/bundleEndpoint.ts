import type * as pulumi from "@pulumi/pulumi";
import {
  checkEmail,
  checkHttpsUrl,
  checkName,
  checkSeconds,
  FILE_SYNC_INTERVAL,
  REFRESH_HINT,
} from "../shared/arguments";
import type { BundleEndpointSpec } from "../route/federation";
import { CERTIFICATE_SECRET } from "../shared/names";
import type { Profile } from "../bundle/peer";
import { problem, type Problem } from "../shared/problem";

/** The router presents the bundle endpoint's certificate and re-encrypts to SPIRE. */
export interface ServingCertArgs {
  /**
   * Name of the `kubernetes.io/tls` secret in namespace zero-trust-workload-identity-manager. Default
   * `spire-server-federation-tls`, the secret of FederationCertificate.
   */
  externalSecretRef?: pulumi.Input<string>;
  /** Present the router's own default certificate instead of one from a secret. Default false. */
  routerCertificate?: boolean;
  /** Seconds after which SPIRE reads its own serving certificate again, 3600 to 7776000 (the CRD's bounds). Default 86400. */
  fileSyncInterval?: pulumi.Input<number>;
}

/** SPIRE itself gets the bundle endpoint's certificate from an ACME server; the router passes TLS through. */
export interface EndpointAcmeArgs {
  /** URL of the ACME directory, for example `https://acme-v02.api.letsencrypt.org/directory`. */
  directoryUrl: pulumi.Input<string>;
  /** E-mail address of the ACME account, for example `ops@example.com`. */
  email: pulumi.Input<string>;
  /** Whether you accept the CA's terms of service. ACME servers refuse an account without. */
  tosAccepted: pulumi.Input<boolean>;
}

/** The API server names no host when it asks a Service, and SPIRE's ACME client presents its certificate for one host alone. */
export const ACME_IS_PUBLIC =
  "is cluster, but with its own certificate by ACME the SPIRE server answers only to the endpoint's host; set probe to machine";

/** How a cluster serves the bundle of its own trust domain. */
export interface BundleEndpointArgs {
  /** How the bundle endpoint authenticates itself. Default `https_web`. The CRD of SpireServer does not allow a change. */
  profile?: Profile;
  /**
   * The router presents the certificate of the bundle endpoint. With `https_web` give either `servingCert` or `acme`; the
   * CRD of SpireServer does not allow a change from one to the other.
   */
  servingCert?: ServingCertArgs;
  /** SPIRE gets the certificate of the bundle endpoint from an ACME server. */
  acme?: EndpointAcmeArgs;
  /** Seconds after which peers are to fetch the bundle again, 60 to 3600 (the CRD's bounds). Default 300. */
  refreshHint?: pulumi.Input<number>;
}

/** The same, known. */
export type BundleEndpoint = pulumi.Unwrap<BundleEndpointArgs>;

/** What the CRD would refuse. */
export function checkBundleEndpoint(args: BundleEndpointArgs): Problem[] {
  const { refreshHint, servingCert, acme } = args;
  const problems = refreshHint === undefined ? [] : checkSeconds("refreshHint", refreshHint, REFRESH_HINT);
  const sources = [servingCert, acme].filter((source) => source !== undefined).length;
  if (args.profile === "https_spiffe") {
    if (sources > 0) {
      problems.push(...problem("profile", "is https_spiffe, which has no certificate; leave servingCert and acme out"));
    }
  } else if (sources !== 1) {
    problems.push(...problem("profile", "is https_web, which has one certificate; give servingCert or acme"));
  }
  if (servingCert?.fileSyncInterval !== undefined) {
    problems.push(...checkSeconds("servingCert.fileSyncInterval", servingCert.fileSyncInterval, FILE_SYNC_INTERVAL));
  }
  if (servingCert?.routerCertificate === true && servingCert.externalSecretRef !== undefined) {
    problems.push(
      ...problem("servingCert.externalSecretRef", "has no effect with routerCertificate; remove one of them"),
    );
  }
  if (servingCert?.externalSecretRef !== undefined) {
    problems.push(...checkName("servingCert.externalSecretRef", servingCert.externalSecretRef));
  }
  if (acme !== undefined) {
    problems.push(...checkHttpsUrl("acme.directoryUrl", acme.directoryUrl), ...checkEmail("acme.email", acme.email));
  }
  return problems;
}

/** `spec.federation.bundleEndpoint`, every default written out. */
export function renderBundleEndpoint(args: BundleEndpoint, host: string): BundleEndpointSpec {
  const { refreshHint = REFRESH_HINT.default, servingCert, acme } = args;
  if (acme !== undefined) {
    const tosAccepted = acme.tosAccepted ? "true" : "false";
    const { directoryUrl, email } = acme;
    return {
      profile: "https_web",
      refreshHint,
      httpsWeb: { acme: { directoryUrl, domainName: host, email, tosAccepted } },
    };
  }
  if (servingCert !== undefined) {
    const { fileSyncInterval = FILE_SYNC_INTERVAL.default, externalSecretRef = CERTIFICATE_SECRET } = servingCert;
    const secret = servingCert.routerCertificate === true ? {} : { externalSecretRef };
    return { profile: "https_web", refreshHint, httpsWeb: { servingCert: { fileSyncInterval, ...secret } } };
  }
  return { profile: "https_spiffe", refreshHint };
}
