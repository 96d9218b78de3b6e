/** The components that programs in other languages can use. */
export { CertManagerInstall } from "../components/certManagerInstall";
export { FederatedTrustDomain } from "../components/federatedTrustDomain";
export { FederationCertificate } from "../components/federationCertificate";
export { PeerCas } from "../components/peerCas";
export { RouterSecretAccess } from "../components/routerSecretAccess";
export { SpireFederation } from "../components/spireFederation";
export { SpireFederationServer } from "../components/spireFederationServer";
