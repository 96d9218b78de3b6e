import { twinsOf } from "../../../components/bundle/twins";
import type { TrustObject } from "../../../components/bundle/bundleMark";
import { FEDERATION_CLASS, OWNED } from "../../../components/shared/names";

const DOMAIN = "apps.cluster2.example.com";
const object = (name: string, trustDomain = DOMAIN, more: object = {}): TrustObject => ({
  metadata: { name, ...more },
  spec: { trustDomain, className: FEDERATION_CLASS },
});
const found = (...trust: TrustObject[]): string[] => twinsOf(DOMAIN, "cluster2-federation", trust, { context: "c1" });
const made = { annotations: { ...OWNED, "spire-federation/bundle": "mark" } };

it("names another object for the same trust domain, and both ways out", () => {
  expect(found(object("to-cluster2"))).toEqual([
    expect.stringMatching(/to-cluster2 .*objectName.* oc --context c1 delete clusterfederatedtrustdomain to-cluster2/),
  ]);
});

it("names one that has the trust domain as a SPIFFE ID", () => {
  expect(found(object("to-cluster2", `spiffe://${DOMAIN}`))).toEqual([expect.stringMatching(/^\S+ to-cluster2 /)]);
});

it("names an object that has the peer's name and is for another trust domain", () => {
  expect(found(object("cluster2-federation", "partner.example.org"))).toEqual([
    expect.stringMatching(/cluster2-federation is of somebody else, for trust domain "partner\.example\.org"/),
  ]);
});

it("names an object of another SPIRE that has the peer's name, also for the same trust domain", () => {
  const of = (className?: string): TrustObject => ({
    metadata: { name: "cluster2-federation" },
    spec: { trustDomain: DOMAIN, ...(className !== undefined && { className }) },
  });
  expect(found(of("upstream-spire"))).toEqual([
    expect.stringMatching(/cluster2-federation .*upstream-spire.*objectName/),
  ]);
  // A class that somebody has forgotten is added.
  expect([...found(of()), ...found(of(""))]).toEqual([]);
});

it("lets be what is the program's own, is going, is ignored by the controller, or is for somebody else", () => {
  const ignored = { ...object("other-class"), spec: { trustDomain: DOMAIN, className: "another" } };
  const going = object("going", DOMAIN, { deletionTimestamp: "2026-01-01T00:00:00Z" });
  const others = object("partner", "partner.example.org");
  expect(found(object("cluster2-federation"), object("renamed", DOMAIN, made), ignored, going, others)).toEqual([]);
  expect(found(object("cluster2-federation", "old.example.org", made))).toEqual([]);
});
