import { type ClusterReader, Forbidden, type KubeObject } from "../../../components/cluster/cluster";
import { FEDERATION_CLASS } from "../../../components/shared/names";
import type { Published } from "../../../mesh/pulumi/workspace";
import { drift, driftExit, type DriftMember, printDrift } from "../../../mesh/drift/drift";
import type { MeshMember } from "../../../mesh/members/members";
import type { SpireServer } from "../../../mesh/spire/spireServer";
import type { Contract } from "../../../stacks/contract";
import { issue, root } from "../../components/issue";
import { clusterOf } from "../../components/readers";
import { configOf } from "../../stacks/fixtures";
import { HOME, memberOf } from "../members/given";
import type { HeldBundle } from "../../../mesh/spire/bundle";
import type { DriftOutcome } from "../../../mesh/pulumi/outcomes";

const names = ["cluster1", "cluster2"];
const trustDomainOf = (name: string): string => `apps.${name}.example.com`;
const peerOf = (name: string): string => (name === "cluster1" ? "cluster2" : "cluster1");
const member = (name: string): MeshMember =>
  memberOf(
    configOf(
      { context: name, trustDomain: trustDomainOf(name), peers: [peerOf(name)], federatesWith: "dynamic" },
      { ...HOME, stack: name },
    ),
  );
const members = names.map(member);

const roots = new Map(names.map((name) => [name, root(trustDomainOf(name)).certificate.raw]));
const bundleOf = (name: string): HeldBundle => ({
  trustDomain: trustDomainOf(name),
  roots: [roots.get(name) ?? Buffer.of()],
  jwtKeys: [],
});

/** Two members that trust each other, and what of that is otherwise. */
interface Otherwise {
  readers?: Record<string, ClusterReader>;
  servers?: Record<string, Partial<SpireServer>>;
  logs?: Record<string, string>;
  outcome?: DriftOutcome;
  members?: MeshMember[];
  endpoint?: (peer: Contract) => Promise<HeldBundle>;
}

const unasked = (): Promise<never> => Promise.reject(new Error("is not asked"));

const serverOf = (name: string): SpireServer => ({
  program: () => Promise.resolve("/opt/spire/bin/spire-server"),
  ownBundle: () => Promise.resolve(bundleOf(name)),
  signing: () => Promise.reject(new Error("is not asked")),
  bundles: () => Promise.resolve([bundleOf(peerOf(name))]),
  relationships: () => Promise.resolve([trustDomainOf(peerOf(name))]),
  polls: () => Promise.reject(new Error("changes something")),
  forget: () => Promise.reject(new Error("changes something")),
});

function look({
  readers = {},
  servers = {},
  logs = {},
  outcome,
  members: chosen = members,
  endpoint = unasked,
}: Otherwise): Promise<DriftMember[]> {
  const published = (reference: string): Promise<Published> => {
    const name = reference.split("/").at(-1) ?? "";
    const trustDomain = trustDomainOf(name);
    return Promise.resolve({
      federation: { version: 1, trustDomain, bundleEndpointUrl: `https://${trustDomain}`, profile: "https_web" },
      pendingPeers: [],
      peers: { [peerOf(name)]: { trustDomain: trustDomainOf(peerOf(name)), fingerprints: [] } },
    });
  };
  const server = (name: string): SpireServer => ({ ...serverOf(name), ...servers[name] });
  return drift(
    chosen,
    members,
    { published, drift: () => Promise.resolve(outcome ?? { succeeded: true, objects: [] }) },
    {
      cluster: ({ context = "" }) => ({
        reader: readers[context] ?? clusterOf(),
        server: server(context),
        log: () => Promise.resolve(logs[context] ?? ""),
      }),
      endpoint,
    },
    4,
  );
}

const said = (result: DriftMember[]): string[][] =>
  result.map(({ findings, unchecked }) => [
    ...findings.map(({ code, object }) => `${code} ${object}`),
    ...unchecked.map(({ what }) => `not checked: ${what}`),
  ]);
const extra: KubeObject = {
  apiVersion: "spire.spiffe.io/v1alpha1",
  kind: "ClusterFederatedTrustDomain",
  metadata: { name: "extra" },
  ...{ spec: { trustDomain: "other.example.com", className: FEDERATION_CLASS } },
};
const forbidden = (): Promise<never> => Promise.reject(new Forbidden("403"));

test("a mesh that is as its stacks say has no findings", async () => {
  const result = await look({});
  expect(said(result)).toEqual([[], []]);
  expect(driftExit(result)).toBe(0);
  expect(printDrift(result)).toContain("no drift");
});

test("a trust domain that an object names by a SPIFFE ID is the same, also in the cure", async () => {
  const naming = (name: string, trustDomain: string): KubeObject =>
    ({ ...extra, metadata: { name }, spec: { trustDomain, className: FEDERATION_CLASS } }) as KubeObject;
  const cluster1 = clusterOf(
    naming("cluster2-federation", `spiffe://${trustDomainOf("cluster2")}`),
    naming("extra", "spiffe://other.example.com/ns/x"),
  );
  const [first] = await look({ readers: { cluster1 } });
  expect(first?.findings.map(({ code, object }) => `${code} ${object}`)).toEqual([
    "trust-domain-undeclared ClusterFederatedTrustDomain extra",
  ]);
  expect(first?.findings[0]?.cure).toContain(" -id spiffe://other.example.com ");
});

test("what was expected is shown where it is known", () => {
  const finding = { member: "cluster1", code: "object-changed" as const, object: "Role r", found: "x", cure: "c" };
  const shown = (expected?: string): string =>
    printDrift([
      {
        member: "cluster1",
        trustDomain: "a",
        findings: [{ ...finding, ...(expected !== undefined && { expected }) }],
        unchecked: [],
      },
    ]);
  expect(shown()).not.toContain("expected:");
  expect(shown("y")).toContain("expected: y");
});

test("no password is shown, wherever it comes from", async () => {
  const errors = ["cannot open postgres://u:geheim@geheim@h/db"];
  const result = await look({ outcome: { succeeded: false, errors } });
  expect(said(result)[0]).toEqual(["not checked: the stack's objects"]);
  expect(JSON.stringify(result)).toContain("postgres://u:(not shown)@h/db");
  expect(JSON.stringify(result)).not.toContain("geheim");
});

test("a root that is no certificate costs its own line, and nobody else the look", async () => {
  const odd = { ...bundleOf("cluster2"), roots: [Buffer.from("no certificate")] };
  const servers = { cluster1: { bundles: () => Promise.resolve([odd]) } };
  const result = await look({ servers, readers: { cluster2: clusterOf(extra) } });
  const [first, second] = said(result);
  expect(first).toEqual([`not checked: the bundle that it holds of ${trustDomainOf("cluster2")}`]);
  expect(second?.[0]).toBe("trust-domain-undeclared ClusterFederatedTrustDomain extra");
});

test("a JWT key that a peer has revoked is found once the next poll is due, and is unknown until then", async () => {
  const key = { id: "revoked", publicKey: Buffer.from("key") };
  const held = { ...bundleOf("cluster2"), jwtKeys: [key], refreshHint: 300 };
  const servers = { cluster1: { bundles: () => Promise.resolve([held]) } };
  const refreshed = (secondsAgo: number): string => {
    const time = new Date(Date.now() - secondsAgo * 1000).toISOString();
    return `time="${time}" level=info msg="Bundle refreshed" trust_domain=${trustDomainOf("cluster2")}`;
  };
  const late = await look({ servers, logs: { cluster1: refreshed(600) } });
  expect(said(late)[0]).toEqual([`bundle-foreign bundle ${trustDomainOf("cluster2")}`]);
  const recent = await look({ servers, logs: { cluster1: refreshed(10) } });
  expect(said(recent)[0]).toEqual([`not checked: the bundle that it holds of ${trustDomainOf("cluster2")}`]);
  expect(driftExit(recent)).toBe(3);
});

test("who may not exec in the SPIRE servers is told what that leaves out, and everything else is looked at", async () => {
  const servers = { cluster1: { ownBundle: forbidden, bundles: forbidden, relationships: forbidden } };
  const result = await look({ servers, readers: { cluster2: clusterOf(extra) } });
  expect(said(result)).toEqual([
    ["not checked: the SPIRE server's own store"],
    [
      "trust-domain-undeclared ClusterFederatedTrustDomain extra",
      "not checked: the bundle that it holds of apps.cluster1.example.com",
    ],
  ]);
  expect(driftExit(result)).toBe(1);
  expect(driftExit(result.slice(0, 1))).toBe(3);
});

test("a member that cannot be reached leaves the others to be looked at", async () => {
  const unreachable = (): Promise<never> => Promise.reject(new Error("no answer within 10 s"));
  const result = await look({
    readers: { cluster1: { access: {}, get: unreachable, list: unreachable } },
    servers: { cluster1: { ownBundle: unreachable } },
  });
  expect(said(result)).toEqual([
    ["not checked: everything"],
    ["not checked: the bundle that it holds of apps.cluster1.example.com"],
  ]);
  expect(result[0]?.unchecked).toEqual([{ member: "cluster1", what: "everything", because: "no answer within 10 s" }]);
});

test("a stack that cannot be previewed is not taken for one without drift", async () => {
  const result = await look({ outcome: { succeeded: false, errors: ["there is no stack"] } });
  expect(said(result)).toEqual([["not checked: the stack's objects"], ["not checked: the stack's objects"]]);
  expect(driftExit(result)).toBe(3);
});

test("only chosen members are looked at, and their peers are asked for their own bundles all the same", async () => {
  const servers = {
    cluster2: { ownBundle: () => Promise.resolve({ ...bundleOf("cluster2"), roots: [issue("x").certificate.raw] }) },
  };
  const result = await look({ members: members.slice(0, 1), servers });
  expect(said(result)).toEqual([["bundle-foreign bundle apps.cluster2.example.com"]]);
});

describe("a peer of another project, though a member has the same name,", () => {
  const far = "organization/other/cluster2";
  const here = member("cluster2");
  const config = configOf({ peers: [far], federatesWith: "dynamic" });
  const looked = (endpoint: (peer: Contract) => Promise<HeldBundle>): Promise<DriftMember[]> =>
    look({ members: [memberOf(config), here], endpoint });

  test("is asked at its endpoint what its keys are", async () => {
    const [result] = await looked(({ bundleEndpointUrl }) =>
      Promise.resolve({ ...bundleOf("cluster1"), trustDomain: bundleEndpointUrl }),
    );
    expect(result?.findings.map(({ code }) => code)).toEqual(["bundle-foreign"]);
  });

  test("that doesn't answer leaves what is held of it unchecked", async () => {
    const [result] = await looked(() => Promise.reject(new Error("HTTP status 503")));
    expect(result?.unchecked.map(({ what }) => what)).toEqual([
      "the bundle that it holds of apps.cluster2.example.com",
    ]);
  });
});

test("trust that somebody has begun by the name of a peer that has published nothing is found", async () => {
  const cluster1 = memberOf(configOf({ context: "cluster1", peers: ["cluster9"], federatesWith: "dynamic" }));
  const { spec } = extra as KubeObject & { spec: object };
  const object = { ...extra, metadata: { name: "cluster9-federation" }, spec };
  const other = { ...bundleOf("cluster2"), trustDomain: "other.example.com" };
  const server = {
    ...serverOf("cluster1"),
    bundles: () => Promise.resolve([other]),
    relationships: () => Promise.resolve([other.trustDomain]),
  };
  const result = await drift(
    [cluster1],
    [cluster1],
    {
      published: () => Promise.resolve({ pendingPeers: ["cluster9"], peers: {} }),
      drift: () => Promise.resolve({ succeeded: true, objects: [] }),
    },
    {
      cluster: () => ({ reader: clusterOf(object), server, log: () => Promise.resolve("") }),
      endpoint: unasked,
    },
    1,
  );
  expect(said(result)).toEqual([["trust-domain-undeclared ClusterFederatedTrustDomain cluster9-federation"]]);
});

describe("a peer that is no stack", () => {
  const partner = {
    name: "cluster2",
    trustDomain: trustDomainOf("cluster2"),
    bundleEndpointUrl: "https://spire.example.org",
  };
  const config = configOf({ peers: [partner], federatesWith: "dynamic" });

  test("is asked at the endpoint that the config says, and what it serves is what is to be held", async () => {
    const asked: string[] = [];
    const endpoint = ({ bundleEndpointUrl }: Contract): Promise<HeldBundle> => {
      asked.push(bundleEndpointUrl);
      return Promise.resolve(bundleOf("cluster2"));
    };
    expect(said(await look({ members: [memberOf(config)], endpoint }))).toEqual([[]]);
    expect(asked).toEqual(["https://spire.example.org"]);
    const other = (): Promise<HeldBundle> => Promise.resolve(bundleOf("cluster1"));
    expect(said(await look({ members: [memberOf(config)], endpoint: other }))).toEqual([
      ["bundle-foreign bundle apps.cluster2.example.com"],
    ]);
  });
});

test("who may read some objects of a cluster and not others is told which", async () => {
  const reader = clusterOf(extra);
  const get = (...what: Parameters<ClusterReader["get"]>) =>
    what[1] === "ConfigMap" ? reader.get(...what) : forbidden();
  const [result] = await look({ readers: { cluster1: { ...reader, get } as ClusterReader } });
  expect(said(result === undefined ? [] : [result])).toEqual([
    ["trust-domain-undeclared ClusterFederatedTrustDomain extra", "not checked: federatesWith of the SpireServer"],
  ]);
});

test("a cure runs the program that the SPIRE server's image has", async () => {
  const missing = { cluster1: { bundles: () => Promise.resolve([]) } };
  const [found] = await look({ servers: missing });
  expect(found?.findings.map(({ cure }) => cure)).toEqual([
    expect.stringContaining(" -c spire-server -- /opt/spire/bin/spire-server federation refresh -id apps.cluster2"),
  ]);
  const unseen = { cluster1: { ...missing.cluster1, program: () => Promise.reject(new Error("no answer")) } };
  const [by] = await look({ servers: unseen });
  expect(by?.findings.map(({ cure }) => cure)).toEqual([
    expect.stringContaining(" -c spire-server -- /spire-server federation refresh -id apps.cluster2"),
  ]);
});

describe("a stack that cannot be read", () => {
  const outputs = (name: string, trusted: boolean): Published => ({
    pendingPeers: [],
    peers: trusted ? { [peerOf(name)]: { trustDomain: trustDomainOf(peerOf(name)), fingerprints: [] } } : {},
  });
  /** Drift of cluster1, whose cluster has a relationship and a bundle of cluster2. */
  const looked = (unread: string, trusted = true): Promise<DriftMember[]> =>
    drift(
      members,
      members,
      {
        published: (reference) => {
          const name = reference.split("/").at(-1) ?? "";
          return name === unread ? Promise.reject(new Error("no passphrase")) : Promise.resolve(outputs(name, trusted));
        },
        drift: () => Promise.resolve({ succeeded: true, objects: [] }),
      },
      {
        cluster: ({ context = "" }) => ({
          reader: clusterOf(),
          server: serverOf(context),
          log: () => Promise.resolve(""),
        }),
        endpoint: unasked,
      },
      1,
    );

  test("leaves the others judged by what they themselves trust, and says what was not compared", async () => {
    const [first] = await looked("cluster2");
    expect(first?.findings).toEqual([]);
    expect(first?.unchecked.map(({ what }) => what)).toEqual([
      "whether it trusts cluster2 as cluster2 publishes itself",
    ]);
  });

  test("makes nobody's trust look undeclared: what is not known is not judged", async () => {
    for (const result of [await looked("cluster1"), await looked("cluster2", false)]) {
      const [first] = result;
      expect(first?.findings).toEqual([]);
      expect(first?.unchecked.map(({ what }) => what)).toContain("the SPIRE server's own store");
    }
  });
});
