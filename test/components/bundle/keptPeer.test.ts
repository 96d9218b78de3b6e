import {
  BUNDLE_ANNOTATION,
  bundleMark,
  CA_ANNOTATION,
  type TrustObject,
  type TrustSpec,
} from "../../../components/bundle/bundleMark";
import { keptPeer } from "../../../components/bundle/keptPeer";
import { OWNED } from "../../../components/shared/names";
import { federatedTrustDomainSpec, type Peer } from "../../../components/bundle/peer";
import { bundleFromCertificates } from "../../../components/bundle/trustBundle";
import { root } from "../issue";
import { peer, peerBundle, peerRoot } from "../given";

const jwks = JSON.stringify(peerBundle);
/** Those of the bundle, for a stack that takes first bundles from stacks: this one's publishes none any more. */
const roots = peerRoot.certificate.toString();

interface Made {
  name?: string;
  bundle?: string;
  annotations?: Record<string, string>;
  changed?: TrustSpec;
}

/** The object as the program has made it for a peer; `changed` is what somebody else has made of it since. */
function made(
  of: Peer,
  { name = "cluster2-federation", bundle = jwks, annotations = {}, changed = {} }: Made = {},
): TrustObject {
  const spec = { ...federatedTrustDomainSpec(of), trustDomainBundle: bundle };
  const marks = { ...OWNED, [BUNDLE_ANNOTATION]: bundleMark("a1b2/41", spec), ...annotations };
  return { metadata: { name, annotations: marks }, spec: { ...spec, ...changed } };
}

it("is the peer that the object was made for", () => {
  expect(keptPeer("cluster2", [made(peer)])).toEqual({ peer: { ...peer, roots } });
});

it("is found by the name that its object has", () => {
  const objects = [made(peer, { name: "to-cluster2" })];
  expect(keptPeer("cluster2", objects)).toBeUndefined();
  expect(keptPeer("cluster2", objects, "to-cluster2")).toEqual({ peer: { ...peer, roots } });
});

it("has the CA of its endpoint from the object", () => {
  const caCertificates = root("x").pem;
  const withCa = { ...peer, caCertificates };
  expect(keptPeer("cluster2", [made(withCa, { annotations: { [CA_ANNOTATION]: caCertificates } })])).toEqual({
    peer: { ...withCa, roots },
  });
});

it("has its SPIFFE ID, and the roots of the bundle, with https_spiffe", () => {
  const spiffe: Peer = {
    ...peer,
    profile: "https_spiffe",
    endpointSpiffeId: `spiffe://${peer.trustDomain}/spire/server`,
    caCertificates: peerRoot.pem,
  };
  expect(keptPeer("cluster2", [made(spiffe, { bundle: bundleFromCertificates([peerRoot.pem]) })])).toEqual({
    peer: { ...spiffe, caCertificates: peerRoot.certificate.toString() },
  });
});

it.each<[string, TrustObject[]]>([
  ["no object", []],
  ["another peer's object", [made(peer, { name: "cluster3-federation" })]],
  ["an object that somebody else has made", [{ ...made(peer), metadata: { name: "cluster2-federation" } }]],
])("is nobody where there is %s", (_, objects) => {
  expect(keptPeer("cluster2", objects)).toBeUndefined();
});

it.each<[string, TrustSpec]>([
  ["URL", { bundleEndpointURL: "https://elsewhere.example.com" }],
  ["trust domain", { trustDomain: "evil.example.com" }],
  ["bundle", { trustDomainBundle: '{"keys":[]}' }],
])("is not taken from an object whose %s somebody has changed", (_, changed) => {
  const kept = keptPeer("cluster2", [made(peer, { changed })]);
  expect(kept).toEqual({
    fault: expect.stringMatching(/cluster2-federation.*pulumi up for cluster2.*peers/) as string,
  });
});
