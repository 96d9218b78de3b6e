import { foreignFederation, type FederatedServer } from "../../../components/spireServer/foreignFederation";
import { renderBundleEndpoint } from "../../../components/spireServer/bundleEndpoint";
import { federationSpec } from "../../../components/spireServer/federationSpec";
import type { Peer } from "../../../components/bundle/peer";
import type { TrustObject } from "../../../components/bundle/bundleMark";
import { OWNED } from "../../../components/shared/names";
import { peer } from "../given";

const PARTNER: Peer = {
  stack: "partner",
  trustDomain: "partner.example.org",
  bundleEndpointUrl: "https://spire.partner.example.org",
  profile: "https_web",
};
const asked = (peers: readonly Peer[] = [peer], refreshHint = 300) =>
  federationSpec(renderBundleEndpoint({ servingCert: {}, refreshHint }, "host"), peers);

const fieldsOf = (value: unknown): object =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [`f:${key}`, fieldsOf(part)]))
    : {};

/** The live SpireServer, and who has set which part of its federation. */
const liveWith = (federation: object, sets: Record<string, object> = { kubectl: federation }): FederatedServer => ({
  spec: { federation },
  metadata: {
    name: "cluster",
    managedFields: Object.entries(sets).map(([manager, part]) => ({
      manager,
      fieldsV1: { "f:spec": { "f:federation": fieldsOf(part) } },
    })),
  },
});

const marked = (trustDomain: string): TrustObject => ({
  metadata: { name: "x", annotations: { ...OWNED, "spire-federation/bundle": "mark" } },
  spec: { trustDomain },
});

const pathsOf = (live: FederatedServer | undefined, spec = asked(), trust: TrustObject[] = []): string[] =>
  foreignFederation(spec, live, trust).map(({ path }) => path);

describe("a federation that was made by hand", () => {
  it("is foreign in each value that would be another one, with who has set it", () => {
    const { bundleEndpoint } = federationSpec(
      renderBundleEndpoint({ servingCert: { externalSecretRef: "hand-made-tls" }, refreshHint: 60 }, "host"),
      [],
    );
    const live = liveWith({ ...asked([peer, PARTNER]), bundleEndpoint, managedRoute: "false" });
    const found = foreignFederation(asked(), live, []);
    expect(found.map(({ path, by }) => [path, by])).toEqual([
      ["bundleEndpoint.refreshHint", ["kubectl"]],
      ["bundleEndpoint.httpsWeb.servingCert.externalSecretRef", ["kubectl"]],
      ["managedRoute", ["kubectl"]],
      ["federatesWith", ["kubectl"]],
    ]);
    expect(found[3]?.found).toContain("partner.example.org");
  });

  it("is not, where the stack asks for the same", () => {
    expect(pathsOf(liveWith(asked([peer, PARTNER])), asked([PARTNER, peer]))).toEqual([]);
  });

  it("keeps its list where the stack has none, and its defaults are nobody's choice", () => {
    expect(pathsOf(liveWith(asked([PARTNER])), asked([]))).toEqual([]);
    expect(pathsOf(liveWith(asked([]), {}), asked([], 60))).toEqual([]);
  });

  it("has an entry for a peer of the stack that says something else", () => {
    const elsewhere = { ...peer, bundleEndpointUrl: "https://elsewhere.example.org" };
    expect(pathsOf(liveWith(asked([elsewhere])))).toEqual(["federatesWith"]);
  });
});

describe("a federation of the stack", () => {
  const own = asked();
  const rest = asked([]);

  it("is changed, and loses a peer that the config no longer names", () => {
    const live = liveWith(asked([peer, PARTNER]), { "spire-federation": asked([peer, PARTNER]) });
    expect(pathsOf(live, asked([peer], 60))).toEqual([]);
  });

  it("is put right where somebody has changed its values, or taken a peer out", () => {
    const changed = { ...own, managedRoute: "false", federatesWith: [] };
    const live = liveWith(changed, {
      "spire-federation": { bundleEndpoint: rest.bundleEndpoint },
      kubectl: { managedRoute: "false", federatesWith: [] },
    });
    expect(pathsOf(live)).toEqual([]);
  });

  it("keeps a partner that somebody has added to the list, until a person decides", () => {
    const live = liveWith(asked([peer, PARTNER]), { "spire-federation": rest, kubectl: { federatesWith: [] } });
    expect(pathsOf(live)).toEqual(["federatesWith"]);
  });

  it("is put right where somebody has changed a peer that has the stack's object", () => {
    const moved = { ...peer, bundleEndpointUrl: "https://elsewhere.example.org" };
    const live = liveWith(asked([moved]), { "spire-federation": rest, kubectl: { federatesWith: [] } });
    expect(pathsOf(live, asked(), [marked(peer.trustDomain)])).toEqual([]);
    expect(pathsOf(live)).toEqual(["federatesWith"]);
  });
});

it("is nothing where there is no SpireServer, or no federation", () => {
  expect([pathsOf(undefined), pathsOf({ metadata: { name: "cluster" } })]).toEqual([[], []]);
});
