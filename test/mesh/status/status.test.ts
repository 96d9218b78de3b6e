import type { Published } from "../../../mesh/pulumi/workspace";
import type { MeshMember } from "../../../mesh/members/members";
import { printStatus, status, statusExit, type StatusMember } from "../../../mesh/status/status";
import type { Contract } from "../../../stacks/contract";
import { configOf, SELF } from "../../stacks/fixtures";
import { id, memberOf } from "../members/given";

const contract = (name: string): Contract => ({
  version: 1,
  trustDomain: `apps.${name}.example.com`,
  bundleEndpointUrl: `https://federation.apps.${name}.example.com`,
  profile: "https_web",
});
/** @param trusted names of peers, with the trust domain of one that has another */
const published = (name: string, ...trusted: (string | [peer: string, trustDomain: string])[]): Published => ({
  federation: contract(name),
  pendingPeers: [],
  peers: Object.fromEntries(
    trusted.map((one) => {
      const [peer, trustDomain] = typeof one === "string" ? [one, contract(one).trustDomain] : one;
      return [peer, { trustDomain, fingerprints: [] }];
    }),
  ),
});

test("a peer is known by the name of its objects, and shown by its own", async () => {
  const far = "acme/spire-federation/cluster1";
  const cluster1 = memberOf(configOf({ peers: ["Prod_EU.1", far] }));
  const [seen] = await status(
    [cluster1],
    {
      published: (name) => Promise.resolve(name === far ? undefined : published("prod-eu-1", "prod-eu-1")),
    },
    2,
  );
  expect(seen).toMatchObject({ pending: [far], leaving: [], kept: [] });
  expect(Object.keys(seen?.trusts ?? {})).toEqual(["Prod_EU.1"]);
});

test("each peer is trusted, kept, pending or leaving, and each stack is read once", async () => {
  const outside = "organization/other/far";
  const cluster1 = memberOf(configOf({ peers: ["cluster2", "cluster3", "gone", outside] }));
  const cluster2 = memberOf(configOf({ peers: ["gone"] }, { ...SELF, stack: "cluster2" }));
  const backend: Record<string, Published> = {
    [id("cluster1")]: published("cluster1", "cluster2", "gone", ["other-far", contract("far").trustDomain], "left"),
    [id("cluster2")]: published("cluster2"),
    [outside]: published("far"),
  };
  const read: string[] = [];
  const result = await status(
    [cluster1, cluster2],
    {
      published: (name) => {
        read.push(name);
        return Promise.resolve(backend[name]);
      },
    },
    2,
  );
  expect(result).toMatchObject([
    { member: "cluster1", kept: ["gone"], pending: ["cluster3"], leaving: ["left"] },
    { member: "cluster2", kept: [], pending: ["gone"], leaving: [] },
  ]);
  expect(read.sort()).toEqual([outside, ...["cluster1", "cluster2", "cluster3", "gone"].map(id)]);
  expect(printStatus(result)).toMatch(/^cluster1: keeps trusting gone: .*spire-federation remove/m);
});

test("a peer that has another name, or another trust domain, is pending, and none of them is leaving", async () => {
  const cluster1 = memberOf(configOf({ peers: ["renamed", "moved"] }));
  const backend: Record<string, Published> = {
    [id("cluster1")]: published("cluster1", "former", "moved"),
    [id("renamed")]: published("former"),
    [id("moved")]: published("elsewhere"),
  };
  const [seen] = await status([cluster1], { published: (name) => Promise.resolve(backend[name]) }, 2);
  expect(seen).toMatchObject({ pending: ["renamed", "moved"], leaving: [] });
});

test("a backend that cannot be read is said once, not for each stack", async () => {
  const members = ["cluster2", "cluster3"].map((peer) => memberOf(configOf({ peers: [peer] })));
  const unread = { published: () => Promise.reject(new Error("no such bucket")) };
  await expect(status(members, unread, 2)).rejects.toThrow(/^no stack can be read: no such bucket$/);
});

test("a stack that cannot be read costs nobody else what is known, and is said to be unread", async () => {
  const of = (stack: string, ...peers: string[]): MeshMember => memberOf(configOf({ peers }, { ...SELF, stack }));
  const result = await status(
    [of("cluster1", "cluster2"), of("cluster2", "cluster1")],
    {
      published: (name) =>
        name === id("cluster2")
          ? Promise.reject(new Error("no passphrase"))
          : Promise.resolve(published(name, "cluster2")),
    },
    1,
  );
  expect(result).toMatchObject([
    { member: "cluster1", read: true, kept: [], pending: [], leaving: [] },
    { member: "cluster2", read: false, pending: [], unread: ["its stack cannot be read: no passphrase"] },
  ]);
  expect(Object.keys(result[0]?.trusts ?? {})).toEqual(["cluster2"]);
  expect(printStatus(result)).toMatch(/^cluster2 .*not known +not known/m);
  expect(printStatus(result)).toMatch(/^cluster1: cluster2: its stack cannot be read: no passphrase$/m);
});

test.each<[string, Partial<StatusMember>, number, RegExp]>([
  ["all is as the config says", {}, 0, /^cluster1 .* cluster2 +- +-$/m],
  ["a peer is pending", { pending: ["cluster3"] }, 1, /^cluster1 .* cluster2 +cluster3 +-$/m],
  ["a peer is leaving", { leaving: ["old"] }, 1, /^cluster1: still trusts old, .*remove old ends/m],
  ["a peer does not trust it", { notTrustedBy: ["cluster2"] }, 1, /^cluster1: cluster2 does not trust it\. .*oneway/m],
  ["a peer need not trust it", { oneWay: ["cluster2"] }, 0, /^cluster1 .* cluster2 \(one way\) +- +-$/m],
  ["a stack cannot be read", { unread: ["no answer"] }, 3, /^cluster1: no answer$/m],
  ["what was found counts more", { pending: ["cluster3"], unread: ["no answer"] }, 1, /no answer/],
])("%s: the exit code and the table say it", (_, found, exit, said) => {
  const trusts = { cluster2: { trustDomain: "apps.cluster2.example.com", fingerprints: [] } };
  const none = { kept: [], pending: [], oneWay: [], notTrustedBy: [], leaving: [], unread: [] };
  const members = [
    { member: "cluster1", trustDomain: "apps.cluster1.example.com", trusts, read: true, ...none, ...found },
  ];
  expect(statusExit(members)).toBe(exit);
  expect(printStatus(members)).toMatch(said);
});

test("a peer that does not trust it is told from one that need not, that has published nothing, and that nobody can read", async () => {
  const peers = ["mutual", "silent", "unread", "absent", { stack: "oneway", trust: "oneway" }];
  const cluster1 = memberOf(configOf({ peers }));
  const backend: Record<string, Published> = {
    [id("cluster1")]: published("cluster1", "mutual", "silent", "unread", "absent", "oneway"),
    [id("mutual")]: published("mutual", "cluster1"),
    [id("silent")]: { pendingPeers: [], peers: {} },
    [id("absent")]: published("absent", "cluster3"),
    [id("oneway")]: published("oneway"),
  };
  const [seen] = await status(
    [cluster1],
    {
      published: (name) =>
        name === id("unread") ? Promise.reject(new Error("no answer")) : Promise.resolve(backend[name]),
    },
    2,
  );
  expect(seen).toMatchObject({ notTrustedBy: ["absent"], oneWay: ["oneway"] });
});

test("a peer that is no stack is nobody's to read, and pending until it is trusted", async () => {
  const partner = {
    name: "partner",
    trustDomain: "partner.example.org",
    bundleEndpointUrl: "https://spire.example.org",
  };
  const cluster1 = memberOf(configOf({ peers: [partner] }));
  const asked: string[] = [];
  const seen = (own: Published): Promise<StatusMember[]> =>
    status([cluster1], { published: (name) => (asked.push(name), Promise.resolve(own)) }, 2);
  expect((await seen(published("cluster1")))[0]).toMatchObject({ pending: ["partner"], unread: [] });
  const [trusting] = await seen(published("cluster1", ["partner", partner.trustDomain]));
  expect(trusting).toMatchObject({ pending: [], kept: [], leaving: [], unread: [] });
  expect(asked).toEqual([id("cluster1"), id("cluster1")]);
});
