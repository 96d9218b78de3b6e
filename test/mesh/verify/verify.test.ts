import { Forbidden } from "../../../components/cluster";
import { objectName } from "../../../components/federatedTrustDomain";
import { configHash } from "../../../components/spireServerReadiness";
import { authorityId } from "../../../mesh/keys";
import type { Outcome } from "../../../mesh/verify/check";
import { memberChecks, pairChecks } from "../../../mesh/verify/checks";
import { printVerify, type Verification, verifyExit } from "../../../mesh/verify/verification";
import { issue, root } from "../../components/certificates";
import {
  bundleOf,
  certificateOf,
  type Cluster,
  faults,
  hostOf,
  type Live,
  look,
  memberNamed,
  NOW,
  objectIn,
  pollLine,
  presentedOf,
  removeFrom,
  trustDomainOf,
} from "./fixture";

const HOUR = 3600_000;
const one = "cluster1";

test("a mesh that is well has nothing but passing checks, in every direction", async () => {
  const healthy = await look();
  expect(faults(healthy)).toEqual([]);
  expect(healthy.pairs.map(({ member, peer }) => `${member}->${peer}`)).toHaveLength(6);
  expect(healthy.members.every(({ health }) => health === "healthy")).toBe(true);
  expect(verifyExit(healthy)).toBe(0);
});

type Change = (cluster1: Cluster, clusters: Record<string, Cluster>) => void;

const set = (kind: string, path: string, value: unknown, name?: string) => (cluster: Cluster) => {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const parent = keys.reduce<Record<string, unknown>>(
    (object, key) => (object[key] ??= {}) as Record<string, unknown>,
    objectIn(cluster, kind, name),
  );
  parent[last] = value;
};
const remove = (kind: string, name?: string) => (cluster: Cluster) => {
  removeFrom(cluster, kind, name);
};
const containerDown = (name: string) => (cluster: Cluster) => {
  const pod = objectIn(cluster, "Pod") as unknown as {
    status: {
      containerStatuses: { name: string; ready: boolean; restartCount: number; state: object; lastState?: object }[];
    };
  };
  for (const status of pod.status.containerStatuses.filter((container) => container.name === name)) {
    status.ready = false;
    status.restartCount = 7;
    status.state = { waiting: { reason: "CrashLoopBackOff" } };
    status.lastState = { terminated: { exitCode: 1 } };
  }
};
const notReady = {
  conditions: [{ type: "Ready", status: "False", reason: "ErrRegisterACMEAccount", message: "no route to host" }],
};
const trustObject = (name: string, spec: object): Live => ({
  apiVersion: "spire.spiffe.io/v1alpha1",
  kind: "ClusterFederatedTrustDomain",
  metadata: { name },
  spec,
});
const CLASS = "zero-trust-workload-identity-manager-spire";
const CFTD = "ClusterFederatedTrustDomain";

/** One thing is wrong in cluster1; which checks fail, and what the cure of the first says. */
const FAULTS: [string, Change, string[], RegExp][] = [
  [
    "the API server doesn't answer",
    (c) => (c.version = () => Promise.reject(new Error("no answer within 10 s"))),
    ["cluster1 MESH101"],
    /oc --context cluster1 version/,
  ],
  [
    "cert-manager is down",
    set("Deployment", "status.readyReplicas", 0),
    ["cluster1 MESH102"],
    /get csv,deployments,pods/,
  ],
  ["cert-manager is not there", remove("Subscription"), ["cluster1 MESH102"], /get csv,deployments,pods/],
  [
    "another trust domain",
    set("ZeroTrustWorkloadIdentityManager", "spec.trustDomain", "elsewhere"),
    ["cluster1 MESH103"],
    /Pulumi\.cluster1\.yaml/,
  ],
  [
    "create-only mode",
    set("SpireServer", "status.conditions", [
      { type: "Ready", status: "True" },
      { type: "CreateOnlyMode", status: "True" },
    ]),
    ["cluster1 MESH104"],
    /CREATE_ONLY_MODE/,
  ],
  [
    "the Issuer is broken",
    set("Issuer", "status", notReady),
    ["cluster1 MESH111"],
    /describe issuer letsencrypt-http01/,
  ],
  ["the Issuer is gone", remove("Issuer"), ["cluster1 MESH111"], /up --refresh --stack cluster1/],
  ["the Issuer is another", set("Issuer", "spec", { selfSigned: {} }), ["cluster1 MESH111"], /up --refresh/],
  ["the Certificate is gone", remove("Certificate"), ["cluster1 MESH112"], /up --refresh --stack cluster1/],
  [
    "the Certificate is for another host",
    set("Certificate", "spec.dnsNames", ["x.org"]),
    ["cluster1 MESH112"],
    /up --refresh/,
  ],
  [
    "the Certificate is by another issuer",
    set("Certificate", "spec.issuerRef.name", "x"),
    ["cluster1 MESH112"],
    /up --refresh/,
  ],
  [
    "the certificate is not issued",
    set("Certificate", "status", notReady),
    ["cluster1 MESH113"],
    /cmctl --context cluster1 renew/,
  ],
  [
    "the renewal is overdue",
    set("Certificate", "status.renewalTime", new Date(NOW.getTime() - 2 * HOUR).toISOString()),
    ["cluster1 MESH114"],
    /cert-manager runs/,
  ],
  ["the Role is gone", remove("Role"), ["cluster1 MESH121"], /up --refresh --stack cluster1/],
  [
    "the Role is wider",
    set("Role", "rules", [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"] }]),
    ["cluster1 MESH121"],
    /up --refresh/,
  ],
  [
    "the RoleBinding is for somebody else",
    set("RoleBinding", "subjects", [{ kind: "ServiceAccount", name: "x", namespace: "y" }]),
    ["cluster1 MESH122"],
    /up --refresh/,
  ],
  ["the router may not read the secret all the same", (c) => (c.verbs = ["get"]), ["cluster1 MESH123"], /up --refresh/],
  [
    "another refreshHint",
    set("SpireServer", "spec.federation.bundleEndpoint.refreshHint", 60),
    ["cluster1 MESH131"],
    /up --refresh/,
  ],
  ["another server.conf", set("ConfigMap", "data", { "server.conf": "{}" }), ["cluster1 MESH132"], /CreateOnlyMode/],
  [
    "a StatefulSet of another server.conf",
    set("StatefulSet", "spec.template.metadata.annotations", {}),
    ["cluster1 MESH133"],
    /get spireserver cluster -o yaml/,
  ],
  [
    "the SPIRE server crashes",
    containerDown("spire-server"),
    ["cluster1 MESH134"],
    /logs spire-server-0 -c spire-server --previous/,
  ],
  [
    "the controller manager crashes",
    containerDown("spire-controller-manager"),
    ["cluster1 MESH135"],
    /-c spire-controller-manager --previous/,
  ],
  [
    "an agent is down",
    set("DaemonSet", "status.numberReady", 0),
    ["cluster1 MESH136"],
    /describe daemonset spire-agent/,
  ],
  ["the Route is gone", remove("Route"), ["cluster1 MESH141"], /get spireserver/],
  ["the Route has another host", set("Route", "spec.host", "x.org"), ["cluster1 MESH141"], /get spireserver/],
  [
    "the Route is refused",
    set("Route", "status.ingress", [
      {
        host: hostOf(one),
        conditions: [{ type: "Admitted", status: "False", reason: "ExternalCertificateValidationFailed" }],
      },
    ]),
    ["cluster1 MESH142"],
    /annotate route spire-server-federation/,
  ],
  [
    "the endpoint is down",
    (c) => (c.presented = new Error("connect ECONNREFUSED")),
    ["cluster1 MESH143"],
    /get pods -n openshift-ingress/,
  ],
  [
    "the endpoint answers with an error",
    (c) => (c.presented = { ...presentedOf(c.own, hostOf(one)), status: 503 }),
    ["cluster1 MESH143"],
    /curl -v https:/,
  ],
  [
    "an expired certificate",
    (c) => {
      const times = { notBefore: new Date(NOW.getTime() - 2 * HOUR), notAfter: new Date(NOW.getTime() - HOUR) };
      const expired = presentedOf(c.own, hostOf(one), certificateOf(hostOf(one), times));
      c.presented = { ...expired, refused: "CERT_HAS_EXPIRED" };
    },
    ["cluster1 MESH144", "cluster1 MESH149"],
    /cmctl --context cluster1 renew/,
  ],
  [
    "a certificate for another host",
    (c) => (c.presented = presentedOf(c.own, hostOf(one), certificateOf("x.org"))),
    ["cluster1 MESH145", "cluster1 MESH149"],
    /cmctl --context cluster1 renew/,
  ],
  [
    "a certificate by an unknown CA",
    (c) => {
      if (!(c.presented instanceof Error)) c.presented = { ...c.presented, refused: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" };
    },
    ["cluster1 MESH146"],
    /endpointCa/,
  ],
  [
    "another trust domain's bundle",
    (c, { cluster2 }) => (c.presented = presentedOf((cluster2 as Cluster).own, hostOf(one), presentedCertificate(c))),
    ["cluster1 MESH147"],
    /get route spire-server-federation/,
  ],
  [
    "a bundle with keys that the SPIRE server doesn't have",
    (c) =>
      (c.presented = presentedOf(bundleOf(one, root(trustDomainOf(one)), "x"), hostOf(one), presentedCertificate(c))),
    ["cluster1 MESH148", "cluster2->cluster1 MESH211", "cluster3->cluster1 MESH211"],
    /get route/,
  ],
  [
    "a renewed certificate that is not served",
    (c) => (c.presented = presentedOf(c.own, hostOf(one))),
    ["cluster1 MESH149"],
    /annotate route/,
  ],
  ["the operator is not content", set("SpireServer", "status", notReady), ["cluster1 MESH151"], /get spireserver/],
  [
    "a foreign ClusterFederatedTrustDomain",
    (c) =>
      c.objects.push(trustObject("x", { trustDomain: "x.org", className: CLASS, bundleEndpointURL: "https://x.org" })),
    ["cluster1 MESH301"],
    /delete clusterfederatedtrustdomain x/,
  ],
  [
    "a foreign entry of federatesWith",
    (c) => {
      const spec = objectIn(c, "SpireServer")["spec"] as unknown as { federation: { federatesWith: object[] } };
      spec.federation.federatesWith.push({
        trustDomain: "x.org",
        bundleEndpointUrl: "https://x.org",
        bundleEndpointProfile: "https_web",
      });
    },
    // The operator has not written it yet.
    ["cluster1 MESH132", "cluster1 MESH302"],
    /server\.conf|operator/,
  ],
  [
    "a bundle that was left",
    (c) => c.bundles.push(bundleOf("x", root("apps.x.example.com"), "x")),
    ["cluster1 MESH303"],
    /bundle delete -id spiffe:\/\/apps\.x\.example\.com/,
  ],
  [
    "a ClusterFederatedTrustDomain is gone",
    remove(CFTD, "cluster2-federation"),
    ["cluster1->cluster2 MESH201"],
    /up --refresh --stack cluster1/,
  ],
  [
    "a ClusterFederatedTrustDomain of another class",
    set(CFTD, "spec.className", "x", "cluster2-federation"),
    ["cluster1->cluster2 MESH202"],
    /up --refresh/,
  ],
  [
    "a ClusterFederatedTrustDomain with another URL",
    set(CFTD, "spec.bundleEndpointURL", "https://x.org", "cluster2-federation"),
    ["cluster1->cluster2 MESH203"],
    /up --refresh/,
  ],
  [
    "no relationship",
    (c) => c.relationships.shift(),
    ["cluster1->cluster2 MESH205"],
    /logs spire-server-0 -c spire-controller-manager/,
  ],
  [
    "no bundle",
    (c) => c.bundles.shift(),
    ["cluster1->cluster2 MESH211", "cluster1->cluster2 MESH212"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "X.509 roots of before the peer's rotation",
    (c) => Object.assign(c.bundles[0] ?? {}, { roots: [root(trustDomainOf("cluster2")).certificate.raw] }),
    ["cluster1->cluster2 MESH211"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "JWT keys of before the peer's rotation",
    (c) => Object.assign(c.bundles[0] ?? {}, { jwtKeys: [{ id: "old", publicKey: Buffer.from("old") }] }),
    ["cluster1->cluster2 MESH212"],
    /federation refresh -id apps\.cluster2/,
  ],
  [
    "polls that fail",
    (c) =>
      (c.log = [
        pollLine(900, "Bundle refreshed", trustDomainOf("cluster2")),
        pollLine(
          60,
          "Error updating bundle",
          trustDomainOf("cluster2"),
          'Get "https://x": x509: certificate signed by unknown authority',
        ),
        pollLine(30, "Bundle refreshed", trustDomainOf("cluster3")),
      ].join("\n")),
    ["cluster1->cluster2 MESH213"],
    /trusted CAs of ZTWIM.*federation refresh -id apps\.cluster2/,
  ],
  [
    "no polls",
    (c) => (c.log = pollLine(30, "Bundle refreshed", trustDomainOf("cluster3"))),
    ["cluster1->cluster2 MESH213"],
    /federation refresh/,
  ],
];

const presentedCertificate = ({ presented }: Cluster) => {
  if (presented instanceof Error) throw presented;
  return presented.certificate;
};

describe("a single fault is said once, with its cure", () => {
  test.each(FAULTS)("%s", async (_, change, expected, cure) => {
    const found = await look({
      change: (clusters) => {
        change(clusters[one] as Cluster, clusters);
      },
    });
    expect(faults(found)).toEqual(expected.map((line) => `${line} failed`));
    const first = all(found).find(({ state }) => state === "failed") as Outcome & { cure: string };
    expect(first.cure).toMatch(cure);
    expect(verifyExit(found)).toBe(1);
    expect(printVerify(found)).toContain(`× ${first.code} ${first.title}: `);
  });

  test("there is one for every check", () => {
    const seen = FAULTS.flatMap(([, , lines]) => lines.map((line) => line.split(" ").at(-1) ?? ""));
    const codes: string[] = [...memberChecks, ...pairChecks].map(({ code }) => code);
    // What federatesWith must be has tests of its own.
    expect(codes.filter((code) => !seen.includes(code))).toEqual(["MESH204"]);
  });
});

const all = ({ members, pairs }: Verification): Outcome[] => [...members, ...pairs].flatMap(({ checks }) => checks);
const checksOf = (found: Verification, member: string, peer?: string): Outcome[] =>
  (peer === undefined
    ? found.members.find((each) => each.member === member)
    : found.pairs.find((each) => each.member === member && each.peer === peer)
  )?.checks ?? [];
const stateOf = (checks: readonly Outcome[], code: string): string | undefined =>
  checks.find((each) => each.code === code)?.state;

test("of a cluster that doesn't answer nothing else is said, and of the others everything", async () => {
  const found = await look({
    change: ({ cluster1 }) => {
      if (cluster1) cluster1.version = () => Promise.reject(new Error("no answer within 10 s"));
    },
  });
  expect(checksOf(found, "cluster1").map(({ state }) => state)).toEqual([
    "failed",
    ...Array<string>(checksOf(found, "cluster1").length - 1).fill("skipped"),
  ]);
  expect(checksOf(found, "cluster2").every(({ state }) => state === "ok")).toBe(true);
  expect(stateOf(checksOf(found, "cluster2", "cluster3"), "MESH211")).toBe("ok");
  expect(checksOf(found, "cluster2", "cluster1").find(({ code }) => code === "MESH211")).toMatchObject({
    state: "skipped",
    evidence: "the peer's MESH101 did not pass",
  });
});

test("who may not exec is told what could not be seen, not that it is fine", async () => {
  const found = await look({
    change: (clusters) => {
      for (const cluster of Object.values(clusters)) cluster.serverRefuses = new Forbidden("may not exec");
    },
  });
  expect(verifyExit(found)).toBe(3);
  expect([...new Set(faults(found).map((line) => line.split(" ").slice(-2).join(" ")))]).toEqual(
    ["MESH148", "MESH303", "MESH205", "MESH211", "MESH212"].map((code) => `${code} unknown`),
  );
  expect(printVerify(found)).toContain("? MESH211 it holds the X.509 roots that the peer serves now: may not exec");
});

describe("federatesWith", () => {
  const dynamic = (name: string) => memberNamed(name, { federatesWith: "dynamic" });
  type Listing = { federation: { federatesWith?: { trustDomain: string; bundleEndpointUrl: string }[] } };
  const unlist = (cluster: Cluster | undefined): void => {
    delete (objectIn(cluster, "SpireServer")["spec"] as unknown as Listing).federation.federatesWith;
  };

  test("static: a peer that is not listed", async () => {
    const found = await look({
      change: ({ cluster1 }) => {
        unlist(cluster1);
      },
    });
    expect(stateOf(checksOf(found, "cluster1", "cluster2"), "MESH204")).toBe("failed");
  });

  test("dynamic: a peer need not be listed, and one that is listed wrongly wins all the same", async () => {
    const members = [dynamic("cluster1"), memberNamed("cluster2"), memberNamed("cluster3")];
    const unlisted = await look({
      members,
      change: ({ cluster1 }) => {
        unlist(cluster1);
      },
    });
    expect(stateOf(checksOf(unlisted, "cluster1", "cluster2"), "MESH204")).toBe("ok");
    const wrong = await look({
      members,
      change: ({ cluster1 }) => {
        const spec = objectIn(cluster1, "SpireServer")["spec"] as unknown as Listing;
        for (const entry of spec.federation.federatesWith ?? []) entry.bundleEndpointUrl = "https://x.org";
      },
    });
    expect(stateOf(checksOf(wrong, "cluster1", "cluster2"), "MESH204")).toBe("failed");
  });
});

test("a key that the peer has only prepared may be missing; the one that it signs with may not", async () => {
  const next = root(trustDomainOf("cluster2"));
  const prepare = ({ cluster2 }: Record<string, Cluster>): Cluster => {
    const peer = cluster2 as Cluster;
    peer.own = { ...peer.own, roots: [...peer.own.roots, next.certificate.raw] };
    peer.presented = presentedOf(peer.own, hostOf("cluster2"), presentedCertificate(peer));
    return peer;
  };
  const prepared = await look({ change: (clusters) => void prepare(clusters) });
  expect(faults(prepared)).toEqual([]);
  expect(checksOf(prepared, "cluster1", "cluster2").find(({ code }) => code === "MESH211")?.evidence).toContain(
    "come with the next refresh",
  );
  const active = await look({
    change: (clusters) => {
      prepare(clusters).signing.x509 = authorityId(next.certificate.raw);
    },
  });
  expect(faults(active)).toEqual(["cluster1->cluster2 MESH211 failed", "cluster3->cluster2 MESH211 failed"]);
});

test("a peer that has no endpoint yet is pending, not broken", async () => {
  const found = await look({
    change: ({ cluster1, cluster2 }) => {
      delete (objectIn(cluster2, "SpireServer")["spec"] as unknown as { federation?: object }).federation;
      removeFrom(cluster1, CFTD, "cluster2-federation");
      for (const list of [cluster1?.bundles, cluster1?.relationships]) list?.shift();
    },
  });
  expect(found.pairs.find(({ member, peer }) => member === "cluster1" && peer === "cluster2")?.health).toBe("pending");
  expect(verifyExit(found)).toBe(1);
});

test("only who is chosen is judged, by what its peers are themselves", async () => {
  const found = await look({ chosen: [one] });
  expect(found.members.map(({ member }) => member)).toEqual([one]);
  expect(found.pairs.map(({ member, peer }) => `${member}->${peer}`)).toEqual([
    "cluster1->cluster2",
    "cluster1->cluster3",
  ]);
  expect(faults(found)).toEqual([]);
});

test("until when a peer is trusted, and how long certificates and roots live", async () => {
  const { members, pairs } = await look();
  const held = new Date(pairs[0]?.trustedUntil ?? "").getTime();
  expect(held).toBeGreaterThan(NOW.getTime() + 23 * HOUR);
  expect(members[0]?.lifetimes.map(({ what }) => what)).toEqual([
    "certificate of the bundle endpoint",
    expect.stringMatching(/^X\.509 root [0-9a-f]{12}…$/),
  ]);
});

describe("a peer of another project", () => {
  const far = "organization/elsewhere/far";
  const certificate = issue("far");
  const contract = {
    version: 1 as const,
    trustDomain: "far.example.com",
    bundleEndpointUrl: "https://far.example.com",
    profile: "https_web" as const,
  };
  const members = [memberNamed(one, { peers: [far] })];
  const name = members[0]?.config.peers[0]?.name ?? "";
  const bundle = bundleOf("far", root("far.example.com"), "far-jwt");
  const theirs = { ...bundle, trustDomain: "far.example.com" };
  const arrange = ({ cluster1 }: Record<string, Cluster>): void => {
    const cluster = cluster1 as Cluster;
    const spec = objectIn(cluster, "SpireServer")["spec"] as unknown as { federation: { federatesWith: object[] } };
    const conf = objectIn(cluster, "ConfigMap") as unknown as { data: Record<string, string> };
    const parsed = JSON.parse(conf.data["server.conf"] ?? "") as { server: { federation: { federates_with: object } } };
    spec.federation.federatesWith = [
      {
        trustDomain: "far.example.com",
        bundleEndpointUrl: "https://far.example.com",
        bundleEndpointProfile: "https_web",
      },
    ];
    parsed.server.federation.federates_with = {
      "far.example.com": { bundle_endpoint_url: "https://far.example.com", bundle_endpoint_profile: { https_web: {} } },
    };
    conf.data["server.conf"] = JSON.stringify(parsed);
    const hash = configHash(conf.data["server.conf"]);
    set("StatefulSet", "spec.template.metadata.annotations", { "ztwim.openshift.io/spire-server-config-hash": hash })(
      cluster,
    );
    cluster.objects = cluster.objects.filter(({ kind }) => kind !== CFTD);
    cluster.objects.push(
      trustObject(objectName(name), {
        trustDomain: "far.example.com",
        bundleEndpointURL: "https://far.example.com",
        bundleEndpointProfile: { type: "https_web" },
        className: CLASS,
      }),
    );
    cluster.bundles = [theirs];
    cluster.relationships = ["far.example.com"];
    cluster.log = pollLine(30, "Bundle refreshed", "far.example.com");
  };

  test("is looked at where its stack says that it is", async () => {
    const found = await look({
      members,
      change: arrange,
      published: (reference) => (reference === far ? contract : undefined),
      endpoint: (url) =>
        url === contract.bundleEndpointUrl ? presentedOf(theirs, url, certificate.certificate) : undefined,
    });
    expect(faults(found)).toEqual([]);
    expect(found.pairs.map(({ peer }) => peer)).toEqual([name]);
  });

  test("is unknown as long as its endpoint cannot be asked, and pending as long as its stack publishes nothing", async () => {
    const silent = await look({ members, change: arrange, published: () => contract });
    expect(stateOf(checksOf(silent, one, name), "MESH211")).toBe("skipped");
    expect(silent.pairs[0]?.health).not.toBe("healthy");
    const absent = await look({
      members,
      change: (clusters) => {
        arrange(clusters);
        removeFrom(clusters[one], CFTD);
      },
    });
    expect(absent.pairs[0]?.health).toBe("pending");
  });
});
