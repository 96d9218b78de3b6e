import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
  type CertificateTimes,
  checkCertificateTimes,
  checkHost,
  checkName,
  formatDuration,
  parseDuration,
} from "./shared/arguments";
import { lookAtCertificate } from "./certificates/certificateReadiness";
import type { ClusterAccessArgs } from "./cluster/access";
import type { ClusterReader } from "./cluster/cluster";
import { ownedMetadata } from "./cluster/correction";
import { readIssuingCa } from "./certificates/issuingCa";
import { checkIssuer, planIssuer, type IssuerArgs, type IssuerReference } from "./certificates/issuer";
import { CERT_MANAGER_API, CERTIFICATE_SECRET, OPERAND_NAMESPACE } from "./shared/names";
import { withProvider } from "./cluster/clusterProvider";
import { clusterFor } from "./cluster/openCluster";
import { checked } from "./shared/checked";
import { isKnown } from "./shared/known";
import { problem, type Problem } from "./shared/problem";
import { gate, readyOnce } from "./shared/gate";
import { whenReady, type WaitOptions } from "./waiting/readiness";
import { onceApplied } from "./shared/savedPlan";
import { orStop } from "./shared/stopProgram";
import { definedOnly } from "./shared/untyped";

/** How the certificate is called and renewed. */
export interface CertificateOptions {
  /** Name of the Certificate in namespace zero-trust-workload-identity-manager. Default `spire-server-federation-tls`. */
  certificateName?: pulumi.Input<string>;
  /** Name of the TLS secret that it is written to, in the same namespace. Default `spire-server-federation-tls`. */
  secretName?: pulumi.Input<string>;
  /** Lifetime of the certificate in hours, minutes and seconds, such as `2160h` or `1h30m`; at least 1h. Default `2160h`. */
  duration?: pulumi.Input<string>;
  /** Time before its expiry at which the certificate is renewed; at least 5m and less than `duration`. Default `360h`. */
  renewBefore?: pulumi.Input<string>;
  /**
   * Hours by which the renewal may come earlier: a random number from 0 to this value, drawn once, so that the members of a
   * large federation do not renew in the same hour. Default 0.
   */
  renewJitterHours?: number;
}

export interface FederationCertificateArgs extends CertificateOptions, ClusterAccessArgs {
  /**
   * DNS name of the bundle endpoint, which is the Route's host, for example `federation.apps.cluster1.example.com`. A plain
   * value with `issuer.selfSigned`, whose resources have their names by it.
   */
  host: pulumi.Input<string>;
  /** Who issues the certificate: an ACME server (HTTP-01), an internal CA, or an existing issuer. */
  issuer: IssuerArgs;
  /** How to wait. `timeoutSeconds` defaults to 300. */
  wait?: WaitOptions;
}

/** The procedure's values. */
export const CERTIFICATE_DEFAULTS = { duration: "2160h", renewBefore: "360h", renewJitterHours: 0 } as const;

/** An X.509 common name is limited; what counts is the DNS name, so a longer host goes without. */
const MAX_COMMON_NAME = 64;

/**
 * The TLS certificate of the bundle endpoint and its issuer, as objects of cert-manager.
 *
 * Waits until the certificate is issued. When cert-manager fails, the wait ends at once, and the error shows the conditions
 * of the Certificate, its issuer, request, order and challenge. The secret itself is never read.
 *
 * Source: steps 4 to 9 of "Using SPIRE federation with manual certificate management" of the OpenShift
 * documentation; the bounds of `duration` and `renewBefore` are cert-manager's.
 *
 * @throws ResourceError for every wrong argument, all at once, and when the certificate is not issued in time
 * @example
 * const certificate = new FederationCertificate(
 *   "federation-certificate",
 *   { context: "cluster1", host: "federation.apps.cluster1.example.com", issuer: { type: "acme" } },
 *   { provider, dependsOn: certManager },
 * );
 */
export class FederationCertificate extends pulumi.ComponentResource {
  /** Name of the TLS secret. Known once the certificate is issued, so a resource that uses it is created afterwards. */
  readonly secretName: pulumi.Output<string>;
  /** CA certificates (PEM) that verify the certificate, as its issuer returns them; undefined with ACME, which returns none. */
  readonly caCertificates: pulumi.Output<string | undefined>;

  constructor(name: string, args: FederationCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("spire-federation:index:FederationCertificate", name, {}, withProvider(`${name}-cluster`, args, opts));
    const check = (some: FederationCertificateArgs) => [...checkHost("host", some.host), ...checkCertificate(some)];
    const known = checked(name, args, check, this).apply((some) => ({
      ...{ certificateName: CERTIFICATE_SECRET, secretName: CERTIFICATE_SECRET, ...CERTIFICATE_DEFAULTS },
      ...{ ...definedOnly(some), host: some.host, ...planIssuer(some.issuer, some.host) },
    }));
    const cluster = clusterFor(name, args, this);

    const { type, server, secretName, selfSigned } = args.issuer;
    // Only a self-signed CA has a host, which is a plain value then.
    const { objects } = planIssuer(
      { type, ...definedOnly({ server, secretName, selfSigned }) },
      isKnown(args.host) ? args.host : "",
    );
    const issuer: pulumi.Resource[] = [];
    for (const [index, { role, ...object }] of objects.entries()) {
      const spec = known.objects.apply((planned) => planned[index]?.spec ?? {});
      issuer.push(makeObject(this, cluster, `${name}-${role}`, object, spec, { dependsOn: [...issuer] }));
    }
    const { renewJitterHours = CERTIFICATE_DEFAULTS.renewJitterHours } = args;
    const spec = known.apply(({ reference: issuerRef, ...of }) => certificateSpec({ ...of, issuerRef }));
    const asked = pulumi.all([spec, known.renewBefore]).apply(([rest, renewBefore]) => ({ ...rest, renewBefore }));
    // A preview shows all but what is not drawn yet.
    const drawn = renewJitterHours !== 0 && {
      ...{ secretName: spec.secretName, duration: spec.duration, commonName: spec.commonName, dnsNames: spec.dnsNames },
      ...{ usages: spec.usages, issuerRef: spec.issuerRef },
      renewBefore: spreadRenewal(this, `${name}-renewal`, known.renewBefore, renewJitterHours),
    };
    const certificate = makeObject(
      this,
      cluster,
      `${name}-certificate`,
      { kind: "Certificate", name: known.certificateName },
      drawn ? spec : asked,
      // Of two Certificates with one secret cert-manager issues the older one alone.
      { dependsOn: issuer, deleteBeforeReplace: true, ...(drawn && { spec: drawn }) },
    );

    const ready = whenReady(
      this,
      pulumi.all([known, onceApplied(certificate)]),
      pulumi.interpolate`Certificate ${known.certificateName}`,
      ([{ certificateName, reference }]) => lookAtCertificate(cluster, certificateName, reference),
      { timeoutSeconds: 300, pollMs: 1000, ...args.wait },
    );
    this.secretName = pulumi.all([known.secretName, ready]).apply(([called]) => called);
    // Only an up can tell whether the request will be there; an ACME server names no CA.
    const unknown = pulumi.runtime.isDryRun() ? (pulumi.unknown as string) : undefined;
    this.caCertificates = pulumi
      .all([known, ready])
      .apply(async ([{ certificateName, reference }]) =>
        type === "acme" ? undefined : await orStop(readIssuingCa(cluster, certificateName, reference, unknown), this),
      );
    readyOnce(this, ready);
    this.registerOutputs({ secretName: this.secretName, caCertificates: this.caCertificates });
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }
}

const timesOf = (args: CertificateOptions): CertificateTimes => ({
  duration: args.duration ?? CERTIFICATE_DEFAULTS.duration,
  renewBefore: args.renewBefore ?? CERTIFICATE_DEFAULTS.renewBefore,
  renewJitterHours: args.renewJitterHours ?? CERTIFICATE_DEFAULTS.renewJitterHours,
});

/** What is wrong with the certificate that is asked for, but for the form of its host. */
export function checkCertificate(
  args: CertificateOptions & Pick<FederationCertificateArgs, "host" | "issuer">,
): Problem[] {
  const { host, issuer, certificateName = CERTIFICATE_SECRET, secretName = CERTIFICATE_SECRET } = args;
  return [
    ...(issuer.selfSigned === true && !isKnown(host)
      ? problem(
          "host",
          "is an output; it must be a plain value with issuer.selfSigned, whose resources have their names by it",
        )
      : []),
    ...checkIssuer("issuer", issuer),
    ...checkCertificateTimes(timesOf(args)),
    ...checkName("certificateName", certificateName),
    ...checkName("secretName", secretName),
  ];
}

interface CertificateSpec {
  secretName: string;
  duration: string;
  commonName?: string;
  dnsNames: string[];
  usages: string[];
  issuerRef: IssuerReference;
}

/** `spec` of the Certificate, but for its renewal. */
export function certificateSpec(of: {
  host: string;
  secretName: string;
  duration: string;
  issuerRef: IssuerReference;
}): CertificateSpec {
  const { host, secretName, duration, issuerRef } = of;
  return {
    secretName,
    duration,
    ...(host.length > MAX_COMMON_NAME ? {} : { commonName: host }),
    dnsNames: [host],
    usages: ["server auth", "digital signature", "key encipherment"],
    issuerRef,
  };
}

/**
 * An object of cert-manager in the operand namespace. Pulumi's own wait is off: it would not end when it fails.
 *
 * @param wanted its `spec`, as far as it can be compared with the live one
 * @param options.spec all of it. Default: `wanted`
 */
function makeObject<Spec extends object>(
  parent: pulumi.Resource,
  cluster: ClusterReader,
  name: string,
  object: { kind: string; name: pulumi.Input<string> },
  wanted: pulumi.Output<Spec>,
  {
    spec = wanted,
    ...options
  }: { spec?: pulumi.Input<object>; dependsOn: pulumi.Resource[]; deleteBeforeReplace?: boolean },
): k8s.apiextensions.CustomResource {
  const type = { apiVersion: CERT_MANAGER_API, kind: object.kind };
  const compared = pulumi.all([object.name, wanted]).apply(([called, asked]) => ({
    ...{ ...type, spec: asked },
    metadata: { name: called, namespace: OPERAND_NAMESPACE },
  }));
  return new k8s.apiextensions.CustomResource(
    name,
    { ...type, metadata: ownedMetadata(cluster, compared, parent), spec },
    { parent, ...options },
  );
}

/** The renewal as it was asked for, or earlier by a number of hours that is drawn once and then stays. */
function spreadRenewal(
  parent: pulumi.Resource,
  name: string,
  renewBefore: pulumi.Output<string>,
  jitterHours: number,
): pulumi.Output<string> {
  const extra = new random.RandomInteger(name, { min: 0, max: jitterHours }, { parent });
  return pulumi
    .all([extra.result, renewBefore])
    .apply(([hours, earliest]) => formatDuration((parseDuration(earliest) ?? 0) + hours * 3600));
}
