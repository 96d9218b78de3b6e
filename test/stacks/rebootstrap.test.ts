/** Trust in an https_spiffe peer that begins anew: nothing but a person can tell that the peer is the same. */
import {
  BUNDLE_ANNOTATION,
  bundleMark,
  BEGINNING_ANNOTATION,
  type TrustObject,
} from "../../components/bundle/bundleMark";
import { federatedTrustDomainSpec, type Peer, serverSpiffeId } from "../../components/bundle/peer";
import { bundleFromCertificates } from "../../components/bundle/trustBundle";
import type { JoinedPeer } from "../../stacks/contract";
import { judgeFirstBundles, needsBundle } from "../../stacks/firstBundle";
import { type Issued, root } from "../components/issue";

const trustDomain = "apps.cluster2.example.com";
const [before, after] = [root(trustDomain), root(trustDomain)];
const sha256 = ({ certificate: { fingerprint256 } }: Issued): string =>
  fingerprint256.replaceAll(":", "").toLowerCase();

const peer: Peer = {
  stack: "cluster2",
  trustDomain,
  bundleEndpointUrl: `https://federation.${trustDomain}`,
  profile: "https_spiffe",
  endpointSpiffeId: serverSpiffeId(trustDomain),
  caCertificates: after.pem,
};
/** The object with which the cluster trusts the peer since it had its roots of before. */
function trusted(annotations: Record<string, string> = { [BEGINNING_ANNOTATION]: "0" }): TrustObject {
  const spec = { ...federatedTrustDomainSpec(peer), trustDomainBundle: bundleFromCertificates([before.pem]) };
  const metadata = {
    name: "cluster2-federation",
    annotations: { ...annotations, [BUNDLE_ANNOTATION]: bundleMark("new/x", spec, annotations[BEGINNING_ANNOTATION]) },
  };
  return { metadata, spec };
}
const joined = (rebootstrap: number, more: Partial<Peer> = {}): JoinedPeer => ({
  peer: { ...peer, ...more },
  rebootstrap,
});
const judged = (one: JoinedPeer, live = trusted()): string[] =>
  judgeFirstBundles([one], [live], new Date()).map(({ message }) => message);

it("is refused without a person's consent, and its new roots are shown with what allows them", () => {
  expect(judged(joined(1))).toEqual([
    `trust in ${trustDomain} would begin anew with other roots, sha256 ${sha256(after)}; compare them with what its ` +
      "owner sees (npx spire-federation peer-info cluster2), and allow them in its entry of peers: " +
      `{stack: cluster2, rebootstrap: 1, fingerprints: [${sha256(after)}]}`,
  ]);
});

it("begins with roots that are pinned, and with no other", () => {
  expect(judged(joined(1, { fingerprints: [sha256(after)] }))).toEqual([]);
  expect(judged(joined(1, { fingerprints: [sha256(before)] }))).toEqual([
    expect.stringMatching(`fingerprints lack keys of the bundle: root sha256 ${sha256(after)};.*if so$`),
  ]);
});

it("needs no consent where it begins with roots that it had", () => {
  expect(judged(joined(1, { caCertificates: before.pem }))).toEqual([]);
});

it("needs none for a bundle that the owner has handed over", () => {
  expect(judged(joined(1, { bundle: bundleFromCertificates([after.pem]) }))).toEqual([]);
});

it("does not begin anew as long as the number is the same, whatever the stack publishes", () => {
  expect(needsBundle(joined(0), [trusted()])).toBe(false);
  expect(judged(joined(0))).toEqual([]);
  expect(needsBundle(joined(1), [trusted()])).toBe(true);
});

it("begins anew when pins are taken out again, which needs consent as well", () => {
  const pinned = trusted({ [BEGINNING_ANNOTATION]: `1 ${sha256(before)}` });
  expect(judged(joined(1), pinned)).toEqual([expect.stringContaining("would begin anew with other roots")]);
  expect(needsBundle(joined(1, { fingerprints: [sha256(before)] }), [pinned])).toBe(false);
});

it("is not told of an object of an earlier release, which does not say its number", () => {
  expect(needsBundle(joined(1), [trusted({})])).toBe(false);
});
