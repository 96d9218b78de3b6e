import { classOfTheOperator, endpointIsHttps, noSelfFederation, onePeerPerTrustDomain } from "../../policy/trust";
import { object, testRule } from "./cases";

const OWN = "apps.cluster1.example.com";
const PEER = "apps.cluster2.example.com";
const spec = {
  trustDomain: PEER,
  bundleEndpointURL: `https://federation.${PEER}`,
  bundleEndpointProfile: { type: "https_web" },
  className: "zero-trust-workload-identity-manager-spire",
};
const trust = (changed: object = {}, options = {}) =>
  object(
    "spire.spiffe.io/v1alpha1",
    "ClusterFederatedTrustDomain",
    { spec: { ...spec, ...changed } },
    { name: "cluster2-federation", ...options },
  );
const entry = {
  trustDomain: PEER,
  bundleEndpointUrl: `https://federation.${PEER}`,
  bundleEndpointProfile: "https_web",
};
const server = (federatesWith: object[], options = {}) =>
  object("operator.openshift.io/v1alpha1", "SpireServerPatch", { spec: { federation: { federatesWith } } }, options);

testRule(endpointIsHttps, {
  passes: {
    "the procedure's": [trust(), server([entry])],
    "another port and path": [trust({ bundleEndpointURL: "https://spire.example.org:8443/bundle" })],
  },
  refuses: {
    http: [
      [trust({ bundleEndpointURL: `http://federation.${PEER}` })],
      'spec.bundleEndpointURL: "http://federation.apps.cluster2.example.com" is not an https URL of host, port and path; expected one like https://federation.apps.cluster1.example.com, without user, query and fragment',
    ],
    "an address, in the list of the SpireServer": [
      [server([entry, { ...entry, bundleEndpointUrl: "https://192.0.2.1:8443" }])],
      'spec.federation.federatesWith[1].bundleEndpointUrl: "https://192.0.2.1:8443" has no host name; it is one like https://federation.apps.cluster1.example.com',
    ],
    "a name that only one network knows": [
      [trust({ bundleEndpointURL: "https://spire" })],
      'spec.bundleEndpointURL: "https://spire" has no host name; it is one like https://federation.apps.cluster1.example.com',
    ],
  },
  nearMisses: {
    "digits in the name": [trust({ bundleEndpointURL: "https://1.2.3.4.example.com" })],
    "another object with a URL": [
      object("example.com/v1", "ClusterFederatedTrustDomain", { spec: { bundleEndpointURL: "http://a" } }),
    ],
  },
});

testRule(classOfTheOperator, {
  passes: { "the procedure's": [trust()] },
  refuses: {
    none: [
      [trust({ className: undefined })],
      "spec.className: is not set, so that SPIRE ignores the object; it is zero-trust-workload-identity-manager-spire",
    ],
    "the one of SPIRE's Helm chart": [
      [trust({ className: "spire-mgmt-spire" })],
      'spec.className: is "spire-mgmt-spire", so that SPIRE ignores the object; it is zero-trust-workload-identity-manager-spire',
    ],
  },
  nearMisses: {
    "a ClusterSPIFFEID without one": [object("spire.spiffe.io/v1alpha1", "ClusterSPIFFEID", { spec: {} })],
  },
});

const ztwim = object("operator.openshift.io/v1alpha1", "ZeroTrustWorkloadIdentityManager", {
  spec: { trustDomain: OWN },
});
const certificate = object("cert-manager.io/v1", "Certificate", { spec: { dnsNames: [`federation.${OWN}`] } });
const route = object("route.openshift.io/v1", "Route", {
  spec: { host: "spire.example.com", to: { name: "spire-server" } },
});

testRule(noSelfFederation, {
  passes: { "a peer": [ztwim, certificate, route, trust({}, { clusterIdentifier: OWN }), server([entry])] },
  refuses: {
    "the trust domain by which the provider knows the cluster": [
      [trust({ trustDomain: OWN }, { clusterIdentifier: OWN })],
      `spec.trustDomain: "${OWN}" is this cluster's own trust domain; name a peer's`,
    ],
    "the operator's trust domain": [
      [ztwim, server([entry, { ...entry, trustDomain: OWN }])],
      `spec.federation.federatesWith[1].trustDomain: "${OWN}" is this cluster's own trust domain; name a peer's`,
    ],
    "the host of the own certificate": [
      [certificate, trust({ bundleEndpointURL: `https://federation.${OWN}` })],
      `spec.bundleEndpointURL: "https://federation.${OWN}" is this cluster's own bundle endpoint; name a peer's`,
    ],
    "the host of the own Route": [
      [route, trust({ bundleEndpointURL: "https://spire.example.com/" })],
      "spec.bundleEndpointURL: \"https://spire.example.com/\" is this cluster's own bundle endpoint; name a peer's",
    ],
  },
  nearMisses: {
    "two clusters of one program that trust each other": [
      trust({}, { cluster: "cluster1", clusterIdentifier: OWN }),
      trust({ trustDomain: OWN }, { cluster: "cluster2", clusterIdentifier: PEER }),
    ],
    "a trust domain below the own one": [ztwim, trust({ trustDomain: `two.${OWN}` })],
    "a Route of something else": [
      object("route.openshift.io/v1", "Route", { spec: { host: `federation.${PEER}`, to: { name: "console" } } }),
      trust(),
    ],
  },
});

testRule(onePeerPerTrustDomain, {
  passes: {
    "peers with a trust domain each": [
      trust(),
      trust({ trustDomain: "apps.cluster3.example.com" }, { name: "cluster3-federation" }),
      server([entry, { ...entry, trustDomain: "apps.cluster3.example.com" }]),
    ],
  },
  refuses: {
    "two objects": [
      [trust(), trust({}, { name: "other-federation" })],
      `spec.trustDomain: "${PEER}" is the trust domain of cluster2-federation already, and only one bundle would be kept; each peer has its own`,
    ],
    "two entries of the SpireServer": [
      [server([entry, { ...entry, bundleEndpointUrl: "https://other.example.com" }])],
      `spec.federation.federatesWith[1].trustDomain: "${PEER}" is the trust domain of spec.federation.federatesWith[0] already, and only one bundle would be kept; each peer has its own`,
    ],
  },
  nearMisses: {
    "the same peer in the SpireServer's list": [trust(), server([entry])],
    "the same peer of two clusters": [trust({}, { cluster: "cluster1" }), trust({}, { cluster: "cluster3" })],
  },
});
