import * as pulumi from "@pulumi/pulumi";
import {
  BEGINNING_ANNOTATION,
  BUNDLE_ANNOTATION,
  bundleMark,
  bundleSource,
  type TrustObject,
} from "../../../components/bundle/bundleMark";
import { federatedTrustDomainSpec } from "../../../components/bundle/peer";
import { record } from "../../mocks";
import { peer } from "../given";
import { clusterOf } from "../readers";

const NAME = "cluster2-federation";
const FETCH = "3f0c/7";
const BEGAN = "0";
const asked = federatedTrustDomainSpec(peer);
const made = { ...asked, trustDomainBundle: "the bundle" };

const marked = (fetch: string, began = BEGAN): Record<string, string> => ({
  [BUNDLE_ANNOTATION]: bundleMark(fetch, made, began),
  [BEGINNING_ANNOTATION]: began,
});

/** The object as the program made it, or as somebody has changed it since. */
function trust(
  changed: object = {},
  annotations: Record<string, string> = marked(FETCH),
  resourceVersion = "41",
): TrustObject {
  const object = { apiVersion: "spire.spiffe.io/v1alpha1", kind: "ClusterFederatedTrustDomain" };
  return {
    ...object,
    spec: { ...made, ...changed },
    metadata: { name: NAME, uid: "a1b2", resourceVersion, annotations },
  };
}

const sourceOf = (...objects: TrustObject[]): ReturnType<typeof bundleSource> =>
  bundleSource(clusterOf(...objects), NAME, asked, BEGAN);

it("is the one that the object was made with, as long as the object is as it was made; its bundle stays", async () => {
  expect(await sourceOf(trust())).toEqual({ fetch: FETCH, held: made.trustDomainBundle });
  expect(await sourceOf(trust({ whatTheApiServerAdds: true }))).toMatchObject({ fetch: FETCH });
});

it.each<[string, TrustObject]>([
  ["has another URL", trust({ bundleEndpointURL: "https://elsewhere.example.com" })],
  ["has another profile", trust({ bundleEndpointProfile: { type: "https_web", endpointSPIFFEID: "spiffe://x/y" } })],
  ["has another class", trust({ className: "other" })],
  ["has another bundle", trust({ trustDomainBundle: "another" })],
  ["has no bundle", trust({ trustDomainBundle: undefined })],
  ["was made by somebody else", trust({}, {})],
  ["began with another number or other pins", trust({}, marked(FETCH, "1 ab12"))],
  ["says another number than it was made with", trust({}, { ...marked(FETCH, "1"), [BEGINNING_ANNOTATION]: BEGAN })],
])("follows from the object's version when the object %s", async (_, object) => {
  expect(await sourceOf(object)).toEqual({ fetch: "a1b2/41" });
});

it("is another one when the same change is made a second time", async () => {
  const edited = { trustDomainBundle: "another" };
  const again = marked("a1b2/41");
  expect(await sourceOf(trust({}, again, "42"))).toMatchObject({ fetch: "a1b2/41" });
  expect(await sourceOf(trust(edited, again, "43"))).toEqual({ fetch: "a1b2/43" });
});

describe("where there is no object", () => {
  const known = async (preview: boolean): Promise<unknown> => {
    const inputs: unknown[] = [];
    await record(
      async () => {
        const fetch = pulumi.output((await sourceOf()).fetch);
        inputs.push((await pulumi.runtime.serializeProperties("test", { fetch }))["fetch"]);
      },
      { preview },
    );
    return inputs[0];
  };

  it("is unknown in a preview, so that a saved plan accepts any", async () => {
    expect(await known(true)).toBe(pulumi.runtime.unknownValue);
  });

  it("is a new one in an up", async () => {
    expect(await known(false)).toMatch(/^new\/20\S+Z$/);
  });
});
