import {
  caFingerprintsOf,
  describeUnbound,
  missingCas,
  peerCas,
  planTrust,
  readTrustedCas,
  type TrustedCas,
  unboundCas,
} from "../../../components/trustedCas/trustedCas";
import { issue } from "../issue";
import { NAMESPACE, peer } from "../given";
import { clusterOf } from "../readers";

const [ca, other, system] = ["internal CA", "other CA", "system CA"].map((name) => issue(name, { ca: true }).pem);
const withCa = { ...peer, caCertificates: ca ?? "" };
const subscription = { namespace: NAMESPACE, name: "ztwim" };
const proxy = { name: "LOG", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };
const env = (value: string): TrustedCas["env"] => [proxy, { name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value }];
const foreign = (pem = ""): TrustedCas => ({ subscription, env: env("theirs"), configMap: { name: "theirs", pem } });
const none: TrustedCas = { subscription, env: [proxy] };

it("reads the Subscription of ZTWIM's package, whatever it is called, and the ConfigMap that it names", async () => {
  const of = (name: string, spec: object): object => ({
    apiVersion: "operators.coreos.com/v1alpha1",
    kind: "Subscription",
    metadata: { name, namespace: NAMESPACE },
    spec,
  });
  const named = (configMap: string): object =>
    of("ztwim", { name: "openshift-zero-trust-workload-identity-manager", config: { env: env(configMap) } });
  const ztwim = named("theirs");
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs", namespace: NAMESPACE } };
  expect(
    await readTrustedCas(
      clusterOf(of("another", {}), ztwim, { ...configMap, data: { "ca-bundle.crt": ca } } as object),
    ),
  ).toEqual(foreign(ca));
  expect(await readTrustedCas(clusterOf(ztwim))).toEqual(foreign());
  expect(await readTrustedCas(clusterOf(named("")))).toEqual({ subscription, env: env("") });
  expect(await readTrustedCas(clusterOf())).toEqual({ subscription: undefined, env: [] });
});

describe("what is to be done", () => {
  it("is nothing where every peer's endpoint has a public CA, and with https_spiffe", () => {
    const spiffe = { ...withCa, profile: "https_spiffe" as const, endpointSpiffeId: "spiffe://x/spire/server" };
    for (const flag of [true, false])
      expect(planTrust(flag, [peer, spiffe], none)).toEqual({ problems: [], warnings: [] });
  });

  it("is a warning without trustPeerCas, also while the stack's own ConfigMap is still there", () => {
    const ours: TrustedCas = { ...none, configMap: { name: "spire-federation-peer-cas-1", pem: ca ?? "" } };
    for (const live of [none, ours]) {
      const { warnings, ...rest } = planTrust(false, [withCa], live);
      expect(warnings).toEqual([expect.stringMatching(/endpoints of cluster2 .*Set trustPeerCas to true/)]);
      expect(rest).toEqual({ problems: [] });
    }
  });

  it("is to give the CAs to SPIRE, and to keep every other variable", () => {
    const trust = [withCa];
    expect(planTrust(true, [peer, withCa], none)).toEqual({ problems: [], warnings: [], trust });
    const ours = { subscription, env: env("spire-federation-peer-cas-1") };
    const live = { ...ours, configMap: { name: "spire-federation-peer-cas-1", pem: "" } };
    expect(planTrust(true, [withCa], live)).toEqual({ problems: [], warnings: [], trust });
  });

  it("is nothing where somebody else's ConfigMap has the CAs, and refused where it lacks them", () => {
    for (const flag of [true, false]) {
      expect(planTrust(flag, [withCa], foreign(`${system}${ca}`))).toEqual({ problems: [], warnings: [] });
    }
    expect(planTrust(true, [withCa], foreign(system))).toEqual({
      problems: [
        {
          path: "trustPeerCas",
          message: expect.stringMatching(/"theirs" of somebody else, .*CAs of cluster2; /) as string,
        },
      ],
      warnings: [],
    });
  });

  it("is refused where no Subscription can be changed", () => {
    expect(planTrust(true, [withCa], { subscription: undefined, env: [] }).problems).toEqual([
      { path: "trustPeerCas", message: expect.stringContaining("no Subscription") as string },
    ]);
  });
});

it("tells certificates by what they are, not by how they are written", () => {
  const rewritten = `# a comment\n${ca?.replaceAll("\n", "\r\n") ?? ""}`;
  expect(missingCas(withCa, rewritten)).toEqual([]);
  expect(missingCas({ caCertificates: `${ca ?? ""}${other ?? ""}` }, ca ?? "")).toEqual([other?.trim()]);
});

it("has the cluster's CAs and the peers', each once, under a name that follows the content alone", () => {
  const third = { ...peer, trustDomain: "apps.cluster3.example.com", caCertificates: other ?? "" };
  const { name, pem } = peerCas(`# ${"x".repeat(9)}\n${system}${ca}`, [third, withCa]);
  expect(pem).toBe(`${system}${ca}${other}`);
  expect(name).toMatch(/^spire-federation-peer-cas-[0-9a-f]{12}$/);
  expect(peerCas(`${system}${ca}`, [withCa, third])).toEqual({ name, pem });
  expect(peerCas(`${system}${ca}`, [withCa]).name).not.toBe(name);
});

describe("a CA that SPIRE may trust for a peer's endpoint", () => {
  const host = "federation.apps.cluster2.example.com";
  const caOf = (...permitted: string[]): string => issue("a CA", { ca: true, permitted }).pem;
  const unbound = (caCertificates: string, more: object = {}): number =>
    unboundCas({ ...peer, caCertificates, ...more }).length;

  it("may sign for its host, and for names below it, alone", () => {
    expect(unbound(caOf(host))).toBe(0);
    expect(unbound(caOf(host.toUpperCase(), `a.${host}`))).toBe(0);
    // Port and path don't matter.
    expect(unbound(caOf(host), { bundleEndpointUrl: `https://${host}:8443/bundle` })).toBe(0);
  });

  it.each([
    ["no name constraints", ca ?? ""],
    ["constraints that permit more", caOf("example.com")],
    ["constraints that permit another host, too", caOf(host, "vault.example.com")],
    ["constraints that permit a name that only ends alike", caOf(host, `not${host}`)],
    ["constraints that permit only what is below", caOf(`.${host}`)],
    ["constraints that permit every name", caOf("")],
    ["constraints for nothing but another kind of name", caOf()],
  ])("has not %s", (_, pem) => {
    expect(unbound(pem)).toBe(1);
    expect(unbound(pem, { caFingerprints: caFingerprintsOf({ caCertificates: pem }) })).toBe(0);
  });

  it("is judged by itself: another one that is bound or pinned vouches for none", () => {
    const both = `${caOf(host)}${ca}${other}`;
    const caFingerprints = caFingerprintsOf({ caCertificates: ca ?? "" });
    expect(unbound(both, { caFingerprints })).toBe(1);
  });

  it("may be one that SPIRE trusts already", () => {
    expect(unboundCas(withCa, `${system}${ca}`)).toEqual([]);
  });

  it("is no concern with https_spiffe", () => {
    expect(unbound(ca ?? "", { profile: "https_spiffe" })).toBe(0);
  });

  it("is named with what to pin", () => {
    const [pin = ""] = caFingerprintsOf(withCa);
    expect(describeUnbound(withCa, unboundCas(withCa))).toContain(`caFingerprints: [${pin}]`);
    expect(describeUnbound(withCa, [])).toBeUndefined();
  });
});
