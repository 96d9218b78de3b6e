import * as pulumi from "@pulumi/pulumi";
import type { Bootstrap } from "./bundle/givenBundle";
import type { PeerArgs } from "./bundle/peer";
import { describeSharedRoot, SHARED_ROOT_ADVICE, sharedRoots } from "./bundle/sharedRoots";
import { readOwnRoots } from "./bundle/spiffeEndpoint";
import { type CertManagerArgs, CertManagerInstall, checkCertManager } from "./certManagerInstall";
import type { IssuerArgs } from "./certificates/issuer";
import { accessOf } from "./cluster/access";
import { withProvider } from "./cluster/clusterProvider";
import { clusterFor } from "./cluster/openCluster";
import { FederatedTrustDomain } from "./federatedTrustDomain";
import { objectName, resourceNameOf } from "./bundle/objectName";
import { type CertificateOptions, checkCertificate, FederationCertificate } from "./federationCertificate";
import { checkBoundCas, PeerCas } from "./peerCas";
import { type RouterAccessNames, checkRouterAccess, RouterSecretAccess } from "./routerSecretAccess";
import { checkPeer } from "./bundle/checkPeer";
import { splitPem } from "./shared/arguments";
import { isKnown } from "./shared/known";
import { CERTIFICATE_SECRET } from "./shared/names";
import { problem, refuse, type Problem } from "./shared/problem";
import { gate, readiness, readyOnce } from "./shared/gate";
import { checkServer, type ServerOptions, SpireFederationServer } from "./spireFederationServer";
import { definedOnly } from "./shared/untyped";
import { mayHavePrivateCa } from "./trustedCas/trustedCas";

/** A trust domain to federate with, and how trust in it begins. */
export interface FederationPeer extends PeerArgs {
  /** A counter: a changed number fetches the bundle again and gives it to SPIRE. Default 0. */
  rebootstrap?: pulumi.Input<number>;
  /**
   * Where the first bundle comes from: `endpoint`, the peer's bundle endpoint; `stack`, the peer's `roots`. With
   * `https_spiffe` it is always made of `caCertificates`. Default `endpoint`.
   */
  bootstrap?: pulumi.Input<Bootstrap>;
}

export interface SpireFederationArgs extends ServerOptions, CertificateOptions, RouterAccessNames {
  /** Trust domain of this cluster, equal to `spec.trustDomain` of ZeroTrustWorkloadIdentityManager "cluster". */
  trustDomain: pulumi.Input<string>;
  /**
   * Host name of the bundle endpoint. Default `federation.<trustDomain>`, which is that of the operator's Route. With
   * `issuer.selfSigned` resources have their names by it, so it is a plain value.
   */
  host?: pulumi.Input<string>;
  /** Whom this cluster trusts. Bundle endpoints of all of them answer already. Default none. */
  peers?: FederationPeer[];
  /**
   * Who issues the certificate of the bundle endpoint, by cert-manager, which is installed where it is not there. Default
   * `{ type: "acme" }` with `https_web`, unless `servingCert` or `acme` says where else it comes from.
   */
  issuer?: IssuerArgs;
  /**
   * Let the router read the secret `servingCert.externalSecretRef`, whose certificate somebody else keeps. Default false: whoever
   * keeps it does that. Where cert-manager issues the certificate the router always may.
   */
  routerAccess?: boolean;
  /** How cert-manager is installed. Default: as the documentation says, unless it is there. */
  certManager?: CertManagerArgs;
  /**
   * Let SPIRE trust the CAs of peers' endpoints that are not public: each has name constraints that permit the endpoint's host
   * alone, or is pinned in the peer's `caFingerprints`. Default false.
   */
  trustPeerCas?: boolean;
  /**
   * What stands before the names of all resources of this component. Default `<name>-`. Empty is for a program that federates
   * one cluster.
   */
  prefix?: string;
}

/** Whom a cluster trusts, and since when. */
export interface TrustedPeer {
  /** Trust domain of the peer. */
  trustDomain: pulumi.Output<string>;
  /** SHA-256 of the X.509 roots with which that trust began. */
  fingerprints: pulumi.Output<string[]>;
}

/**
 * Makes one cluster a member of a federation: certificate and bundle endpoint, and trust in its peers.
 *
 * Composes CertManagerInstall, FederationCertificate, RouterSecretAccess, PeerCas, a FederatedTrustDomain for each peer and
 * SpireFederationServer, in the order in which they need each other. ZTWIM and its SpireServer are there already.
 *
 * A destroy ends the trust in all peers. The endpoint goes on serving and renewing its certificate.
 *
 * Ready, for those that depend on it, once the bundle endpoint answers and SPIRE has every peer's bundle.
 *
 * Source: "Using SPIRE federation with manual certificate management" of the OpenShift documentation.
 *
 * @throws ResourceError for every wrong argument, all at once and before anything is created, and when a part is not ready
 * in time
 * @example
 * new SpireFederation("cluster1", {
 *   context: "cluster1",
 *   trustDomain: "apps.cluster1.example.com",
 *   issuer: { type: "acme" },
 *   peers: [
 *     {
 *       stack: "cluster2",
 *       trustDomain: "apps.cluster2.example.com",
 *       bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
 *       profile: "https_web",
 *     },
 *   ],
 * });
 */
export class SpireFederation extends pulumi.ComponentResource {
  /** URL of the bundle endpoint. Known once it has answered. */
  readonly bundleEndpointUrl: pulumi.Output<string>;
  /** SPIFFE ID of the bundle endpoint, with `https_spiffe`. */
  readonly endpointSpiffeId: pulumi.Output<string | undefined>;
  /** CA certificates (PEM) that verify the endpoint, where they are not public; the X.509 roots with `https_spiffe`. */
  readonly caCertificates: pulumi.Output<string | undefined>;
  /** X.509 roots (PEM) of the trust domain, with `publishRoots`. */
  readonly roots: pulumi.Output<string | undefined>;
  /** Name of the endpoint's TLS secret, where cert-manager issues its certificate. */
  readonly secretName: pulumi.Output<string | undefined>;
  /** Whom this cluster trusts, by the peer's short name. */
  readonly peers: Record<string, TrustedPeer>;

  constructor(name: string, args: SpireFederationArgs, opts?: pulumi.ComponentResourceOptions) {
    const { prefix = `${name}-`, trustDomain, peers = [] } = args;
    super(
      "spire-federation:index:SpireFederation",
      name,
      {},
      withProvider(`${prefix}cluster`, args, opts, trustDomain),
    );
    const issuer = issuerOf(args);
    const server = serverArgs(args, issuer);
    refuse(name, checkArguments(args, server, issuer), this);
    const access = accessOf(args);
    const wait = args.wait && { wait: args.wait };

    const web = issuer && this.certificate(prefix, args, issuer);
    const certificates = web === undefined ? [] : [web.certificate];
    const routerAccess =
      web !== undefined || args.routerAccess === true ? [this.routerAccess(prefix, args, certificates)] : [];
    const cas = peers.filter(mayHavePrivateCa);
    // SPIRE asks a new peer at once, and then not again for a minute: it has to trust the peer's CA by then.
    const trustsCas =
      args.trustPeerCas === true && cas.length > 0
        ? [new PeerCas(`${prefix}peer-cas`, { ...access, peers: cas, ...wait }, this.below())]
        : [];
    // Peers come after the certificate only so that destroy, which goes backwards, takes trust away first.
    const before = [...certificates, ...routerAccess, ...trustsCas];
    const trusted = peers.map(({ rebootstrap, bootstrap, ...peer }) => {
      const child = `${prefix}${resourceNameOf(objectName(peer.stack, peer.objectName))}`;
      const how = definedOnly({ rebootstrap, bootstrap });
      return new FederatedTrustDomain(child, { ...access, peer, ...how }, { ...this.below(), dependsOn: before });
    });
    const endpoint = new SpireFederationServer(
      `${prefix}spire-server`,
      { ...server, endpointCaCertificates: args.endpointCaCertificates ?? web?.certificate.caCertificates },
      // A peer is listed once SPIRE has its bundle: it asks a listed peer at once, and then not again for a minute.
      { ...this.below(), dependsOn: [...before, ...trusted] },
    );
    this.warnOfSharedRoots(name, args, trusted);

    this.bundleEndpointUrl = endpoint.bundleEndpointUrl;
    this.endpointSpiffeId = endpoint.endpointSpiffeId;
    this.caCertificates = endpoint.caCertificates;
    this.roots = endpoint.roots;
    this.secretName = pulumi.output(web?.certificate.secretName);
    this.peers = Object.fromEntries(
      trusted.map(({ trustDomain: of, fingerprints }, index) => [
        peers[index]?.stack ?? "",
        { trustDomain: of, fingerprints },
      ]),
    );
    const operator = web === undefined ? [] : [web.operator];
    readyOnce(this, ...[...operator, ...before, ...trusted, endpoint].map(readiness));
    this.registerOutputs({
      bundleEndpointUrl: this.bundleEndpointUrl,
      endpointSpiffeId: this.endpointSpiffeId,
      caCertificates: this.caCertificates,
      roots: this.roots,
      secretName: this.secretName,
      peers: this.peers,
    });
  }

  /** Options of the parts. Their aliases are for states of stacks that had them without this component above them. */
  private below(): pulumi.ComponentResourceOptions {
    return { parent: this, aliases: [{ parent: pulumi.rootStackResource }] };
  }

  protected override initialize(): Promise<void> {
    return gate(this);
  }

  /**
   * The certificate of the endpoint. It and the router's access to it are there before a Route refers to the secret. They stay
   * when all of this is deleted, since the SpireServer stays and refers to them; what an up no longer needs is deleted.
   */
  private certificate(
    prefix: string,
    args: SpireFederationArgs,
    issuer: IssuerArgs,
  ): { operator: CertManagerInstall; certificate: FederationCertificate } {
    const access = { ...accessOf(args), ...(args.wait && { wait: args.wait }) };
    const { host, certificateName, secretName, duration, renewBefore, renewJitterHours } = args;
    const operator = new CertManagerInstall(`${prefix}cert-manager`, { ...access, ...args.certManager }, this.below());
    const certificate = new FederationCertificate(
      `${prefix}certificate`,
      {
        ...{ ...access, host: host ?? defaultHost(args), issuer },
        ...definedOnly({ certificateName, secretName, duration, renewBefore, renewJitterHours }),
      },
      { ...this.below(), dependsOn: operator, deletedWith: this },
    );
    return { operator, certificate };
  }

  private routerAccess(prefix: string, args: SpireFederationArgs, dependsOn: pulumi.Resource[]): RouterSecretAccess {
    const { servingCert, roleName, roleBindingName } = args;
    const secretName = servingCert?.externalSecretRef ?? args.secretName;
    return new RouterSecretAccess(
      `${prefix}router-access`,
      { ...accessOf(args), ...definedOnly({ secretName, roleName, roleBindingName }) },
      { ...this.below(), dependsOn, deletedWith: this },
    );
  }

  /**
   * Says once which trust domains have the same root. In a preview only where all peers' bundles are known already. Own roots
   * that cannot be read are left out.
   */
  private warnOfSharedRoots(name: string, args: SpireFederationArgs, peers: readonly FederatedTrustDomain[]): void {
    if (peers.length === 0) return;
    const own = readOwnRoots(clusterFor(name, args, this)).catch(() => undefined);
    const bundles = peers.map((peer) =>
      pulumi.all([peer.trustDomain, peer.roots]).apply(([trustDomain, roots]) => ({ trustDomain, roots })),
    );
    pulumi.all([args.trustDomain, pulumi.all(bundles)]).apply(async ([trustDomain, known]) => {
      const shared = sharedRoots([{ trustDomain, roots: splitPem((await own) ?? "") }, ...known], new Date());
      if (shared.length === 0) return;
      await pulumi.log.warn(`${shared.map(describeSharedRoot).join("; ")}. ${SHARED_ROOT_ADVICE}.`);
    });
  }
}

const defaultHost = ({ trustDomain }: SpireFederationArgs): pulumi.Input<string> =>
  isKnown(trustDomain) ? `federation.${trustDomain}` : pulumi.interpolate`federation.${trustDomain}`;

/** The issuer that cert-manager is asked by; undefined where the certificate comes from elsewhere, or there is none. */
function issuerOf({ issuer, profile, servingCert, acme }: SpireFederationArgs): IssuerArgs | undefined {
  if (issuer !== undefined || profile === "https_spiffe" || acme !== undefined) return issuer;
  const elsewhere = servingCert?.routerCertificate === true || servingCert?.externalSecretRef !== undefined;
  return elsewhere ? undefined : { type: "acme" };
}

function serverArgs(args: SpireFederationArgs, issuer: IssuerArgs | undefined) {
  const { host = defaultHost(args), peers = [], secretName = CERTIFICATE_SECRET, servingCert } = args;
  const web = issuer && { servingCert: { externalSecretRef: secretName, ...servingCert } };
  return { ...args, ...web, host, federatesWith: peers };
}

function checkArguments(
  args: SpireFederationArgs,
  server: ReturnType<typeof serverArgs>,
  issuer: IssuerArgs | undefined,
): Problem[] {
  const { profile, servingCert, acme, secretName = CERTIFICATE_SECRET } = args;
  const { routerCertificate = false, externalSecretRef = secretName } = servingCert ?? {};
  const otherSecret = isKnown(externalSecretRef) && isKnown(secretName) && externalSecretRef !== secretName;
  const noSecret = profile === "https_spiffe" || acme !== undefined || routerCertificate;
  const elsewhere = noSecret || otherSecret;
  return [
    ...(args.routerAccess === true && noSecret
      ? problem("routerAccess", "has no effect, because the certificate is in no secret; remove it")
      : []),
    ...(args.issuer !== undefined && elsewhere
      ? problem(
          "issuer",
          "has no effect, because profile, servingCert or acme say that the certificate is another; remove it",
        )
      : checkServer(server)),
    ...(issuer === undefined ? [] : checkCertificate({ ...args, host: server.host, issuer })),
    ...checkRouterAccess(args).filter(({ path }) => path !== "secretName" || issuer === undefined),
    ...checkCertManager("certManager.", args.certManager ?? {}),
    ...(args.peers ?? []).flatMap((peer, index) =>
      (args.trustPeerCas === true ? checkBoundCas : checkPeer)(`peers[${index}]`, peer),
    ),
  ];
}
