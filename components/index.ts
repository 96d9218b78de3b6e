/** The components and what their arguments are made of: the public interface of this package. */
export type { ClusterAccess } from "./access";
export type { BundleEndpointArgs, EndpointAcmeArgs, ServingCertArgs } from "./bundleEndpoint";
export { CertManagerInstall, type CertManagerInstallArgs } from "./certManagerInstall";
export type { ProbeFrom } from "./clusterProbe";
export { FederatedTrustDomain, type FederatedTrustDomainArgs } from "./federatedTrustDomain";
export { FederationCertificate, type FederationCertificateArgs } from "./federationCertificate";
export type { OwnRoute } from "./federationRoute";
export type { AcmeIssuer, CaIssuer, ExistingIssuer, IssuerArgs } from "./issuer";
export type { Peer, Profile } from "./peer";
export { PeerCas, type PeerCasArgs } from "./peerCas";
export type { WaitOptions } from "./readiness";
export { RouterSecretAccess, type RouterSecretAccessArgs } from "./routerSecretAccess";
export { SpireFederationServer, type SpireFederationServerArgs } from "./spireFederationServer";
export type { DatastoreArgs, SpireServerSpecArgs, TolerationArgs, UpstreamAuthorityArgs } from "./spireServerSpec";
export type { Bootstrap } from "./stackBundle";
