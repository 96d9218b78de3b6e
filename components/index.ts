/** The components and what their arguments are made of: the public interface of this package. */
export type { ClusterAccessArgs } from "./cluster/access";
export type { BundleEndpointArgs, EndpointAcmeArgs, ServingCertArgs } from "./spireServer/bundleEndpoint";
export {
  type CertManagerArgs,
  CertManagerInstall,
  type CertManagerInstallArgs,
  InstallPlanApproval,
} from "./certManagerInstall";
export { ProbeFrom } from "./bundle/clusterProbe";
export { FederatedTrustDomain, type FederatedTrustDomainArgs } from "./federatedTrustDomain";
export {
  type CertificateOptions,
  FederationCertificate,
  type FederationCertificateArgs,
} from "./federationCertificate";
export type { OwnRouteArgs } from "./route/federation";
export { type IssuerArgs, IssuerKind, IssuerType } from "./certificates/issuer";
export { type PeerArgs, Profile } from "./bundle/peer";
export { PeerCas, type PeerCasArgs } from "./peerCas";
export type { WaitOptions } from "./waiting/readiness";
export { type RouterAccessNames, RouterSecretAccess, type RouterSecretAccessArgs } from "./routerSecretAccess";
export { type FederationPeer, SpireFederation, type SpireFederationArgs, type TrustedPeer } from "./spireFederation";
export {
  FederatesWithMode,
  type ServerOptions,
  SpireFederationServer,
  type SpireFederationServerArgs,
} from "./spireFederationServer";
export { Bootstrap } from "./bundle/givenBundle";
