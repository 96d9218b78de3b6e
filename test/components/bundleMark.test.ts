import { BUNDLE_ANNOTATION, bundleMark, fetchOf } from "../../components/bundleMark";
import type { KubeObject } from "../../components/cluster";
import { federatedTrustDomainSpec } from "../../components/peer";
import { peer } from "./given";
import { clusterOf } from "./readers";

const NAME = "cluster2-federation";
const FETCH = "2026-11-24T12:00:00.000Z";
const asked = federatedTrustDomainSpec(peer);
const now = Date.parse("2026-11-25T00:00:00Z");

beforeAll(() => jest.useFakeTimers({ now }));
afterAll(() => jest.useRealTimers());

/** The object as the program made it, or as somebody has changed it since. */
function trust(
  changed: object = {},
  annotations: Record<string, string> = { [BUNDLE_ANNOTATION]: bundleMark(FETCH, "the bundle") },
): KubeObject {
  const spec = { ...asked, trustDomainBundle: "the bundle", ...changed };
  const object = { apiVersion: "spire.spiffe.io/v1alpha1", kind: "ClusterFederatedTrustDomain", spec };
  return { ...object, metadata: { name: NAME, annotations } };
}

it("is the one that the object was made with, as long as the object is as it was made", async () => {
  expect(await fetchOf(clusterOf(trust()), NAME, asked)).toBe(FETCH);
  expect(await fetchOf(clusterOf(trust({ whatTheApiServerAdds: true })), NAME, asked)).toBe(FETCH);
});

it.each<[string, KubeObject[]]>([
  ["is not there", []],
  ["has another URL", [trust({ bundleEndpointURL: "https://elsewhere.example.com" })]],
  ["has another profile", [trust({ bundleEndpointProfile: { type: "https_web", endpointSPIFFEID: "spiffe://x/y" } })]],
  ["has another class", [trust({ className: "other" })]],
  ["has another bundle", [trust({ trustDomainBundle: "another" })]],
  ["has no bundle", [trust({ trustDomainBundle: undefined })]],
  ["was made by somebody else", [trust({}, {})]],
])("is a new one when the object %s", async (_, objects) => {
  expect(await fetchOf(clusterOf(...objects), NAME, asked)).toBe(new Date(now).toISOString());
});
