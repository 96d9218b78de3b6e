/** What a probe makes in clusters, how it ends, and that nothing is left of it. */
import { Forbidden } from "../../../../components/cluster/cluster";
import type { Claim } from "../../../../mesh/verify/probe/claim";
import {
  CLAIM,
  claimObject,
  type Named,
  NAMESPACE,
  PROBE,
  PROBE_IMAGE,
} from "../../../../mesh/verify/probe/probeObjects";
import { type ProbeIo, type ProbeMember, probeMesh } from "../../../../mesh/verify/probe/probe";
import type { Fate } from "../../../../mesh/pulumi/liveness";
import { type FakeCluster, World } from "./world";

let now = Date.parse("2026-01-01T00:00:00Z");
jest.mock("node:timers/promises", () => ({
  setTimeout: async (ms: number) => {
    now += ms;
    await new Promise((done) => setImmediate(done));
  },
}));

const ME: Claim = { user: "me", host: "here", pid: 1, since: "2026-01-01T00:00:00Z" };
const OTHER: Claim = { user: "other", host: "there", pid: 2, since: "2026-01-01T00:00:00Z" };
let world: World;
let east: FakeCluster;
let west: FakeCluster;
let notes: string[];
/** What is said of a probe that is ended before its clean-up has. */
let there: Set<string>;

beforeEach(() => {
  now = Date.parse("2026-01-01T00:01:00Z");
  jest.spyOn(Date, "now").mockImplementation(() => now);
  world = new World();
  east = world.cluster("east");
  west = world.cluster("west");
  notes = [];
  there = new Set();
});

const member = (name: string, ...meets: string[]): ProbeMember => ({
  member: name,
  context: name,
  trustDomain: `apps.${name}.example.com`,
  meets,
});
const BOTH = [member("east", "west"), member("west", "east")];

const probe = (members: ProbeMember[] = BOTH, io: Partial<ProbeIo> = {}) =>
  probeMesh(members, {
    connect: ({ context = "" }) => world.cluster(context),
    claim: ME,
    fate: () => "dead",
    note: (line) => notes.push(line),
    made: (what) => {
      there.add(what);
      return () => there.delete(what);
    },
    interrupted: () => false,
    image: "node",
    ...io,
  });

const outcomes = async (running: ReturnType<typeof probe>): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    [...(await running)].map(([name, { probed }]) => [
      name,
      "because" in probed
        ? probed.because
        : Object.fromEntries([...probed.seen.report.dialed].map(([peer, { outcome }]) => [peer, outcome])),
    ]),
  );

test("everybody meets, and nothing is left", async () => {
  expect(await outcomes(probe())).toEqual({ east: { west: "met" }, west: { east: "met" } });
  expect([east.left, west.left]).toEqual([[], []]);
});

test("the claim comes before everything, and the pod when all is there that it needs", async () => {
  await probe();
  const order = ["Namespace", "ConfigMap", "ServiceAccount", "ClusterSPIFFEID", "Service", "Route", "Pod"];
  expect(east.made).toEqual(order);
});

test("each knows its own identity, and the address and identity of those whom it is to meet", async () => {
  let config: unknown;
  let federatesWith: unknown;
  east.says = (given) => {
    config = given;
    federatesWith = (east.find("ClusterSPIFFEID")?.spec as { federatesWith: unknown }).federatesWith;
    return world.lines(given);
  };
  await probe([...BOTH, member("north")]);
  expect(config).toMatchObject({
    id: `spiffe://apps.east.example.com/ns/${PROBE}/sa/${PROBE}`,
    peers: [
      {
        id: `spiffe://apps.west.example.com/ns/${PROBE}/sa/${PROBE}`,
        host: `${PROBE}.apps.west.example.com`,
        port: 443,
      },
    ],
  });
  expect(federatesWith).toEqual(["apps.west.example.com"]);
});

test("a namespace that was there before stays, without anything in it", async () => {
  east.prepareNamespace();
  expect(await outcomes(probe())).toMatchObject({ east: { west: "met" } });
  expect([east.left, west.left]).toEqual([["Namespace"], []]);
});

describe("nothing is left", () => {
  test.each(["ServiceAccount", "ClusterSPIFFEID", "Service", "Route", "Pod"])(
    "when %s cannot be made, and the others don't wait",
    async (refused) => {
      east.refuse = (verb, kind) => {
        if (["create", "apply"].includes(verb) && kind === refused) throw new Error(`no ${kind} for you`);
      };
      const before = now;
      expect(await outcomes(probe())).toEqual({ east: `no ${refused} for you`, west: {} });
      expect([east.left, west.left]).toEqual([[], []]);
      expect(now - before).toBeLessThan(60_000);
    },
  );

  test("when the program is interrupted", async () => {
    let asked = 0;
    expect(await outcomes(probe(BOTH, { interrupted: () => ++asked > 12 }))).toEqual({
      east: "it was interrupted",
      west: "it was interrupted",
    });
    expect([east.left, west.left]).toEqual([[], []]);
    expect(east.made).toContain("Pod");
  });

  test("when a workload never gets an identity; then what its agent says is known", async () => {
    east.says = () => [{ event: "no-identity", why: "PermissionDenied: no identity issued" }];
    const { probed } = (await probe()).get("east") ?? {};
    expect(probed).toMatchObject({ seen: { report: { without: "PermissionDenied: no identity issued" } } });
    expect([east.left, west.left]).toEqual([[], []]);
  });

  test("when the log cannot be read", async () => {
    east.refuse = (verb) => {
      if (verb === "log") throw new Error("no logs for you");
    };
    await probe();
    expect([east.left, west.left]).toEqual([[], []]);
  });

  test("when a first attempt to take it away fails", async () => {
    let failures = 1;
    east.refuse = (verb, kind) => {
      if (verb === "remove" && kind === "Route" && failures-- > 0) throw new Error("not now");
    };
    await probe();
    expect(east.left).toEqual([]);
  });
});

test("whoever may not make it is told where the rights are", async () => {
  east.refuse = (verb, kind) => {
    if (verb === "create" && kind === "Namespace") throw new Forbidden("cannot create Namespace");
  };
  expect(await outcomes(probe())).toMatchObject({ east: expect.stringMatching(/auditor-probe\.yaml/) as string });
});

test("whoever may not even look has left nothing, and knows it at once", async () => {
  east.refuse = (_verb, kind) => {
    if (kind === "Namespace" || kind === "ConfigMap") throw new Forbidden(`cannot get ${kind}`);
  };
  const before = now;
  const refused = (await probe()).get("east");
  expect(refused).toMatchObject({ probed: { because: expect.stringMatching(/auditor-probe\.yaml/) as string } });
  expect(refused).not.toHaveProperty("left");
  expect(now - before).toBeLessThan(30_000);
});

test("a claim that nobody has confirmed is taken away", async () => {
  let lost = 1;
  east.refuse = (verb, kind) => {
    if (verb !== "create" || kind !== "ConfigMap" || lost-- < 1) return;
    east.add(claimObject(ME, { member: "east", trustDomain: "x", ingressDomain: "x" }, []));
    throw new Error("no answer within 10 s");
  };
  expect(await outcomes(probe())).toMatchObject({ east: "no answer within 10 s" });
  expect(east.left).toEqual([]);
});

test("what cannot be taken away is named, with what removes it", async () => {
  east.refuse = (verb, kind) => {
    if (verb === "remove" && kind === "Pod") throw new Error("no deleting for you");
  };
  const results = await probe();
  expect(results.get("east")?.left).toEqual({
    why: "no deleting for you",
    cure: expect.stringMatching(
      /^oc --context east delete -n spire-federation-probe .* pod\/.* clusterspiffeid\//,
    ) as string,
  });
  expect(results.get("west")?.left).toBeUndefined();
});

test("whoever ends it during the clean-up is told what is there, until it is gone", async () => {
  const during: string[][] = [];
  east.refuse = (verb, kind) => {
    if (verb !== "remove" || kind !== "Pod") return;
    during.push([...there]);
    throw new Error("no deleting for you");
  };
  let asked = 0;
  const results = await probe(BOTH, { interrupted: () => ++asked > 12 });
  const removal = expect.stringMatching(/made in east .*oc --context east delete -n spire-federation-probe/) as string;
  expect(during[0]).toEqual([removal, expect.stringContaining("made in west") as string]);
  expect(results.get("east")?.left?.why).toBe("no deleting for you");
  expect([...there]).toEqual([removal]);
});

test("a cluster that doesn't answer is named, and the others are through", async () => {
  world.cluster("north").refuse = () => {
    throw new Error("no answer within 10 s");
  };
  const members = [member("east", "west", "north"), member("west", "east", "north"), member("north", "east", "west")];
  expect(await outcomes(probe(members))).toEqual({
    east: { west: "met" },
    west: { east: "met" },
    north: "no answer within 10 s",
  });
});

test("a refusal that stays ends the probe before its time; one that passes is none", async () => {
  const refused = { event: "dialed", peer: "west", outcome: "refused", by: "here", why: "unknown root" };
  east.says = ({ id }) => [{ event: "identity", id, bundles: [] }, refused];
  const before = now;
  expect(await outcomes(probe())).toMatchObject({ east: { west: "refused" } });
  expect(now - before).toBeLessThan(100_000);
  let asked = 0;
  east.says = (config) =>
    ++asked < 3 ? [{ event: "identity", id: config.id, bundles: [] }, refused] : world.lines(config);
  expect(await outcomes(probe())).toMatchObject({ east: { west: "met" } });
});

test("a pod that the SCCs refuse at first, as in a namespace that has just been made, is made again", async () => {
  let refusals = 3;
  east.refuse = (verb, kind) => {
    if (verb === "create" && kind === "Pod" && refusals-- > 0)
      throw new Error("unable to validate against any security context constraint");
  };
  expect(await outcomes(probe())).toMatchObject({ east: { west: "met" } });
});

test("what keeps a pod from running is known, and why a Route is not served", async () => {
  east.says = () => [];
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "one" },
    type: "Warning",
    message: "no such image",
  };
  east.objects.push(event);
  west.says = ({ id }) => [
    { event: "identity", id, bundles: [] },
    { event: "dialed", peer: "east", outcome: "unreachable", why: "closed" },
  ];
  const { probed } = (await probe()).get("east") ?? {};
  expect(probed).toMatchObject({
    seen: { pod: expect.stringMatching(/not ready.*no such image/) as string, route: "no router has seen the Route" },
  });
});

describe("where a probe is there already,", () => {
  /** As it is while it runs, or when it was killed. */
  const leave = (claim: object): void => {
    const object = claimObject(claim, { member: "east", trustDomain: "x", ingressDomain: "x" }, []);
    for (const one of [NAMESPACE, object, { ...object, kind: "Pod" }, CLUSTER_ID]) east.add(one);
  };
  const CLUSTER_ID: Named = {
    apiVersion: "spire.spiffe.io/v1alpha1",
    kind: "ClusterSPIFFEID",
    metadata: { name: PROBE },
  };

  test.each<[string, Fate, number]>([
    ["still runs", "running", 0],
    ["runs for long", "running", 3600],
    ["is of another machine", "elsewhere", 0],
  ])("one whose process %s is left alone, and the other clusters are probed", async (_, fate, seconds) => {
    leave({ ...OTHER, since: new Date(now - seconds * 1000).toISOString() });
    const there = [...east.objects];
    const found = await outcomes(probe(BOTH, { fate: () => fate }));
    expect(found["east"]).toMatch(/^a probe of process 2 of other@there, since 20.* is there/);
    expect(east.objects).toEqual(there);
    expect(west.left).toEqual([]);
  });

  test.each<[string, Fate, number]>([
    ["is gone", "dead", 0],
    ["was of another machine, longer ago than a pod lives", "elsewhere", 601],
  ])("what one whose process %s has left is taken away first", async (_, fate, seconds) => {
    leave({ ...OTHER, since: new Date(now - seconds * 1000).toISOString() });
    expect(await outcomes(probe(BOTH, { fate: () => fate }))).toMatchObject({ east: { west: "met" } });
    expect(east.left).toEqual([]);
  });

  test("one that nobody can have made is taken away, too", async () => {
    leave({});
    expect(east.find("ConfigMap")?.metadata).toMatchObject({ annotations: { [CLAIM]: "{}" } });
    expect(await outcomes(probe(BOTH, { fate: () => "running" }))).toMatchObject({ east: { west: "met" } });
  });
});

describe("a namespace that was made and could not be claimed", () => {
  const forbidClaims = (also?: string) => (verb: string, kind: string) => {
    if (verb === "create" && kind === "ConfigMap") throw new Forbidden("may not create ConfigMaps");
    if (verb === also && kind === "Namespace") throw new Forbidden(`may not ${verb} Namespaces`);
  };

  test("is removed again", async () => {
    east.refuse = forbidClaims();
    const east_ = (await probe()).get("east");
    expect(east_).toMatchObject({
      probed: { because: expect.stringContaining("may not create ConfigMaps") as string },
    });
    expect(east_).not.toHaveProperty("left");
    expect(east.left).toEqual([]);
  });

  test("is named when it stays", async () => {
    east.refuse = forbidClaims("remove");
    expect((await probe()).get("east")?.left).toEqual({
      why: `Namespace ${PROBE} is left: may not remove Namespaces`,
      cure: `oc --context east delete namespace ${PROBE} --ignore-not-found`,
    });
    expect(east.left).toEqual(["Namespace"]);
  });

  test("is left alone when it was there before", async () => {
    east.prepareNamespace();
    east.refuse = forbidClaims();
    expect((await probe()).get("east")).not.toHaveProperty("left");
    expect(east.left).toEqual(["Namespace"]);
  });
});

test("the image is pinned", () => {
  expect(PROBE_IMAGE).toMatch(/@sha256:[0-9a-f]{64}$/);
});
