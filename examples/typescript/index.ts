/** Federates one cluster with the components of spire-federation, in the order of the procedure. */
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
  CertManagerInstall,
  FederatedTrustDomain,
  FederationCertificate,
  type Peer,
  RouterSecretAccess,
  SpireFederationServer,
} from "spire-federation";

const config = new pulumi.Config();
const context = config.require("context");
const trustDomain = config.require("trustDomain");
const peers = config.requireObject<Peer[]>("peers");
const host = `federation.${trustDomain}`;

const provider = new kubernetes.Provider("cluster", { context, clusterIdentifier: trustDomain });

const certManager = new CertManagerInstall("cert-manager", { context }, { provider });
const certificate = new FederationCertificate(
  "certificate",
  { context, host, issuer: { type: "acme" } },
  { provider, dependsOn: certManager.ready },
);
// The router may read the certificate before there is a Route that refers to it.
const routerAccess = new RouterSecretAccess("router-access", { context }, { provider, dependsOn: certificate.ready });

// SPIRE has the bundle of a peer before the SpireServer lists it.
const trust = peers.map(
  (peer) => new FederatedTrustDomain(peer.stack, { context, peer }, { provider, dependsOn: routerAccess }),
);
const server = new SpireFederationServer(
  "spire-server",
  { context, trustDomain, host, servingCert: {}, federatesWith: peers },
  { provider, dependsOn: [routerAccess, ...trust] },
);

export const bundleEndpointUrl = server.bundleEndpointUrl;
