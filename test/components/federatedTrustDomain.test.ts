import type { KubeObject } from "../../components/cluster/cluster";
import { FederatedTrustDomain, type FederatedTrustDomainArgs } from "../../components/federatedTrustDomain";
import { objectName } from "../../components/bundle/objectName";
import type { Peer } from "../../components/bundle/peer";
import { BUNDLE_ANNOTATION, type TrustObject, type TrustSpec } from "../../components/bundle/bundleMark";
import { fingerprintOf } from "../../components/bundle/jwtKey";
import { named, record, type RecordOptions, valueOf, type Seen } from "../mocks";
import { root, rootKey } from "./issue";
import { peer, peerBundle, peerRoot } from "./given";
import { asked, useEndpoints } from "./endpoints";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";
import { stops } from "./stops";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
jest.mock("../../components/bundle/bundleFetch", () => jest.requireActual<object>("./endpoints"));
jest.mock("../../components/shared/stopProgram", () => jest.requireActual<object>("./stops"));

beforeEach(() => {
  // A cluster that has no ClusterFederatedTrustDomain yet.
  useCluster(clusterOf());
  useEndpoints(() => peerBundle);
  stops.length = 0;
});

const spiffe: Peer = {
  ...peer,
  profile: "https_spiffe",
  endpointSpiffeId: `spiffe://${peer.trustDomain}/spire/server`,
  caCertificates: peerRoot.pem,
};

const made = (
  changed: Partial<Peer> = {},
  more: Partial<FederatedTrustDomainArgs> = {},
  options: RecordOptions = {},
): Promise<Seen[]> =>
  record(() => new FederatedTrustDomain("peer", { peer: { ...peer, ...changed }, ...more }), options);
const trust = (changed: Partial<Peer> = {}, rebootstrap = 0): Promise<Seen[]> => made(changed, { rebootstrap });

/** What SPIRE is given. */
const bundleIn = (seen: Seen[]): unknown => JSON.parse(specIn(seen).trustDomainBundle ?? "");
const specIn = (seen: Seen[]): TrustSpec => named(seen, "peer-trust").inputs["spec"] as TrustSpec;

it("makes the procedure's ClusterFederatedTrustDomain, with the whole bundle", async () => {
  const { inputs } = named(await trust(), "peer-trust");
  const { trustDomainBundle, ...spec } = inputs["spec"] as { trustDomainBundle: string };
  expect({ ...inputs, spec }).toEqual({
    apiVersion: "spire.spiffe.io/v1alpha1",
    kind: "ClusterFederatedTrustDomain",
    metadata: {
      name: "cluster2-federation",
      annotations: {
        "pulumi.com/skipAwait": "true",
        "pulumi.com/patchForce": "true",
        "spire-federation/beginning": "0",
        "spire-federation/bundle": expect.stringMatching(/^new\/20\S+Z sha256:[0-9a-f]{64}$/) as string,
      },
    },
    spec: {
      trustDomain: "apps.cluster2.example.com",
      bundleEndpointURL: "https://federation.apps.cluster2.example.com",
      bundleEndpointProfile: { type: "https_web" },
      className: "zero-trust-workload-identity-manager-spire",
    },
  });
  expect(JSON.parse(trustDomainBundle)).toEqual(peerBundle);
});

it("names the endpoint's SPIFFE ID with https_spiffe", async () => {
  expect(named(await trust(spiffe), "peer-trust").inputs["spec"]).toMatchObject({
    bundleEndpointProfile: { type: "https_spiffe", endpointSPIFFEID: `spiffe://${peer.trustDomain}/spire/server` },
  });
});

describe("the CA of the peer's endpoint", () => {
  const annotated = async (changed: Partial<Peer>): Promise<unknown> => {
    const { metadata } = named(await trust(changed), "peer-trust").inputs as { metadata: KubeObject["metadata"] };
    return metadata?.annotations?.["spire-federation/endpoint-ca"];
  };

  it("stands on the object, where it has one of its own", async () => {
    const caCertificates = root("x").pem;
    expect(await annotated({ caCertificates })).toBe(caCertificates);
  });

  it("is not written for https_spiffe, whose rotating roots would be a change each time", async () => {
    expect(await annotated(spiffe)).toBeUndefined();
  });
});

describe("the bundle", () => {
  const fingerprint = peerRoot.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  const other = root(peer.trustDomain);
  const otherBundle = { keys: [rootKey(other)] };

  it("is asked of the endpoint, with the peer's CA", async () => {
    const caCertificates = root("x").pem;
    expect(bundleIn(await trust({ caCertificates }))).toEqual(peerBundle);
    expect(asked).toMatchObject([{ bundleEndpointUrl: peer.bundleEndpointUrl, caCertificates }]);
  });

  it("is not known in a preview, which asks nobody", async () => {
    const seen = await made({}, {}, { preview: true });
    expect(specIn(seen).trustDomainBundle).toEqual({ __pulumiUnknown: true });
    expect(asked).toEqual([]);
  });

  it("is made of the published roots with https_spiffe, and the endpoint is not asked", async () => {
    expect(bundleIn(await trust(spiffe))).toEqual({ keys: peerBundle.keys });
    expect(asked).toEqual([]);
  });

  it("that is given is kept as it is, and the endpoint is not asked, whatever its profile", async () => {
    const bundle = JSON.stringify(peerBundle);
    for (const given of [{ bundle }, { ...spiffe, bundle }]) {
      expect(bundleIn(await trust({ ...given, fingerprints: [fingerprint] }))).toEqual(peerBundle);
    }
    expect(asked).toEqual([]);
  });

  it("is made of the roots that the peer's stack publishes, with bootstrap: stack", async () => {
    expect(bundleIn(await made({ roots: peerRoot.pem }, { bootstrap: "stack" }))).toEqual({ keys: peerBundle.keys });
    expect(asked).toEqual([]);
  });

  it.each<[string, Partial<Peer>, Partial<FederatedTrustDomainArgs>, object | Error, RegExp]>([
    [
      "given with a root that is not pinned",
      { bundle: JSON.stringify(peerBundle), fingerprints: ["00"] },
      {},
      {},
      /root sha256/,
    ],
    [
      "served with a root that is not pinned",
      { fingerprints: ["00"] },
      {},
      peerBundle,
      /^peer cluster2: what https:\S+ served must not be trusted: .*root sha256/,
    ],
    ["served with a key that was not approved", { approvedKeys: ["00"] }, {}, peerBundle, /approved plan: root sha256/],
    [
      "given with a root that was not approved, though it is pinned",
      { bundle: JSON.stringify(peerBundle), approvedKeys: ["00"], fingerprints: [fingerprint] },
      {},
      {},
      /approved plan: root sha256/,
    ],
    [
      "served with a root that was approved, and is not pinned",
      { approvedKeys: [fingerprint], fingerprints: ["00"] },
      {},
      peerBundle,
      /fingerprints lack keys of the bundle: root sha256/,
    ],
    ["no bundle", {}, {}, { keys: [] }, /^peer cluster2: what https:\S+ served must not be trusted: /],
    ["not served", {}, {}, new Error("refused"), /refused/],
    ["not published", {}, { bootstrap: "stack" }, {}, /stack "cluster2" publishes no bundle/],
    [
      "another trust domain's",
      { roots: root("evil.example.com").pem },
      { bootstrap: "stack" },
      {},
      /evil\.example\.com/,
    ],
  ])("that is %s makes nothing, and ends the program", async (_, changed, more, answer, message) => {
    useEndpoints(() => answer);
    const seen = await made(changed, more, { stalls: true });
    expect(seen.map(({ name }) => name)).toEqual(["peer"]);
    expect(stops).toEqual([expect.stringMatching(message)]);
  });

  it("replaces the ClusterFederatedTrustDomain when it is another: the controller ignores it in one that stays", async () => {
    expect(named(await trust(), "peer-trust")).toMatchObject({
      replaceOnChanges: ["spec.trustDomainBundle", 'metadata.annotations["spire-federation/bundle"]'],
      deleteBeforeReplace: true,
    });
  });

  describe("of an object that is there", () => {
    /** The object as the API server has it since the program has made it. */
    const live = async (changed: Partial<Peer> = {}, rebootstrap = 0): Promise<TrustObject> => {
      useCluster(clusterOf());
      useEndpoints(() => peerBundle);
      const inputs = named(await trust(changed, rebootstrap), "peer-trust").inputs as TrustObject;
      return { ...inputs, metadata: { ...inputs.metadata, uid: "a1b2", resourceVersion: "41" } };
    };
    const again = async (
      object: TrustObject,
      changed: Partial<Peer> = {},
      rebootstrap = 0,
      preview = false,
    ): Promise<Record<string, unknown>> => {
      useCluster(clusterOf(object));
      useEndpoints(() => otherBundle);
      return named(await made(changed, { rebootstrap }, { preview }), "peer-trust").inputs;
    };

    it("stays while nothing that it follows from is another, whatever the endpoint serves now, in a preview, too", async () => {
      const pinned = { fingerprints: [fingerprint] };
      for (const [changed, number] of [
        [{}, 0],
        [pinned, 2],
      ] as const) {
        const object = await live(changed, number);
        for (const preview of [true, false]) {
          // What was approved for another run is no other beginning.
          const inputs = await again(object, { ...changed, approvedKeys: ["00"] }, number, preview);
          expect(inputs["spec"]).toEqual(object.spec);
          expect(inputs["metadata"]).toMatchObject({ annotations: object.metadata?.annotations });
          expect(asked).toEqual([]);
        }
      }
    });

    it.each<[string, Partial<Peer>, number, (object: TrustObject) => TrustObject]>([
      ["the number is another", {}, 1, (object) => object],
      ["the pins are others", { fingerprints: [fingerprintOf(other.certificate.raw)] }, 0, (object) => object],
      ["the URL is another", { bundleEndpointUrl: "https://elsewhere.example.com" }, 0, (object) => object],
      ["somebody has changed it", {}, 0, (object) => ({ ...object, spec: { ...object.spec, className: "x" } })],
    ])("is fetched anew when %s", async (_, changed, number, edit) => {
      const object = edit(await live());
      const inputs = await again(object, changed, number);
      expect(JSON.parse((inputs["spec"] as TrustSpec).trustDomainBundle ?? "")).toEqual(otherBundle);
      expect((inputs["metadata"] as TrustObject["metadata"])?.annotations?.[BUNDLE_ANNOTATION]).toMatch(/^a1b2\/41 /);
      expect(asked).toHaveLength(1);
    });
  });
});

describe("the outputs", () => {
  it("tell the roots' fingerprints and the trust domain", async () => {
    await record(async () => {
      const component = new FederatedTrustDomain("peer", { peer });
      const sha256 = peerRoot.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
      expect(await valueOf(component.fingerprints)).toEqual([sha256]);
      expect(await valueOf(component.trustDomain)).toBe(peer.trustDomain);
    });
  });

  it("tell the roots themselves, in a preview, too, where the peer's stack publishes them", async () => {
    const rootsOf = (of: Peer): Promise<string[]> => valueOf(new FederatedTrustDomain("peer", { peer: of }).roots);
    await record(async () => {
      expect(await rootsOf(peer)).toEqual([peerRoot.pem]);
    });
    await record(
      async () => {
        expect((await rootsOf(spiffe)).map((pem) => pem.trim())).toEqual([peerRoot.pem.trim()]);
      },
      { preview: true },
    );
    await record(
      async () => {
        const published = { ...peer, roots: peerRoot.pem };
        const { roots } = new FederatedTrustDomain("peer", { peer: published, bootstrap: "stack" });
        expect(await valueOf(roots)).toEqual([peerRoot.pem]);
      },
      { preview: true },
    );
  });
});

it("makes nothing beside somebody else's object for the same trust domain, and names it", async () => {
  useCluster(
    clusterOf({
      apiVersion: "spire.spiffe.io/v1alpha1",
      kind: "ClusterFederatedTrustDomain",
      metadata: { name: "to-cluster2" },
      ...{ spec: { trustDomain: peer.trustDomain, className: "zero-trust-workload-identity-manager-spire" } },
    }),
  );
  stops.splice(0);
  const seen = await record(() => new FederatedTrustDomain("peer", { peer }), { stalls: true });
  useCluster(clusterOf());
  expect(seen.map(({ name }) => name)).not.toContain("peer-trust");
  expect(stops.splice(0)).toEqual([expect.stringContaining("to-cluster2")]);
});

it("refuses a peer that cannot be used, and fetches nothing", async () => {
  const seen = await record(() => {
    const wrong = { ...peer, trustDomain: "A", bundleEndpointUrl: "http://x" };
    expect(() => new FederatedTrustDomain("peer", { peer: wrong })).toThrow(
      /peer\.trustDomain: .*\n.*peer\.bundleEndpointUrl: /,
    );
  });
  expect(seen.map(({ name }) => name)).toEqual(["peer"]);
});

describe("the object's name", () => {
  it("is the procedure's for a plain stack name", () => {
    expect(objectName("cluster2")).toBe("cluster2-federation");
  });

  it("is a Kubernetes name, and another one, for every other stack name", () => {
    const stacks = ["acme/spire/prod", "acme2/spire/prod", "Prod", "prod", "pro_d", "x".repeat(300), "___"];
    const names = stacks.map((stack) => objectName(stack));
    expect(new Set(names).size).toBe(stacks.length);
    expect(names.filter((name) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) || name.length > 253)).toEqual([]);
    expect(names[0]).toMatch(/^peer-prod-[0-9a-f]{8}-federation$/);
  });
});
