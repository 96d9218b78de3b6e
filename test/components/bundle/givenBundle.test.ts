import type { Peer } from "../../../components/bundle/peer";
import { bundleFromCertificates } from "../../../components/bundle/trustBundle";
import { givenBundle, isGiven } from "../../../components/bundle/givenBundle";
import { issue, root } from "../issue";
import { peer, peerBundle, peerRoot } from "../given";

const now = new Date();
const HOUR = 3600 * 1000;
const expired = root(peer.trustDomain, {
  notBefore: new Date(now.getTime() - 48 * HOUR),
  notAfter: new Date(now.getTime() - HOUR),
});
const spiffe: Peer = {
  ...peer,
  profile: "https_spiffe",
  endpointSpiffeId: `spiffe://${peer.trustDomain}/spire/server`,
  caCertificates: peerRoot.pem,
};

const sha256 = ({ certificate }: { certificate: { fingerprint256: string } }): string =>
  certificate.fingerprint256.replaceAll(":", "").toLowerCase();

it("is asked of the stack with bootstrap: stack, and with https_spiffe always", () => {
  expect([isGiven(peer), isGiven(peer, "endpoint"), isGiven(peer, "stack")]).toEqual([false, false, true]);
  expect([isGiven(spiffe), isGiven(spiffe, "stack")]).toEqual([true, true]);
});

it("is the roots that the stack publishes, as JWKS", () => {
  const bundle = givenBundle({ ...peer, roots: peerRoot.pem }, now);
  if ("fault" in bundle) throw new Error(bundle.fault);
  expect((JSON.parse(bundle.jwks) as { keys: unknown[] }).keys).toEqual(peerBundle.keys);
  expect(bundle.fingerprints).toEqual([sha256(peerRoot)]);
  expect(givenBundle(spiffe, now)).toEqual(bundle);
});

it("takes a root of an upstream CA, which names no trust domain, and expired ones beside a valid one", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const bundle = givenBundle({ ...peer, roots: expired.pem + upstream.pem }, now);
  expect(bundle).toMatchObject({ fingerprints: [sha256(expired), sha256(upstream)] });
});

it.each<[string, string, RegExp]>([
  [
    "another trust domain's root",
    root("evil.example.com").pem,
    /spiffe:\/\/evil\.example\.com.*run npx pulumi up --stack cluster2 /,
  ],
  [
    "roots that have all expired",
    expired.pem,
    /as of its last up: .*no root that is valid.*run npx pulumi up --stack cluster2 .*then try again$/,
  ],
  ["a key that no JWK has", root(peer.trustDomain, { keyType: "rsa-pss" }).pem, /of a kind that no JWK can have/],
])("is refused: %s", (_, roots, message) => {
  const refused = givenBundle({ ...peer, roots }, now);
  expect(refused).toEqual({ fault: expect.stringMatching(message) as string });
  expect(refused).toEqual({ fault: expect.stringMatching(/^stack "cluster2" publishes /) as string });
});

it("is refused where the stack publishes none, with the keys that would make it do so", () => {
  expect(givenBundle({ ...peer, caCertificates: peerRoot.pem }, now)).toEqual({
    fault: expect.stringMatching(
      /^stack "cluster2" publishes no bundle.*probe to cluster, or bootstrap of one of its peers to stack, run npx pulumi up --stack cluster2 /,
    ) as string,
  });
});

describe("a bundle that the owner has handed over", () => {
  const handed = (roots: { pem: string }[], more: Partial<Peer> = {}): ReturnType<typeof givenBundle> =>
    givenBundle({ ...peer, ...more, bundle: bundleFromCertificates(roots.map(({ pem }) => pem)) }, now);

  it("is taken whole, whatever the profile and whatever a stack publishes", () => {
    const bundle = JSON.stringify(peerBundle);
    for (const one of [peer, spiffe, { ...peer, roots: expired.pem }]) {
      const given = givenBundle({ ...one, bundle }, now);
      if ("fault" in given) throw new Error(given.fault);
      expect(JSON.parse(given.jwks)).toEqual(peerBundle);
    }
    expect(isGiven({ ...peer, bundle })).toBe(true);
  });

  it.each<[string, ReturnType<typeof givenBundle>, RegExp]>([
    ["stale", handed([expired]), /no root that is valid at/],
    ["another trust domain's", handed([root("evil.example.com")]), /spiffe:\/\/evil\.example\.com/],
    ["not of the pinned root", handed([peerRoot], { fingerprints: ["00"] }), /lack keys of the bundle: root sha256/],
  ])("is refused when it is %s, with the command by which its owner makes one", (_, refused, message) => {
    expect(refused).toEqual({ fault: expect.stringMatching(message) as string });
    expect(refused).toEqual({
      fault: expect.stringMatching(
        /^the bundle that is given for peer "cluster2" must not be trusted: .*spire-server bundle show -format spiffe.*oc exec .* -- \/spire-server bundle show/,
      ) as string,
    });
  });
});
