/** The components and what their arguments are made of: the public interface of this package. */
export type { ClusterAccess } from "./access";
export type { BundleEndpointArgs, EndpointAcmeArgs, ServingCertArgs } from "./bundleEndpoint";
export { CertManagerInstall, type CertManagerInstallArgs, InstallPlanApproval } from "./certManagerInstall";
export { ProbeFrom } from "./clusterProbe";
export { FederatedTrustDomain, type FederatedTrustDomainArgs } from "./federatedTrustDomain";
export { FederationCertificate, type FederationCertificateArgs } from "./federationCertificate";
export type { FormerRoute, OwnRoute } from "./federationRoute";
export { type IssuerArgs, IssuerKind, IssuerType } from "./issuer";
export { type Peer, Profile } from "./peer";
export { PeerCas, type PeerCasArgs } from "./peerCas";
export type { WaitOptions } from "./readiness";
export { RouterSecretAccess, type RouterSecretAccessArgs } from "./routerSecretAccess";
export { FederatesWithMode, SpireFederationServer, type SpireFederationServerArgs } from "./spireFederationServer";
export * from "./spireServerArgs";
export { Bootstrap } from "./givenBundle";
