import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { checkCertificateTimes, checkHost, formatDuration, parseDuration } from "./arguments";
import { lookAtCertificate } from "./certificateReadiness";
import type { ClusterReader } from "./cluster";
import { readIssuingCa } from "./issuingCa";
import { checkIssuer, planIssuer, type IssuerArgs } from "./issuer";
import { CERT_MANAGER_API, CERTIFICATE_SECRET, OPERAND_NAMESPACE, OWNED } from "./names";
import { asFault, refuse } from "./problem";
import { whenReady, type WaitOptions } from "./readiness";
import { done } from "./savedPlan";

export interface FederationCertificateArgs {
  /** Reads the cluster, to wait for the certificate. */
  reader: ClusterReader;
  /** DNS name of the bundle endpoint, the Route's host, for example `federation.apps.cluster1.example.com`. */
  host: string;
  /** Who signs: an ACME server (HTTP-01), an internal CA, or an issuer that exists. */
  issuer: IssuerArgs;
  /** Life of the certificate: hours, minutes and seconds, 1h at least. Default `2160h`, 90 days. */
  duration?: string;
  /** How long before its end it is renewed, 5m at least and less than `duration`. Default `360h`, 15 days. */
  renewBefore?: string;
  /**
   * Hours by which the renewal may be earlier still: a random number from 0 to this, drawn once, so that the members
   * of a large federation don't all renew in the same hour. Default 0, the procedure's value.
   */
  renewJitterHours?: number;
  /** Default 300 seconds. */
  wait?: WaitOptions;
}

/** The procedure's values. */
export const CERTIFICATE_DEFAULTS = { duration: "2160h", renewBefore: "360h", renewJitterHours: 0 } as const;

/** An X.509 common name is limited; what counts is the DNS name, so a longer host goes without. */
const MAX_COMMON_NAME = 64;

/**
 * The TLS certificate of the bundle endpoint and its issuer (steps 4 to 9 of the procedure).
 *
 * It waits until the certificate is issued. When cert-manager gives up, the wait ends at once and shows what the
 * Certificate, its issuer, request, order and challenge say. The secret itself is never read.
 *
 * @throws ResourceError for `host`, `issuer`, `duration`, `renewBefore`, `renewJitterHours`, all at once
 * @example
 * const certificate = new FederationCertificate(
 *   "federation-certificate",
 *   { reader, host: "federation.apps.cluster1.example.com", issuer: { type: "acme" } },
 *   { provider, dependsOn: certManager.ready },
 * );
 */
export class FederationCertificate extends pulumi.ComponentResource {
  /** Name of the TLS secret; known once the certificate is issued, so what uses it comes after. */
  readonly secretName: pulumi.Output<string>;
  /** CA certificates (PEM) that vouch for the endpoint, as the issuer names them; undefined for ACME, which names none. */
  readonly caCertificates: pulumi.Output<string | undefined>;
  /** This component, once the certificate is issued. */
  readonly ready: pulumi.Output<pulumi.Resource>;

  constructor(name: string, args: FederationCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:FederationCertificate", name, {}, opts);
    const times = {
      duration: args.duration ?? CERTIFICATE_DEFAULTS.duration,
      renewBefore: args.renewBefore ?? CERTIFICATE_DEFAULTS.renewBefore,
      renewJitterHours: args.renewJitterHours ?? CERTIFICATE_DEFAULTS.renewJitterHours,
    };
    refuse(
      name,
      [...checkHost("host", args.host), ...checkIssuer("issuer", args.issuer), ...checkCertificateTimes(times)],
      this,
    );

    const { objects, reference } = planIssuer(args.issuer);
    const issuer: pulumi.Resource[] = [];
    for (const { role, ...object } of objects) {
      issuer.push(makeObject(this, `${name}-${role}`, object, [...issuer]));
    }
    const certificate = makeObject(
      this,
      `${name}-certificate`,
      {
        kind: "Certificate",
        name: CERTIFICATE_SECRET,
        spec: {
          secretName: CERTIFICATE_SECRET,
          duration: times.duration,
          renewBefore: spreadRenewal(this, `${name}-renewal`, times.renewBefore, times.renewJitterHours),
          ...(args.host.length > MAX_COMMON_NAME ? {} : { commonName: args.host }),
          dnsNames: [args.host],
          usages: ["server auth", "digital signature", "key encipherment"],
          issuerRef: reference,
        },
      },
      issuer,
    );

    this.ready = whenReady(
      this,
      done(certificate),
      `Certificate ${CERTIFICATE_SECRET}`,
      () => lookAtCertificate(args.reader, CERTIFICATE_SECRET, reference),
      { timeoutSeconds: 300, pollMs: 1000, ...args.wait },
    );
    this.secretName = this.ready.apply(() => CERTIFICATE_SECRET);
    this.caCertificates = this.ready.apply(() => readIssuingCa(args.reader, CERTIFICATE_SECRET).catch(asFault(this)));
    this.registerOutputs({ secretName: this.secretName, caCertificates: this.caCertificates });
  }
}

/** An object of cert-manager in the operand namespace. Pulumi's own wait is off: it would not end when it fails. */
function makeObject(
  parent: pulumi.Resource,
  name: string,
  object: {
    kind: string;
    name: string;
    spec: pulumi.Input<Record<string, unknown>>;
  },
  dependsOn: pulumi.Resource[],
): k8s.apiextensions.CustomResource {
  return new k8s.apiextensions.CustomResource(
    name,
    {
      apiVersion: CERT_MANAGER_API,
      kind: object.kind,
      metadata: { name: object.name, namespace: OPERAND_NAMESPACE, annotations: OWNED },
      spec: object.spec,
    },
    { parent, dependsOn },
  );
}

/** The renewal as it was asked for, or earlier by a number of hours that is drawn once and then stays. */
function spreadRenewal(
  parent: pulumi.Resource,
  name: string,
  renewBefore: string,
  jitterHours: number,
): pulumi.Input<string> {
  if (jitterHours === 0) {
    return renewBefore;
  }
  const extra = new random.RandomInteger(name, { min: 0, max: jitterHours }, { parent });
  const seconds = parseDuration(renewBefore) ?? 0;
  return extra.result.apply((hours) => formatDuration(seconds + hours * 3600));
}
