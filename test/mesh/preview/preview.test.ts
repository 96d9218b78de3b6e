import type { Published } from "../../../mesh/pulumi/workspace";
import type { MeshMember } from "../../../mesh/members/members";
import { changes, isIncomplete, preview, type PreviewMember, printPreview } from "../../../mesh/preview/preview";
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
  const changes = trustChanges(["new", "kept", "silent", "gone"], publications, trusting("kept", "left", "gone"));

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
    expect(trustChanges(["renamed", "moved"], publishing, trusting("kept", "moved"))).toEqual({
      gains: [{ peer: "moved", trustDomain: moved.trustDomain, bundleEndpointUrl: moved.bundleEndpointUrl }],
      loses: [{ peer: "moved", trustDomain: "apps.moved.example.com", now: moved.trustDomain }],
      keeps: [],
      waitsFor: [],
    });
  });
});

const NO_WORKLOADS: Looked<WorkloadsThere> = { seen: { asked: [], objects: [], unlisted: [] } };

describe("preview", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const member = memberOf(configOf({ peers: ["cluster2"] }));
  const looked = (
    outcome: PreviewOutcome,
    roots: FirstRoots = { roots: ["ab12"], certificates: [] },
    workloads?: Looked<WorkloadsThere>,
  ): ReturnType<typeof preview> =>
    preview(
      [member],
      {
        roots: ({ peer: { trustDomain } }) =>
          Promise.resolve(trustDomain === "apps.cluster2.example.com" ? roots : { roots: [], certificates: [] }),
        ownRoots: () => Promise.resolve([upstream.pem]),
        workloads: () => Promise.resolve(workloads ?? NO_WORKLOADS),
        published: (name) =>
          Promise.resolve(
            name.endsWith("cluster2")
              ? { pendingPeers: [], peers: {}, federation: contract("cluster2") }
              : { pendingPeers: [], peers: {} },
          ),
        preview: () => Promise.resolve(outcome),
      },
      2,
    );

  test("says trust first, then that the SPIRE server restarts, then the resources", async () => {
    const type = "kubernetes:operator.openshift.io/v1alpha1:SpireServerPatch";
    const result = await looked({ succeeded: true, steps: [{ op: "update", type, name: "spire-server-server" }] });
    expect(result[0]?.restarts).toBe(true);
    expect(
      printPreview(result)
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual([
      "cluster1 (apps.cluster1.example.com)",
      "will trust apps.cluster2.example.com (cluster2), https://federation.apps.cluster2.example.com, root sha256 ab12",
      "its SPIRE server will restart",
      "update  SpireServerPatch spire-server-server",
      "",
    ]);
  });

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
    const result = await looked({ succeeded: true, steps: [] }, undefined, there);
    expect(result[0]?.workloads).toEqual({
      served: [shop],
      refused: [{ ...stray, missing: ["elsewhere"] }],
      unknown: [],
    });
    const text = printPreview(result);
    expect(text).toContain("  ClusterSPIFFEID shop (3 pods) will get identities: it federates with apps.cluster2");
    expect(text).toMatch(
      / {2}warning: ClusterSPIFFEID stray \(1 pod\) gets no identities: it federates with elsewhere, /,
    );
    expect(text).not.toContain("kept");
  });

  test("says of workloads that cannot be read that it is not known, also where nothing changes", async () => {
    const result = await looked({ succeeded: true, steps: [] }, undefined, { because: "no answer within 10 s" });
    expect(printPreview(result)).toContain("  what it does to workloads is not known: no answer within 10 s\n");
  });

  test("trust and outputs that an up would change are changes, though no resource is", async () => {
    const [gains] = await looked({ succeeded: true, steps: [] });
    expect(gains && changes(gains)).toBe(true);
    const settled = { ...gains, trust: { gains: [], loses: [], keeps: [], waitsFor: [] } } as PreviewMember;
    expect([changes(settled), changes({ ...settled, outputsChange: true })]).toEqual([false, true]);
  });

  test("a preview that could not see what it would say is incomplete", async () => {
    const [blind] = await looked({ succeeded: true, steps: [] }, undefined, { because: "no answer within 10 s" });
    const [whole] = await looked({ succeeded: true, steps: [] });
    expect([blind, whole].map((one) => one && isIncomplete(one))).toEqual([true, false]);
  });

  test("a peer whose stack is still to be made is an error with its cure", async () => {
    const [result] = await looked({ succeeded: false, errors: ['unknown stack "organization/spire-federation/new"'] });
    expect(result?.errors.join()).toMatch(/unknown stack ".*\/new"; npx spire-federation up creates/);
  });

  test("roots that cannot be known yet are said to be, with the cause", async () => {
    const result = await looked({ succeeded: true, steps: [] }, { rootsUnknown: "curl: (6)" });
    expect(result[0]?.trust.gains[0]).toMatchObject({ peer: "cluster2", rootsUnknown: "curl: (6)" });
    expect(printPreview(result)).toContain("roots not known yet: curl: (6)");
  });

  test("a root that vouches for two trust domains is warned of, also where nothing changes", async () => {
    const shared = { roots: ["ab12"], certificates: [upstream.pem] };
    const root = upstream.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
    const result = await looked({ succeeded: true, steps: [] }, shared);
    expect(result[0]?.sharedRoots).toEqual([
      { root, trustDomains: ["apps.cluster1.example.com", "apps.cluster2.example.com"] },
    ]);
    expect(result[0]?.trust.gains[0]).not.toHaveProperty("certificates");
    expect(printPreview(result)).toMatch(
      new RegExp(
        `  warning: apps.cluster1.example.com, apps.cluster2.example.com have the same X.509 root .sha256 ${root}`,
      ),
    );
    expect((await looked({ succeeded: true, steps: [] }))[0]?.sharedRoots).toEqual([]);
  });

  test("a peer that comes up in the same run is named by its trust domain, another one by its stack", async () => {
    const waiting = (stack: string, ...peers: string[]): MeshMember =>
      memberOf(configOf({ peers, trustDomain: `apps.${stack}.example.com` }, { ...HOME, stack }));
    const result = await preview(
      [waiting("cluster1", "cluster2", "far"), waiting("cluster2")],
      {
        roots: () => Promise.reject(new Error("nobody is there to be asked")),
        ownRoots: () => Promise.resolve([]),
        workloads: () => Promise.resolve(NO_WORKLOADS),
        published: () => Promise.resolve(undefined),
        preview: () => Promise.resolve({ succeeded: true, steps: [] }),
      },
      2,
    );
    expect(printPreview(result)).toContain("will trust apps.cluster2.example.com (cluster2) when its endpoint answers");
    expect(printPreview(result)).toContain("waits for far,");
  });

  test("a member that is still to be made is no error, and neither is one that waits for its stack", async () => {
    const of = (stack: string, ...peers: string[]): MeshMember =>
      memberOf(configOf({ peers, trustDomain: `apps.${stack}.example.com` }, { ...HOME, stack }));
    const previewed: string[] = [];
    const result = await preview(
      [of("cluster1", "cluster3"), of("cluster2"), of("cluster3", "cluster1")],
      {
        roots: () => Promise.resolve({ roots: [], certificates: [] }),
        ownRoots: () => Promise.resolve([]),
        workloads: () => Promise.resolve(NO_WORKLOADS),
        published: (name) => Promise.resolve(name === id("cluster3") ? undefined : trusting()),
        preview: (name) => {
          previewed.push(name);
          return Promise.resolve({ succeeded: true, steps: [] });
        },
      },
      2,
    );
    expect(previewed).toEqual([id("cluster2")]);
    expect(result.map(changes)).toEqual([true, false, true]);
    expect(printPreview(result)).toBe(
      [
        "cluster1 (apps.cluster1.example.com)",
        "  will trust apps.cluster3.example.com (cluster3) when its endpoint answers; its roots are not known before",
        "  what else changes shows once cluster3 has a stack, which up creates",
        "",
        "cluster2 (apps.cluster2.example.com)",
        "  nothing changes",
        "",
        "cluster3 (apps.cluster3.example.com)",
        "  will trust apps.cluster1.example.com (cluster1) when its endpoint answers; its roots are not known before",
        "  its stack does not exist yet; up creates it, and all that its config asks for",
        "",
      ].join("\n"),
    );
  });

  test("a peer that publishes nothing any more is said to be kept, and how to end the trust", async () => {
    const member1 = memberOf(configOf({ peers: ["gone"] }));
    const result = await preview(
      [member1],
      {
        roots: () => Promise.reject(new Error("nobody is there to be asked")),
        ownRoots: () => Promise.resolve([]),
        workloads: () => Promise.resolve(NO_WORKLOADS),
        published: (name) => Promise.resolve(name === id("cluster1") ? trusting("gone") : undefined),
        preview: () => Promise.resolve({ succeeded: true, steps: [] }),
      },
      2,
    );
    expect(printPreview(result)).toMatch(
      /keeps trusting apps\.gone\.example\.com \(gone\): .*peers, or run .*spire-federation remove/,
    );
  });

  test("trust goes one way where the config says so, and a member that does not name it back is warned of otherwise", async () => {
    const previewed = async (...peers: unknown[]): Promise<string> =>
      printPreview(
        await preview(
          [
            memberOf(configOf({ peers })),
            memberOf(configOf({ trustDomain: "apps.cluster2.example.com" }, { ...HOME, stack: "cluster2" })),
          ],
          {
            roots: () => Promise.resolve({ roots: ["ab12"], certificates: [] }),
            ownRoots: () => Promise.resolve([]),
            workloads: () => Promise.resolve(NO_WORKLOADS),
            published: () => Promise.resolve({ pendingPeers: [], peers: {}, federation: contract("cluster2") }),
            preview: () => Promise.resolve({ succeeded: true, steps: [] }),
          },
          2,
        ),
      );
    expect(await previewed({ stack: "cluster2", trust: "oneway" })).toMatch(
      /^  will trust apps\.cluster2\.example\.com \(cluster2\) one way, (?!.*warning)/ms,
    );
    expect(await previewed("cluster2")).toMatch(
      /^  warning: cluster2 will not trust apps\.cluster1\.example\.com, since cluster1 is not among its peers\. .*trust: oneway for cluster2/m,
    );
  });

  test("a peer that is no stack is trusted as the config describes it, and its first bundle is its endpoint's", async () => {
    const partner = {
      name: "partner",
      trustDomain: "partner.example.org",
      bundleEndpointUrl: "https://spire.example.org",
    };
    const asked: unknown[] = [];
    const result = await preview(
      [memberOf(configOf({ peers: [partner] }))],
      {
        roots: ({ peer, bootstrap }) => {
          asked.push([peer.stack, peer.bundleEndpointUrl, bootstrap]);
          return Promise.resolve({ roots: ["ab12"], certificates: [] });
        },
        ownRoots: () => Promise.resolve([]),
        workloads: () => Promise.resolve(NO_WORKLOADS),
        published: () => Promise.resolve(undefined),
        preview: () => Promise.resolve({ succeeded: true, steps: [] }),
      },
      2,
    );
    expect(printPreview(result)).toContain(
      "will trust partner.example.org (partner), https://spire.example.org, root sha256 ab12",
    );
    expect(asked).toEqual([["partner", "https://spire.example.org", undefined]]);
  });

  test("a member of which nothing can be said is named with the cause alone: nothing of it would come true", async () => {
    expect(printPreview(await looked({ succeeded: false, errors: ["context: no such cluster"] })).split("\n")).toEqual([
      "cluster1 (apps.cluster1.example.com)",
      "  context: no such cluster",
      "",
    ]);
  });
});

test("a stack that cannot be read costs nobody else his preview, and no trust is said to end for it", async () => {
  const of = (stack: string, ...peers: string[]): MeshMember => memberOf(configOf({ peers }, { ...HOME, stack }));
  const result = await preview(
    [of("cluster1", "cluster2"), of("cluster2", "cluster1")],
    {
      roots: () => Promise.resolve({ roots: [], certificates: [] }),
      ownRoots: () => Promise.resolve([]),
      workloads: () => Promise.resolve(NO_WORKLOADS),
      published: (name) =>
        name.endsWith("cluster2") ? Promise.reject(new Error("no passphrase")) : Promise.resolve(trusting("cluster2")),
      preview: (name) =>
        Promise.resolve(
          name === id("cluster2") ? { succeeded: false, errors: ["no passphrase"] } : { succeeded: true, steps: [] },
        ),
    },
    1,
  );
  expect(result).toMatchObject([
    {
      member: "cluster1",
      trust: { gains: [], loses: [], keeps: [], waitsFor: [] },
      errors: [],
      unread: ["cluster2: its stack cannot be read: no passphrase"],
    },
    { member: "cluster2", errors: ["no passphrase"], trust: { loses: [] } },
  ]);
  expect(printPreview(result)).not.toContain("nothing changes");
});
