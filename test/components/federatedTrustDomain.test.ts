import type { KubeObject } from "../../components/cluster/cluster";
import { FederatedTrustDomain, objectName, readBundle } from "../../components/federatedTrustDomain";
import type { Peer } from "../../components/bundle/peer";
import { bundleFromCertificates, type TrustBundle } from "../../components/bundle/trustBundle";
import { named, record, valueOf, type Seen } from "../mocks";
import { root } from "./certificates";
import { answering, peer, peerBundle, peerRoot } from "./given";
import { useCluster } from "./openedCluster";
import { clusterOf } from "./readers";
import { stops } from "./stops";

jest.mock("../../components/cluster/openCluster", () => jest.requireActual<object>("./openedCluster"));
jest.mock("../../components/shared/stopProgram", () => jest.requireActual<object>("./stops"));

// A cluster that has no ClusterFederatedTrustDomain yet.
useCluster(clusterOf());

const spiffe: Peer = {
  ...peer,
  profile: "https_spiffe",
  endpointSpiffeId: `spiffe://${peer.trustDomain}/spire/server`,
  caCertificates: peerRoot.pem,
};

const trust = (changed: Partial<Peer> = {}, rebootstrap?: number): Promise<Seen[]> =>
  record(
    () => new FederatedTrustDomain("peer", { peer: { ...peer, ...changed }, ...(rebootstrap && { rebootstrap }) }),
    answering,
  );

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
  it("is fetched with curl through the environment alone, and never again but for its triggers", async () => {
    const caCertificates = root("x").pem;
    const fetched = named(await trust({ caCertificates }), "peer-bundle");
    expect(fetched.inputs).toMatchObject({
      create: "sh -s",
      environment: {
        BUNDLE_URL: peer.bundleEndpointUrl,
        BUNDLE_TRUST_DOMAIN: peer.trustDomain,
        BUNDLE_CA: caCertificates,
        BUNDLE_SECONDS: "60",
      },
      triggers: [peer.bundleEndpointUrl, "https_web", peer.trustDomain, 0, expect.stringMatching(/^new/)],
    });
    // Whatever is not a trigger is ignored: an edited script or a renewed CA changes nothing.
    const others = Object.keys(fetched.inputs).filter((name) => name !== "triggers");
    expect([...fetched.ignoreChanges].sort()).toEqual(others.sort());
  });

  it("is made of the published roots with https_spiffe, under the same triggers", async () => {
    const kept = named(await trust(spiffe, 3), "peer-bundle");
    expect(kept.inputs).toMatchObject({
      create: "date +%s && cat",
      triggers: [peer.bundleEndpointUrl, "https_spiffe", peer.trustDomain, 3, expect.stringMatching(/^new/)],
    });
    const { jwks, fingerprints } = accepted(
      `${Math.floor(Date.now() / 1000)}\n${kept.inputs["stdin"] as string}`,
      peer,
    );
    expect((JSON.parse(jwks) as { keys: unknown[] }).keys).toEqual(peerBundle.keys);
    expect(fingerprints).toHaveLength(1);
  });

  const fingerprint = peerRoot.certificate.fingerprint256.replaceAll(":", "").toLowerCase();

  describe("that is given", () => {
    const bundle = JSON.stringify(peerBundle);
    const commandOf = (seen: Seen[]): unknown => named(seen, "peer-bundle").inputs;

    it("is kept as it is, and the endpoint is not asked, whatever its profile", async () => {
      for (const given of [{ bundle }, { ...spiffe, bundle }]) {
        const command = commandOf(await trust(given)) as { stdin: string };
        expect(command).toMatchObject({ create: "date +%s && cat", environment: {} });
        expect(JSON.parse(command.stdin)).toEqual(peerBundle);
      }
    });

    it("is refused by the run with a root that is not pinned", async () => {
      expect(commandOf(await trust({ bundle, fingerprints: [fingerprint] }))).toMatchObject({
        create: "date +%s && cat",
      });
      const stale = { outputs: (): Record<string, unknown> => ({ stdout: `0\n${JSON.stringify(peerBundle)}` }) };
      const run = (fingerprints: string[]): Promise<Seen[]> =>
        record(() => new FederatedTrustDomain("peer", { peer: { ...peer, bundle, fingerprints } }), {
          ...stale,
          stalls: true,
        });
      expect(commandOf(await run(["00"]))).toMatchObject({
        create: "cat >&2; exit 1",
        stdin: expect.stringContaining(`do not have root sha256 ${fingerprint}`) as string,
      });
      stops.length = 0;
    });
  });

  it("of an endpoint is refused with a root that is not pinned, and the error shows it", () => {
    const stdout = `${Math.floor(Date.now() / 1000)}\n${JSON.stringify(peerBundle)}`;
    expect(readBundle(stdout, { ...peer, fingerprints: [fingerprint] })).toMatchObject({ fingerprints: [fingerprint] });
    expect(readBundle(stdout, { ...peer, fingerprints: ["00"] })).toMatch(
      new RegExp(`^peer cluster2: what https://\\S+ served must not be trusted: .*root sha256 ${fingerprint} `),
    );
  });

  it("is fetched again for other pins: the one that is kept may be older", async () => {
    const triggersOf = async (changed: Partial<Peer>): Promise<unknown[]> =>
      (named(await trust(changed), "peer-bundle").inputs as { triggers: unknown[] }).triggers.slice(5);
    expect(await triggersOf({})).toEqual([]);
    expect(await triggersOf({ fingerprints: [fingerprint] })).toEqual([[fingerprint]]);
  });

  describe("with bootstrap: stack", () => {
    const bootstrapped = async (changed: Partial<Peer>): Promise<Seen> =>
      named(
        await record(
          () => new FederatedTrustDomain("peer", { peer: { ...peer, ...changed }, bootstrap: "stack" }),
          answering,
        ),
        "peer-bundle",
      );

    it("is made of the roots that the peer's stack publishes, and the endpoint is not asked", async () => {
      const kept = await bootstrapped({ roots: peerRoot.pem });
      expect(kept.inputs).toMatchObject({ create: "date +%s && cat", environment: {} });
      const { jwks } = accepted(`${Math.floor(Date.now() / 1000)}\n${kept.inputs["stdin"] as string}`, peer);
      expect((JSON.parse(jwks) as { keys: unknown[] }).keys).toEqual(peerBundle.keys);
    });

    it("has the triggers that it has without: a changed bootstrap takes no new bundle", async () => {
      const [kept, fetched] = [await bootstrapped({ roots: peerRoot.pem }), named(await trust(), "peer-bundle")];
      const triggersOf = ({ inputs }: Seen): unknown[] => (inputs["triggers"] as unknown[]).slice(0, -1);
      expect(triggersOf(kept)).toEqual(triggersOf(fetched));
      expect(kept.ignoreChanges).toEqual(fetched.ignoreChanges);
    });

    it.each<[string, Partial<Peer>, RegExp]>([
      ["publishes none", {}, /^stack "cluster2" publishes no bundle/],
      ["publishes another trust domain's", { roots: root("evil.example.com").pem }, /evil\.example\.com/],
    ])("fails where the peer's stack %s, so that the next up tries again", async (_, changed, message) => {
      const { inputs } = await bootstrapped(changed);
      expect(inputs["create"]).toBe("cat >&2; exit 1");
      expect(inputs["stdin"]).toMatch(message);
    });
  });

  it("replaces the ClusterFederatedTrustDomain when it is another: the controller ignores it in one that stays", async () => {
    expect(named(await trust(), "peer-trust")).toMatchObject({
      replaceOnChanges: ["spec.trustDomainBundle", 'metadata.annotations["spire-federation/bundle"]'],
      deleteBeforeReplace: true,
      dependencies: ["peer-bundle"],
    });
  });

  it("is judged at the time of its fetch, so that one kept for weeks is still accepted", () => {
    const hour = 3600 * 1000;
    const [from, to] = [new Date(Date.now() - 48 * hour), new Date(Date.now() - 24 * hour)];
    const old = root(peer.trustDomain, { notBefore: from, notAfter: to });
    const text = (at: Date): string =>
      `${Math.floor(at.getTime() / 1000)}\n${JSON.stringify({ keys: [{ ...keyOf(old.pem) }] })}`;
    expect(accepted(text(new Date(from.getTime() + hour)), peer).fingerprints).toHaveLength(1);
    expect(readBundle(text(new Date()), peer)).toMatch("no root that is valid");
  });

  it("is refused with all reasons, the peer's name and the way out", () => {
    const other = { keys: [{ ...keyOf(root("evil.example.com").pem), d: "x" }] };
    expect(readBundle(`1795511343\n${JSON.stringify(other)}`, peer)).toMatch(
      /^peer cluster2: .*https:\/\/federation\.apps\.cluster2\.example\.com.*private key.*evil\.example\.com.*rebootstrap/s,
    );
    expect(readBundle(JSON.stringify(peerBundle), peer)).toMatch("its time is missing");
  });
});

it("an https_spiffe peer's object says with which number and pins it was made, and others do not", async () => {
  const annotations = async (changed: Partial<Peer>, number?: number): Promise<unknown> =>
    (named(await trust(changed, number), "peer-trust").inputs["metadata"] as { annotations: unknown }).annotations;
  expect(await annotations(spiffe)).toHaveProperty("spire-federation/beginning", "0");
  const pinned = { ...spiffe, fingerprints: [peerRoot.certificate.fingerprint256.replaceAll(":", "").toLowerCase()] };
  expect(await annotations(pinned, 2)).toHaveProperty(
    "spire-federation/beginning",
    `2 ${pinned.fingerprints[0] ?? ""}`,
  );
  expect(await annotations(spiffe, 3)).toHaveProperty("spire-federation/beginning", "3");
  expect(await annotations({}, 3)).not.toHaveProperty("spire-federation/beginning");
});

describe("the outputs", () => {
  it("tell the roots' fingerprints and the trust domain", async () => {
    await record(async () => {
      const component = new FederatedTrustDomain("peer", { peer });
      const sha256 = peerRoot.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
      expect(await valueOf(component.fingerprints)).toEqual([sha256]);
      expect(await valueOf(component.trustDomain)).toBe(peer.trustDomain);
    }, answering);
  });

  it("tell the roots themselves, in a preview, too, where the peer's stack publishes them", async () => {
    const rootsOf = (of: Peer): Promise<string[]> => valueOf(new FederatedTrustDomain("peer", { peer: of }).roots);
    await record(async () => {
      expect(await rootsOf(peer)).toEqual([peerRoot.pem]);
    }, answering);
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

it("makes nothing of a bundle that must not be trusted, and ends the program", async () => {
  const stdout = `${Math.floor(Date.now() / 1000)}\n{"keys":[]}`;
  const seen = await record(() => new FederatedTrustDomain("peer", { peer }), {
    outputs: () => ({ stdout }),
    stalls: true,
  });
  expect(seen.map(({ name }) => name)).toEqual(["peer", "peer-bundle"]);
  expect(stops).toEqual([expect.stringMatching(/^peer cluster2: what https:.* served must not be trusted: /)]);
});

it("says of a new peer that --target leaves out what to do", () => {
  expect(readBundle(undefined, peer)).toMatch(
    /peer cluster2: .*not among the targets; add --target '\*\*cluster2\*\*'/,
  );
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
  const seen = await record(() => new FederatedTrustDomain("peer", { peer }), { ...answering, stalls: true });
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

function accepted(stdout: string, of: Peer): TrustBundle {
  const bundle = readBundle(stdout, of);
  if (typeof bundle === "string") throw new Error(bundle);
  return bundle;
}

function keyOf(pem: string): Record<string, unknown> {
  return (JSON.parse(bundleFromCertificates([pem])) as { keys: Record<string, unknown>[] }).keys[0] ?? {};
}
