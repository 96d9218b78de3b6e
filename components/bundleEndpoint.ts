import * as pulumi from "@pulumi/pulumi";
import { checkEmail, checkHttpsUrl, checkSeconds, FILE_SYNC_INTERVAL, REFRESH_HINT } from "./arguments";
import type { BundleEndpointSpec } from "./federationSpec";
import type { Profile } from "./peer";
import { problem, type Problem } from "./problem";

/** The endpoint's certificate comes from a secret, which the router serves (Route of type re-encrypt). */
export interface ServingCertArgs {
  /** Name of the `kubernetes.io/tls` secret in the operand namespace; pass `FederationCertificate.secretName`. */
  externalSecretRef: pulumi.Input<string>;
  /** Seconds between two looks of SPIRE at its own serving certificate, 3600 to 7776000. Default 86400. */
  fileSyncInterval?: number;
}

/** SPIRE itself gets the endpoint's certificate, from an ACME server (Route of type passthrough). */
export interface EndpointAcmeArgs {
  /** URL of the ACME directory. */
  directoryUrl: string;
  email: string;
  /** That the CA's terms of service are accepted; an ACME server wants true. */
  tosAccepted: boolean;
}

/** How this cluster serves its own bundle. */
export interface BundleEndpointArgs {
  /** Default `https_web`. Immutable once set, in the CRD. */
  profile?: Profile;
  /** With `https_web`, exactly one of `servingCert` and `acme`; the one cannot be exchanged for the other later. */
  servingCert?: ServingCertArgs;
  acme?: EndpointAcmeArgs;
  /** Seconds after which peers are asked to look again, 60 to 3600. Default 300. */
  refreshHint?: number;
}

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
  if (acme !== undefined) {
    problems.push(...checkHttpsUrl("acme.directoryUrl", acme.directoryUrl), ...checkEmail("acme.email", acme.email));
  }
  return problems;
}

/** `spec.federation.bundleEndpoint`, every default written out. */
export function renderBundleEndpoint(args: BundleEndpointArgs, host: string): pulumi.Output<BundleEndpointSpec> {
  const { refreshHint = REFRESH_HINT.default, servingCert, acme } = args;
  if (acme !== undefined) {
    const tosAccepted = acme.tosAccepted ? "true" : "false";
    const { directoryUrl, email } = acme;
    const httpsWeb = { acme: { directoryUrl, domainName: host, email, tosAccepted } } as const;
    return pulumi.output({ profile: "https_web", refreshHint, httpsWeb } as const);
  }
  if (servingCert !== undefined) {
    const { fileSyncInterval = FILE_SYNC_INTERVAL.default } = servingCert;
    return pulumi.output(servingCert.externalSecretRef).apply((externalSecretRef) => ({
      profile: "https_web" as const,
      refreshHint,
      httpsWeb: { servingCert: { fileSyncInterval, externalSecretRef } },
    }));
  }
  return pulumi.output({ profile: "https_spiffe", refreshHint } as const);
}
