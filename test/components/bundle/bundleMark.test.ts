import * as pulumi from "@pulumi/pulumi";
import { BUNDLE_ANNOTATION, bundleMark, fetchOf, type TrustObject } from "../../../components/bundle/bundleMark";
import { federatedTrustDomainSpec } from "../../../components/bundle/peer";
import { record } from "../../mocks";
import { peer } from "../given";
import { clusterOf } from "../readers";

const NAME = "cluster2-federation";
const FETCH = "3f0c/7";
/** How releases before named it. */
const OLD_FETCH = "2026-11-24T12:00:00.000Z";
const asked = federatedTrustDomainSpec(peer);
const made = { ...asked, trustDomainBundle: "the bundle" };

/** The object as the program made it, or as somebody has changed it since. */
function trust(
  changed: object = {},
  annotations: Record<string, string> = { [BUNDLE_ANNOTATION]: bundleMark(FETCH, made) },
  resourceVersion = "41",
): TrustObject {
  const object = { apiVersion: "spire.spiffe.io/v1alpha1", kind: "ClusterFederatedTrustDomain" };
  return {
    ...object,
    spec: { ...made, ...changed },
    metadata: { name: NAME, uid: "a1b2", resourceVersion, annotations },
  };
}

it("is the one that the object was made with, as long as the object is as it was made", async () => {
  expect(await fetchOf(clusterOf(trust()), NAME, asked)).toBe(FETCH);
  expect(await fetchOf(clusterOf(trust({ whatTheApiServerAdds: true })), NAME, asked)).toBe(FETCH);
});

it("is that of an earlier release, whose mark covers the bundle alone", async () => {
  const sha256 = "bab59f2948216e8ff89b7fc8655f94db6143a00897c68860d3bcf0ff9c2e5212";
  const old = { [BUNDLE_ANNOTATION]: `${OLD_FETCH} sha256:${sha256}` };
  expect(await fetchOf(clusterOf(trust({}, old)), NAME, asked)).toBe(OLD_FETCH);
});

it.each<[string, TrustObject]>([
  ["has another URL", trust({ bundleEndpointURL: "https://elsewhere.example.com" })],
  ["has another profile", trust({ bundleEndpointProfile: { type: "https_web", endpointSPIFFEID: "spiffe://x/y" } })],
  ["has another class", trust({ className: "other" })],
  ["has another bundle", trust({ trustDomainBundle: "another" })],
  ["has no bundle", trust({ trustDomainBundle: undefined })],
  ["was made by somebody else", trust({}, {})],
])("follows from the object's version when the object %s", async (_, object) => {
  expect(await fetchOf(clusterOf(object), NAME, asked)).toBe("a1b2/41");
});

it("is another one when the same change is made a second time", async () => {
  const edited = { trustDomainBundle: "another" };
  const marked = { [BUNDLE_ANNOTATION]: bundleMark("a1b2/41", made) };
  expect(await fetchOf(clusterOf(trust({}, marked, "42")), NAME, asked)).toBe("a1b2/41");
  expect(await fetchOf(clusterOf(trust(edited, marked, "43")), NAME, asked)).toBe("a1b2/43");
});

describe("where there is no object", () => {
  const known = async (preview: boolean): Promise<unknown> => {
    const inputs: unknown[] = [];
    await record(
      async () => {
        const fetch = pulumi.output(await fetchOf(clusterOf(), NAME, asked));
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
