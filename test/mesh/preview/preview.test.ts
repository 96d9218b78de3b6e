import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Published } from "../../../mesh/pulumi/workspace";
import type { MeshMember } from "../../../mesh/members/members";
import { isIncomplete, type PlannedMember, type PlanSources, planUp } from "../../../mesh/preview/preview";
import { printPlan } from "../../../mesh/up/planText";
import type { Looked } from "../../../mesh/kernel/looked";
import type { WorkloadsThere } from "../../../mesh/spire/federating";
import type { FirstRoots } from "../../../mesh/spire/firstRoots";
import { trustChanges } from "../../../mesh/preview/trustChanges";
import type { Contract } from "../../../stacks/contract";
import { issue } from "../../components/issue";
import { configOf } from "../../stacks/fixtures";
import { HOME, id, memberOf } from "../members/given";
import type { PreviewOutcome } from "../../../mesh/pulumi/outcomes";

const contract = (name: string): Contract => ({
  version: 1,
  trustDomain: `apps.${name}.example.com`,
  bundleEndpointUrl: `https://federation.apps.${name}.example.com`,
  profile: "https_web",
});
const trusting = (...names: string[]): Published => ({
  pendingPeers: [],
  peers: Object.fromEntries(names.map((name) => [name, { trustDomain: `apps.${name}.example.com`, fingerprints: [] }])),
});

describe("trust that an up would change", () => {
  const publications = new Map([
    ["new", contract("new")],
    ["kept", contract("kept")],
    ["silent", undefined],
    ["gone", undefined],
  ]);
  const peers = ["new", "kept", "silent", "gone"];
  const changes = trustChanges(configOf({ peers }), publications, trusting("kept", "left", "gone"));

  test("gains peers that have published and are not trusted yet", () => {
    expect(changes.gains).toEqual([
      {
        peer: "new",
        trustDomain: "apps.new.example.com",
        bundleEndpointUrl: "https://federation.apps.new.example.com",
      },
    ]);
  });

  test("loses peers that are no longer wanted", () => {
    expect(changes.loses).toEqual([{ peer: "left", trustDomain: "apps.left.example.com" }]);
  });

  test("keeps peers that publish nothing any more", () => {
    expect(changes.keeps).toEqual([{ peer: "gone", trustDomain: "apps.gone.example.com" }]);
  });

  test("waits for peers that have published nothing yet", () => {
    expect(changes.waitsFor).toEqual(["silent"]);
  });

  test("goes by trust domains: a peer with another name is the same, and with another trust domain it is not", () => {
    const [renamed, moved] = [contract("kept"), contract("new")];
    const publishing = new Map([
      ["renamed", renamed],
      ["moved", moved],
    ]);
    expect(trustChanges(configOf({ peers: ["renamed", "moved"] }), publishing, trusting("kept", "moved"))).toEqual({
      gains: [{ peer: "moved", trustDomain: moved.trustDomain, bundleEndpointUrl: moved.bundleEndpointUrl }],
      loses: [{ peer: "moved", trustDomain: "apps.moved.example.com", now: moved.trustDomain }],
      overwrites: [],
      keeps: [],
      waitsFor: [],
    });
  });

  const federation = "SpireServer cluster (spec.federation.federatesWith)";
  const asked = [
    {
      object: "ClusterFederatedTrustDomain kept-federation",
      trustDomain: "apps.kept.example.com",
      url: "https://before",
    },
    { object: "ClusterFederatedTrustDomain theirs", trustDomain: "theirs.example.org", url: "https://theirs" },
    ...["apps.kept.example.com", "theirs.example.org", "partner.example.org"].map((trustDomain) => ({
      object: federation,
      trustDomain,
    })),
  ];

  test("begins anew with a peer that is at another URL now, whatever roots are served there", () => {
    const { gains } = trustChanges(configOf({ peers: ["kept"] }), publications, trusting("kept"), asked);
    expect(gains).toEqual([
      {
        peer: "kept",
        trustDomain: "apps.kept.example.com",
        bundleEndpointUrl: "https://federation.apps.kept.example.com",
        from: "https://before",
      },
    ]);
  });

  test.each<[string, object, string[]]>([
    ["takes over the federation", { spireServer: { takeOver: ["federation"] } }, ["partner.example.org"]],
    ["does not", {}, []],
    ["leaves the list to others", { federatesWith: "dynamic", spireServer: { takeOver: ["federation"] } }, []],
    ["has no peers to list", { peers: [], spireServer: { takeOver: ["federation"] } }, []],
  ])("what others have listed is lost where nothing else asks for it and the stack %s", (_, config, lost) => {
    const { overwrites } = trustChanges(
      configOf({ peers: ["kept"], ...config }),
      publications,
      trusting("kept"),
      asked,
    );
    expect(overwrites).toEqual(lost);
  });
});

const NO_WORKLOADS: Looked<WorkloadsThere> = { seen: { asked: [], objects: [], unlisted: [] } };

const settled: PlanSources = {
  roots: () => Promise.resolve({ roots: ["ab12"], certificates: [] }),
  ownRoots: () => Promise.resolve([]),
  workloads: () => Promise.resolve(NO_WORKLOADS),
  published: () => Promise.resolve(trusting()),
  preview: () => Promise.resolve({ succeeded: true, steps: [] }),
  config: () => Promise.resolve("its config"),
  isSettled: () => Promise.resolve(true),
};
const planned = async (members: readonly MeshMember[], more: Partial<PlanSources> = {}): Promise<PlannedMember[]> =>
  (await planUp(members, { ...settled, ...more }, 2)).members;
const of = (stack: string, ...peers: unknown[]): MeshMember =>
  memberOf(configOf({ peers, trustDomain: `apps.${stack}.example.com` }, { ...HOME, stack }));
const text = async (members: readonly MeshMember[], more: Partial<PlanSources> = {}): Promise<string> =>
  printPlan(await planned(members, more), true);

/** UPDATE_GOLDEN=1 writes the file anew. */
test("the first plan of two clusters reads as docs/start.md shows it", async () => {
  const members = [of("cluster1", "cluster2"), of("cluster2", "cluster1")];
  const shown = printPlan(await planned(members, { published: () => Promise.resolve(undefined) }));
  const file = join(__dirname, "golden", "first.txt");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, shown);
  expect(shown).toBe(readFileSync(file, "utf8"));
});

describe("the plan", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const looked = async (
    outcome: PreviewOutcome,
    roots: FirstRoots = { roots: ["ab12"], certificates: [] },
    workloads: Looked<WorkloadsThere> = NO_WORKLOADS,
  ): Promise<PlannedMember> => {
    const [plan] = await planned([memberOf(configOf({ peers: ["cluster2"] }))], {
      roots: () => Promise.resolve(roots),
      ownRoots: () => Promise.resolve([upstream.pem]),
      workloads: () => Promise.resolve(workloads),
      published: (name) =>
        Promise.resolve({ ...trusting(), ...(name.endsWith("cluster2") && { federation: contract("cluster2") }) }),
      preview: () => Promise.resolve(outcome),
    });
    if (plan === undefined) throw new Error("nothing was planned");
    return plan;
  };

  test("says trust first, then that the SPIRE server restarts, then the resources", async () => {
    const type = "kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch";
    const plan = await looked({ succeeded: true, steps: [{ op: "update", type, name: "spire-server-server" }] });
    expect(plan.restarts).toBe(true);
    expect(printPlan([plan], true)).toBe(
      [
        "Trust",
        "  + cluster1 will trust apps.cluster2.example.com (cluster2) at https://federation.apps.cluster2.example.com; root sha256 ab12",
        "Restarts",
        "  SPIRE server of cluster1",
        "Resources",
        "  cluster1  1 to update",
        "    update  SpireServerPatch spire-server-server",
        "",
      ].join("\n"),
    );
  });

  test.each([
    ["static", true],
    ["dynamic", false],
  ])(
    "a peer that joins in the same up restarts the SPIRE server that lists it: %s",
    async (federatesWith, restarts) => {
      const lists = memberOf(configOf({ peers: ["cluster2"], federatesWith }));
      const [one] = await planned([lists, of("cluster2", "cluster1")]);
      expect([one?.trust.waitsFor, one?.restarts]).toEqual([["cluster2"], restarts]);
      // One that is not part of this up publishes nothing meanwhile.
      expect((await planned([lists]))[0]?.restarts).toBe(false);
    },
  );

  test("says which workloads get identities with it, and warns of those that get none", async () => {
    const shop = { object: "ClusterSPIFFEID shop", pods: 3, trustDomains: ["apps.cluster2.example.com"] };
    const stray = {
      object: "ClusterSPIFFEID stray",
      pods: 1,
      trustDomains: ["apps.cluster2.example.com", "elsewhere"],
    };
    const kept = { object: "ClusterStaticEntry kept", trustDomains: ["trusted.example.com"] };
    const asked = [{ object: "ClusterFederatedTrustDomain t", trustDomain: "trusted.example.com" }];
    const there = { seen: { objects: [shop, stray, kept], unlisted: [], asked } };
    const plan = await looked({ succeeded: true, steps: [] }, undefined, there);
    expect(plan.workloads).toEqual({ served: [shop], refused: [{ ...stray, missing: ["elsewhere"] }], unknown: [] });
    const shown = printPlan([plan]);
    expect(shown).toContain(
      "+ cluster1: ClusterSPIFFEID shop (3 pods) will get identities: it federates with apps.cluster2",
    );
    expect(shown).toContain(
      "! cluster1: ClusterSPIFFEID stray (1 pod) gets no identities: it federates with elsewhere, ",
    );
    expect(shown).not.toContain("kept");
  });

  test("says of workloads that cannot be read that it is not known, also where nothing changes", async () => {
    const plan = await looked({ succeeded: true, steps: [] }, undefined, { because: "no answer within 10 s" });
    expect(printPlan([plan])).toContain("? cluster1: effect on workloads unknown: no answer within 10 s\n");
  });

  test.each<[string, Partial<PlanSources>, boolean]>([
    ["nothing else", {}, false],
    ["other outputs", { preview: () => Promise.resolve({ succeeded: true, steps: [], outputsChange: true }) }, true],
    ["an interrupted run", { isSettled: () => Promise.resolve(false) }, true],
    ["a state that cannot be read", { isSettled: () => Promise.reject(new Error("no passphrase")) }, true],
    ["a loss of trust", { published: () => Promise.resolve(trusting("gone")) }, true],
    ["a peer without a stack", { published: () => Promise.resolve(undefined) }, true],
  ])("%s: whether an up would run", async (_, more, expected) => {
    const [plan] = await planned([of("cluster1")], more);
    expect(plan?.changes).toBe(expected);
    expect(printPlan([plan as PlannedMember])).toMatch(expected ? /^(?!nothing to change)/ : /^nothing to change$/m);
  });

  test("the command that deletes the bundle of a peer that goes names the trust domain, which alone is known afterwards", async () => {
    const shown = await text([of("cluster1")], { published: () => Promise.resolve(trusting("gone")) });
    expect(shown).toContain("npx spire-federation remove apps.gone.example.com deletes it");
  });

  test("one that could not see what it would say is incomplete", async () => {
    const blind = await looked({ succeeded: true, steps: [] }, undefined, { because: "no answer within 10 s" });
    const rootless = await looked({ succeeded: true, steps: [] }, { rootsUnknown: "no answer within 10 s" });
    const whole = await looked({ succeeded: true, steps: [] });
    expect([blind, rootless, whole].map(isIncomplete)).toEqual([true, true, false]);
  });

  test.each([
    ['unknown stack "organization/spire-federation/new"', /^unknown stack ".*\/new"; npx spire-federation up creates/],
    [
      'failed calling webhook "webhook.cert-manager.io": x509: certificate signed by unknown authority',
      /^failed calling webhook .*; cert-manager's webhook does not answer yet.*again/,
    ],
    ["something else", /^something else$/],
  ])("an error comes with its cure: %s", async (error, says) => {
    const plan = await looked({ succeeded: false, errors: [error] });
    expect(plan.errors.join()).toMatch(says);
  });

  test("keys that cannot be known yet are said to be, with the cause", async () => {
    const plan = await looked({ succeeded: true, steps: [] }, { rootsUnknown: "no answer" });
    expect(plan.trust.gains[0]).toMatchObject({ peer: "cluster2", rootsUnknown: "no answer" });
    expect(printPlan([plan])).toContain("its keys are not known yet: no answer");
  });

  test("a root that vouches for two trust domains is warned of, also where nothing changes", async () => {
    const root = upstream.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
    const plan = await looked({ succeeded: true, steps: [] }, { roots: ["ab12"], certificates: [upstream.pem] });
    expect(plan.sharedRoots).toEqual([
      { root, trustDomains: ["apps.cluster1.example.com", "apps.cluster2.example.com"] },
    ]);
    expect(plan.trust.gains[0]).not.toHaveProperty("certificates");
    expect(printPlan([plan])).toMatch(
      new RegExp(
        `! cluster1: apps.cluster1.example.com, apps.cluster2.example.com have the same X.509 root .sha256 ${root}`,
      ),
    );
    expect((await looked({ succeeded: true, steps: [] })).sharedRoots).toEqual([]);
  });

  test("a peer that comes up in the same run is named by its trust domain, another one by its stack", async () => {
    const shown = await text([of("cluster1", "cluster2", "far"), of("cluster2")], {
      published: () => Promise.resolve(undefined),
    });
    expect(shown).toContain(
      "+ cluster1 will trust apps.cluster2.example.com (cluster2); its keys are not known before its endpoint answers",
    );
    expect(shown).toContain("… cluster1 will wait for far,");
  });

  test("a member that is still to be made is no error, and what is not known before is said once", async () => {
    const previewed: string[] = [];
    const plan = await planned([of("cluster1", "cluster3"), of("cluster2"), of("cluster3", "cluster1")], {
      published: (name) => Promise.resolve(name === id("cluster3") ? undefined : trusting()),
      preview: (name) => {
        previewed.push(name);
        return Promise.resolve({ succeeded: true, steps: [] });
      },
    });
    expect(previewed).toEqual([id("cluster2")]);
    expect(plan.map(({ changes }) => changes)).toEqual([true, false, true]);
    expect(printPlan(plan, true)).toBe(
      [
        "Trust",
        "  + cluster1 will trust apps.cluster3.example.com (cluster3); its keys are not known before its endpoint answers",
        "  + cluster3 will trust apps.cluster1.example.com (cluster1); its keys are not known before its endpoint answers",
        "Restarts",
        "  SPIRE server of cluster1, cluster3",
        "Resources",
        "  more changes are known only after up has created stack cluster3",
        "",
      ].join("\n"),
    );
  });

  test("a peer that publishes nothing any more is said to be kept, and how to end the trust", async () => {
    const shown = await text([of("cluster1", "gone")], {
      published: (name) =>
        Promise.resolve(name === id("cluster1") ? trusting("gone") : { pendingPeers: [], peers: {} }),
    });
    expect(shown).toMatch(
      /! cluster1 will keep trusting apps\.gone\.example\.com \(gone\): .*peers, or run .*spire-federation remove/,
    );
  });

  test("a member that does not name another one back is warned of, unless trust is to go one way", async () => {
    const shown = (peer: unknown): Promise<string> =>
      text([of("cluster1", peer), of("cluster2")], {
        published: () => Promise.resolve({ ...trusting(), federation: contract("cluster2") }),
      });
    const oneWay = await shown({ stack: "cluster2", trust: "oneway" });
    expect(oneWay).toContain("+ cluster1 will trust apps.cluster2.example.com (cluster2) one way at https://");
    expect(oneWay).not.toContain("Warnings");
    expect(await shown("cluster2")).toMatch(
      /! cluster1: cluster2 will not trust apps\.cluster1\.example\.com, since cluster1 is not among its peers\. .*trust: oneway for cluster2/,
    );
  });

  test("a peer that is no stack is trusted as the config describes it, and its first bundle is its endpoint's", async () => {
    const partner = {
      name: "partner",
      trustDomain: "partner.example.org",
      bundleEndpointUrl: "https://spire.example.org",
    };
    const asked: unknown[] = [];
    const shown = await text([memberOf(configOf({ peers: [partner] }))], {
      roots: ({ peer, bootstrap }) => {
        asked.push([peer.stack, peer.bundleEndpointUrl, bootstrap]);
        return Promise.resolve({ roots: ["ab12"], certificates: [] });
      },
    });
    expect(shown).toContain(
      "+ cluster1 will trust partner.example.org (partner) at https://spire.example.org; root sha256 ab12",
    );
    expect(asked).toEqual([["partner", "https://spire.example.org", undefined]]);
  });

  test("trust that ends is named, also in those whom others have listed", async () => {
    const taken = memberOf(configOf({ peers: ["cluster2"], spireServer: { takeOver: ["federation"] } }));
    const asked = [
      { object: "SpireServer cluster (spec.federation.federatesWith)", trustDomain: "theirs.example.org" },
    ];
    const shown = await text([taken], {
      workloads: () => Promise.resolve({ seen: { asked, objects: [], unlisted: [] } }),
    });
    expect(shown).toMatch(/^ {2}- cluster1 will stop trusting theirs\.example\.org, which somebody else lists/m);
  });

  test("a bundle that is fetched from another URL is shown with its keys, as that of a new peer is", async () => {
    const url = "https://before.example.com";
    const asked = [
      { object: "ClusterFederatedTrustDomain cluster2-federation", trustDomain: "apps.cluster2.example.com", url },
    ];
    const shown = await text([of("cluster1", "cluster2")], {
      published: () => Promise.resolve({ ...trusting("cluster2"), federation: contract("cluster2") }),
      workloads: () => Promise.resolve({ seen: { asked, objects: [], unlisted: [] } }),
    });
    expect(shown).toContain(
      "~ cluster1 will fetch the bundle of apps.cluster2.example.com (cluster2) anew, from " +
        `https://federation.apps.cluster2.example.com instead of ${url}; root sha256 ab12`,
    );
  });

  test("a member of which nothing can be said is named with the cause alone: nothing of it would come true", async () => {
    const failing = {
      preview: () => Promise.resolve({ succeeded: false as const, errors: ["context: no such\ncluster"] }),
    };
    expect(await text([of("cluster1")], failing)).toBe("Problems\n  × cluster1: context: no such\n    cluster\n");
  });
});

describe("a plan of many", () => {
  const names = Array.from({ length: 50 }, (_, n) => `c${String(n)}`);
  const mesh = (...without: [string, string][]): MeshMember[] =>
    names.map((name) =>
      of(name, ...names.filter((peer) => peer !== name && !without.some(([a, b]) => a === name && b === peer))),
    );
  const lines = (shown: string): string[] => shown.split("\n").slice(0, -1);

  test("from nothing says once that all will trust each other, and names the exceptions", async () => {
    const fresh = { published: () => Promise.resolve(undefined) };
    const shown = lines(await text(mesh(), fresh));
    expect(shown).toHaveLength(6);
    expect(shown[1]).toBe(
      "  + all 50 members will trust each other; their keys are not known before their endpoints answer",
    );
    const except = lines(await text(mesh(["c1", "c2"], ["c4", "c3"]), fresh));
    expect(except[2]).toBe("    2 exceptions: c1 → c2, c4 → c3");
  });

  test("says once whom all others begin to trust, and with which keys; a few are named", async () => {
    const plan = await planned(mesh(), {
      published: (stack) => {
        const name = stack.split("/").at(-1) ?? "";
        const trusted = names.filter((peer) => peer !== name && peer !== "c7" && !(peer === "c8" && name === "c0"));
        return Promise.resolve({ ...trusting(...trusted), federation: contract(name) });
      },
    });
    expect(lines(printPlan(plan)).slice(1)).toEqual([
      "  + all 49 other members will trust apps.c7.example.com (c7) at https://federation.apps.c7.example.com; root sha256 ab12",
      "  + c0 will trust apps.c8.example.com (c8) at https://federation.apps.c8.example.com; root sha256 ab12",
    ]);
  });

  test("says a common problem once", async () => {
    const failing = { preview: () => Promise.resolve({ succeeded: false as const, errors: ["the backend is away"] }) };
    expect(lines(await text(mesh(), failing)).filter((line) => line.includes("backend"))).toEqual([
      "  × all 50 members: the backend is away",
    ]);
  });
});

test("a stack that cannot be read costs nobody else his preview, and no trust is said to end for it", async () => {
  const result = await planned([of("cluster1", "cluster2"), of("cluster2", "cluster1")], {
    published: (name) =>
      name.endsWith("cluster2") ? Promise.reject(new Error("no passphrase")) : Promise.resolve(trusting("cluster2")),
    preview: (name) =>
      Promise.resolve(
        name === id("cluster2") ? { succeeded: false, errors: ["no passphrase"] } : { succeeded: true, steps: [] },
      ),
  });
  expect(result).toMatchObject([
    {
      member: "cluster1",
      trust: { gains: [], loses: [], keeps: [], waitsFor: [] },
      errors: [],
      unread: ["cluster2: its stack cannot be read: no passphrase"],
    },
    { member: "cluster2", errors: ["no passphrase"], trust: { loses: [] } },
  ]);
  expect(printPlan(result)).not.toContain("nothing to change");
});
