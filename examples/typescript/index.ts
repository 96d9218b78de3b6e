/** Federates one cluster. */
import * as pulumi from "@pulumi/pulumi";
import { type FederationPeer, SpireFederation } from "spire-federation";

const config = new pulumi.Config();

const federation = new SpireFederation("federation", {
  context: config.require("context"),
  trustDomain: config.require("trustDomain"),
  peers: config.requireObject<FederationPeer[]>("peers"),
  issuer: { type: "acme" },
});

export const bundleEndpointUrl = federation.bundleEndpointUrl;
