/** The five components and what they are described with. `connect` (connect.ts) is apart: it loads a client. */
export * from "./arguments";
export * from "./bundleEndpoint";
export * from "./certManagerInstall";
export * from "./cluster";
export * from "./federatedTrustDomain";
export * from "./federationCertificate";
export * from "./federationRoute";
export * from "./inspectCertManager";
export * from "./issuer";
export * from "./names";
export * from "./peer";
export * from "./peerCas";
export * from "./problem";
export * from "./readiness";
export * from "./routerSecretAccess";
export * from "./spireFederationServer";
export * from "./spireServerSpec";
