import { X509Certificate } from "node:crypto";
import { Forbidden } from "../../../components/cluster/cluster";
import { objectName } from "../../../components/bundle/objectName";
import { configHash } from "../../../components/spireServer/spireServerReadiness";
import { bundleMark, BUNDLE_ANNOTATION, type TrustObject } from "../../../components/bundle/bundleMark";
import type { Outcome } from "../../../mesh/verify/check";
import { isWorthWaiting } from "../../../mesh/verify/patience";
import type { Presented } from "../../../mesh/verify/presented";
import { memberChecks, pairChecks } from "../../../mesh/verify/checks/all";
import { printVerify, type Verification, verifyExit } from "../../../mesh/verify/verification";
import { issue, type Issued, root } from "../../components/issue";
import {
  bundleOf,
  certificateOf,
  type Cluster,
  faults,
  hostOf,
  look,
  memberNamed,
  NOW,
  objectIn,
  pollLine,
  presentedOf,
  removeFrom,
  trustDomainOf,
  warnings,
} from "./fixture";

import { CFTD, CLASS, FAULTS, presentedCertificate, set, trustObject } from "./faults";
import { fingerprint, type HeldBundle, type JwtKey } from "../../../mesh/spire/bundle";

const HOUR = 3600_000;
const one = "cluster1";

test("a mesh that is well has nothing but passing checks, in every direction", async () => {
  const healthy = await look();
  expect(faults(healthy)).toEqual([]);
  expect(healthy.pairs.map(({ member, peer }) => `${member}->${peer}`)).toHaveLength(6);
  expect(healthy.members.every(({ health }) => health === "healthy")).toBe(true);
  expect(verifyExit(healthy)).toBe(0);
});

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
    // What does not answer is unknown. What federatesWith must be, which CAs are trusted and probe: cluster have tests of their own, and so has what never fails.
    expect(codes.filter((code) => !seen.includes(code))).toEqual([
      "MESH101",
      "MESH107",
      "MESH108",
      "MESH124",
      "MESH152",
      "MESH150",
      "MESH304",
      "MESH204",
      "MESH214",
      "MESH216",
    ]);
  });
});

test("keys that live long enough for polls, and not for a short outage, are a warning with the numbers", async () => {
  const found = await look({
    change: ({ cluster1 }) => {
      if (cluster1) set("SpireServer", "spec.caValidity", "1h0m0s")(cluster1);
    },
  });
  expect(faults(found)).toEqual([]);
  const outcome = checksOf(found, "cluster1").find(({ code }) => code === "MESH153");
  expect(outcome).toMatchObject({
    state: "warn",
    evidence: expect.stringContaining("so a peer may be unreachable for 18m40s; that is less than 5") as string,
  });
  expect(checksOf(found, "cluster2").find(({ code }) => code === "MESH153")).toMatchObject({
    state: "ok",
    evidence: expect.stringMatching(/unreachable for 7h58m40s$/) as string,
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
    "unknown",
    ...Array<string>(checksOf(found, "cluster1").length - 1).fill("skipped"),
  ]);
  expect(checksOf(found, "cluster1")[0]).toMatchObject({
    evidence: "no answer within 10 s",
    cure: expect.stringMatching(/oc --context cluster1 version/) as string,
  });
  expect(verifyExit(found)).toBe(3);
  expect(checksOf(found, "cluster2").every(({ state }) => state === "ok")).toBe(true);
  expect(stateOf(checksOf(found, "cluster2", "cluster3"), "MESH211")).toBe("ok");
  expect(checksOf(found, "cluster2", "cluster1").find(({ code }) => code === "MESH211")).toMatchObject({
    state: "skipped",
    evidence: "the peer's MESH101 did not pass",
  });
});

test.each([
  [
    "answers 401, Unauthorized; the login has expired or was revoked: oc login https://api.c1:6443",
    /^oc login https:\/\/api\.c1:6443$/,
  ],
  [
    "~/.kube/config cannot be read: there is no such file; name the file in kubeconfig",
    /^set context and kubeconfig in the stack file/,
  ],
  [
    'context "cluster1" of my/kubeconfig (https://api:6443): cannot read the version: connect ECONNREFUSED; is the cluster up?',
    /^oc --context cluster1 version$/,
  ],
  [
    'context "cluster1" is not in the kubeconfig ~/.kube/config; it has none',
    /^set context and kubeconfig in the stack file/,
  ],
])("the cure of a cluster that is out of reach cures: %s", async (why, cure) => {
  const found = await look({
    change: ({ cluster1 }) => {
      if (cluster1) cluster1.version = () => Promise.reject(new Error(why));
    },
  });
  expect(checksOf(found, "cluster1")[0]).toMatchObject({ cure: expect.stringMatching(cure) as string });
});

test.each([
  ["one agent of eight", 8, 7, "warn"],
  ["a quarter of the agents", 8, 6, "warn"],
  ["more of them", 8, 5, "failed"],
  ["the only agent", 1, 0, "failed"],
])("%s is not ready", async (_, desiredNumberScheduled, numberReady, state) => {
  const found = await look({
    change: ({ cluster1 }) => {
      set("DaemonSet", "status", { desiredNumberScheduled, numberReady }, "spire-agent")(cluster1 as Cluster);
    },
  });
  expect(checksOf(found, one).find(({ code }) => code === "MESH136")).toMatchObject({ state });
  expect(found.members[0]?.health).toBe(state === "warn" ? "healthy" : "unhealthy");
});

test("who may not exec is told what could not be seen, not that it is fine", async () => {
  const found = await look({
    change: (clusters) => {
      for (const cluster of Object.values(clusters)) cluster.serverRefuses = new Forbidden("may not exec");
    },
  });
  expect(verifyExit(found)).toBe(3);
  expect([...new Set(faults(found).map((line) => line.split(" ").slice(-2).join(" ")))]).toEqual(
    ["MESH148", "MESH303", "MESH304", "MESH205", "MESH211", "MESH212", "MESH215", "MESH216"].map(
      (code) => `${code} unknown`,
    ),
  );
  expect(printVerify(found)).toContain("? MESH211 it holds the peer's present X.509 roots: may not exec");
});

test("cures run the program that each SPIRE server's image has", async () => {
  const found = await look({
    change: ({ cluster1, cluster3 }) => {
      for (const cluster of [cluster1, cluster3] as Cluster[]) cluster.bundles = [];
      if (cluster1) cluster1.program = "/opt/spire/bin/spire-server";
    },
  });
  const cures = (member: string): string[] =>
    checksOf(found, member, "cluster2").flatMap((check) => ("cure" in check ? check.cure : []));
  expect(cures("cluster1")[0]).toContain(" -- /opt/spire/bin/spire-server federation refresh");
  expect(cures("cluster3")[0]).toContain(" -- /spire-server federation refresh");
});

describe("a check that saw nothing is unknown", () => {
  const stateIn = async (code: string, change: (cluster: Cluster) => void, peer?: string) => {
    const found = await look({
      change: ({ cluster1 }) => {
        if (cluster1) change(cluster1);
      },
    });
    return checksOf(found, one, peer).find((check) => check.code === code);
  };
  const says =
    (...lines: string[]) =>
    (cluster: Cluster) =>
      void (cluster.log = lines.join("\n"));
  const polled = (secondsAgo: number, msg: string, error?: string) =>
    pollLine(secondsAgo, msg, trustDomainOf("cluster2"), error);

  test.each<[string, string, (cluster: Cluster) => void]>([
    [
      "create-only mode with neither object",
      "MESH104",
      (cluster) => {
        for (const kind of ["SpireServer", "ZeroTrustWorkloadIdentityManager"]) removeFrom(cluster, kind);
      },
    ],
    ["create-only mode before the operator has written a condition", "MESH104", set("SpireServer", "status", {})],
    [
      "the pause of a controller manager without its config",
      "MESH108",
      set("ConfigMap", "data", {}, "spire-controller-manager"),
    ],
  ])("%s", async (_, code, change) => {
    expect(await stateIn(code, change)).toMatchObject({ state: "unknown" });
  });

  test.each<[string, (cluster: Cluster) => void, string]>([
    ["no line of the peer", says(polled(30, "Something else")), "unknown"],
    [
      "an error that is old, where successes may be hidden",
      says(polled(3000, "Error updating bundle", "x")),
      "unknown",
    ],
    ["an error that is new, where successes may be hidden", says(polled(60, "Error updating bundle", "x")), "failed"],
    [
      "an error after a success",
      says(polled(3000, "Bundle refreshed"), polled(2400, "Error updating bundle", "x")),
      "failed",
    ],
    ["a success after an error", says(polled(900, "Error updating bundle", "x"), polled(60, "Bundle refreshed")), "ok"],
    ["a success that is old", says(polled(3000, "Bundle refreshed")), "unknown"],
  ])("polls: %s", async (_, change, state) => {
    expect(await stateIn("MESH213", change, "cluster2")).toMatchObject({ state });
  });

  const logging = (logLevel: string, change: (cluster: Cluster) => void) => (cluster: Cluster) => {
    change(cluster);
    Object.assign(objectIn(cluster, "SpireServer")["spec"] as unknown as object, { logLevel });
  };

  const HIDDEN: [string, string, string, (cluster: Cluster) => void][] = [
    ["ok", "warn", "no line", says()],
    ["ok", "error", "an old error", says(polled(600, "Error updating bundle", "x"))],
    ["failed", "warn", "an error of the last poll", says(polled(60, "Error updating bundle", "x"))],
    ["ok", "warn", "a success that was logged before the level changed", says(polled(600, "Bundle refreshed"))],
  ];
  test.each(HIDDEN)(
    "polls are %s on log level %s where the present keys are held: %s",
    async (state, level, _, change) => {
      expect(await stateIn("MESH213", logging(level, change), "cluster2")).toMatchObject({ state });
    },
  );

  test("polls on log level warn are unknown where other keys are held, and nobody waits for them", async () => {
    const change = logging("warn", says());
    const found = await look({
      change: ({ cluster1 }) => {
        change(cluster1 as Cluster);
        Object.assign(cluster1?.bundles[0] ?? {}, { roots: [root(trustDomainOf("cluster2")).certificate.raw] });
      },
    });
    const polls = checksOf(found, one, "cluster2").find(({ code }) => code === "MESH213") as Outcome;
    expect(polls).toMatchObject({
      state: "unknown",
      evidence: expect.stringContaining("SPIRE's log level is warn") as string,
    });
    const alone = {
      ...found,
      pairs: [],
      peers: [],
      members: found.members.map((member) => ({ ...member, checks: [polls] })),
    };
    expect(isWorthWaiting(alone)).toBe(false);
  });

  test("polls that the log should show and does not are a warning", async () => {
    const hint = (change: (cluster: Cluster) => void) => (cluster: Cluster) => {
      change(cluster);
      for (const bundle of cluster.bundles) bundle.refreshHint = 300;
    };
    expect(await stateIn("MESH213", hint(says(polled(250, "Bundle refreshed"))), "cluster2")).toMatchObject({
      state: "ok",
    });
    expect(await stateIn("MESH213", hint(says(polled(260, "Bundle refreshed"))), "cluster2")).toMatchObject({
      state: "warn",
      evidence: expect.stringContaining("each 75 seconds") as string,
    });
  });

  test.each(["info", "debug"])("polls on log level %s are judged", async (level) => {
    const change = says(polled(60, "Error updating bundle", "x"));
    const outcome = await stateIn("MESH213", logging(level, change), "cluster2");
    expect(outcome).toMatchObject({ state: "failed" });
  });
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
      prepare(clusters).signing.x509 = [fingerprint(next.certificate.raw)];
    },
  });
  expect(faults(active)).toEqual(["cluster1->cluster2 MESH211 failed", "cluster3->cluster2 MESH211 failed"]);
});

describe("held keys are compared with what the peer's own SPIRE server has", () => {
  const rotated = root(trustDomainOf("cluster2"));
  const pair = (found: Verification, code: string) =>
    checksOf(found, "cluster1", "cluster2").find((each) => each.code === code);
  /** The peer has rotated; its endpoint goes on serving what cluster1 holds, as a cache or an attacker would. */
  const rotate = ({ cluster2 }: Record<string, Cluster>): void => {
    const peer = cluster2 as Cluster;
    peer.own = { ...peer.own, roots: [rotated.certificate.raw] };
    peer.signing.x509 = [fingerprint(rotated.certificate.raw)];
  };

  test("not with what an endpoint serves", async () => {
    expect(pair(await look({ change: rotate }), "MESH211")).toMatchObject({ state: "failed" });
  });

  test("and the key that it signs with is held, also where the endpoint doesn't serve it", async () => {
    const found = await look({
      change: ({ cluster2 }) => {
        if (cluster2) cluster2.signing.jwt = ["a-key-that-nobody-has"];
      },
    });
    expect(pair(found, "MESH212")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(/^lacks a-key-that-/) as string,
    });
  });

  test("where that cannot be asked its endpoint counts, if it would be believed", async () => {
    const silent = (refused?: string) => (clusters: Record<string, Cluster>) => {
      const peer = clusters["cluster2"] as Cluster;
      peer.ownRefuses = new Forbidden("may not exec");
      if (refused !== undefined && !(peer.presented instanceof Error)) peer.presented = { ...peer.presented, refused };
    };
    expect(pair(await look({ change: silent() }), "MESH211")).toMatchObject({
      state: "ok",
      evidence: expect.stringContaining("the peer serves") as string,
    });
    expect(pair(await look({ change: silent("DEPTH_ZERO_SELF_SIGNED_CERT") }), "MESH211")).toMatchObject({
      state: "unknown",
      evidence: "may not exec",
    });
  });

  describe("and a JWT key that the peer doesn't have", () => {
    /** SPIRE keeps sequence number 0 of each bundle that it polls. */
    const judged = async (refreshedAgo: number, revokedAgo?: number): Promise<Outcome | undefined> =>
      pair(
        await look({
          change: ({ cluster1, cluster2 }) => {
            const [member, peer] = [cluster1 as Cluster, cluster2 as Cluster];
            const held = member.bundles[0] as HeldBundle;
            Object.assign(held, { sequence: 0, refreshHint: 300 });
            held.jwtKeys.push({ id: "old", publicKey: Buffer.from("old") });
            member.log = pollLine(refreshedAgo, "Bundle refreshed", trustDomainOf("cluster2"));
            if (revokedAgo !== undefined)
              peer.log += `\n${pollLine(revokedAgo, "JWT authority revoked successfully", "").replace(/ trust_domain=$/, "")}`;
          },
        }),
        "MESH212",
      );

    test("is pending as long as the next poll may take it away", async () => {
      expect(await judged(30)).toMatchObject({
        state: "pending",
        evidence: expect.stringContaining("within 45 seconds") as string,
      });
      expect(await judged(30, 20)).toMatchObject({ state: "pending" });
    });

    test("is not trusted when two polls are over, or when it came with one that followed the revocation", async () => {
      expect(await judged(160)).toMatchObject({ state: "failed" });
      expect(await judged(30, 60)).toMatchObject({ state: "failed" });
    });
  });
});

describe("a peer below an upstream CA whose SPIRE server has made a new JWT key at its start", () => {
  /** @param started seconds ago; @param polled what the log of cluster1 says of the peer */
  const judged = (started: number, ...polled: string[]) => judgedOf({ upstreamAuthority: {} }, started, ...polled);
  const judgedOf = async (spec: object, started: number, ...polled: string[]): Promise<Outcome | undefined> => {
    const found = await look({
      members: ["cluster1", "cluster2"].map((name) => memberNamed(name)),
      change: ({ cluster1, cluster2 }) => {
        const [peer, member] = [cluster2 as Cluster, cluster1 as Cluster];
        const [old] = peer.own.jwtKeys;
        peer.own = { ...peer.own, jwtKeys: [...peer.own.jwtKeys, { ...(old as JwtKey), id: "new" }] };
        peer.signing.jwt = ["new"];
        peer.presented = presentedOf(peer.own, hostOf("cluster2"), presentedCertificate(peer));
        Object.assign(objectIn(peer, "SpireServer")["spec"] as unknown as object, spec);
        const { status } = objectIn(peer, "Pod") as unknown as {
          status: { containerStatuses: { state: { running: { startedAt: string } } }[] };
        };
        for (const { state } of status.containerStatuses)
          state.running.startedAt = new Date(NOW.getTime() - started * 1000).toISOString();
        member.log = polled.join("\n");
        const held = member.bundles.find(({ trustDomain }) => trustDomain === trustDomainOf("cluster2"));
        Object.assign(held ?? {}, { refreshHint: 300 });
      },
    });
    return checksOf(found, one, "cluster2").find(({ code }) => code === "MESH212");
  };
  const refreshed = (secondsAgo: number): string => pollLine(secondsAgo, "Bundle refreshed", trustDomainOf("cluster2"));
  const refused = (secondsAgo: number): string =>
    pollLine(secondsAgo, "Error updating bundle", trustDomainOf("cluster2"), "timeout");

  test("is waited for until the next poll is overdue, with the command that doesn't wait", async () => {
    expect(await judged(20, refreshed(30))).toMatchObject({
      state: "pending",
      evidence: expect.stringMatching(
        /^lacks new.*, with which the peer signs since its SPIRE server started 20 seconds ago; .* within 45 seconds/,
      ) as string,
      cure: expect.stringContaining("federation refresh") as string,
    });
    expect(await judged(20, refreshed(100))).toMatchObject({ state: "pending" });
    expect(await judged(20, refreshed(110))).toMatchObject({ state: "failed" });
  });

  test.each([
    ["has been polled since and the key is missing all the same", [40, refreshed(30)]],
    ["cannot be polled", [40, refreshed(50), refused(30)]],
    ["has never been polled, as far as the log says", [40]],
  ] as const)("is not trusted when it %s", async (_, [started, ...log]) => {
    expect(await judged(started, ...log)).toMatchObject({ state: "failed" });
  });

  test("is not trusted when it signs for itself: such a server keeps its keys", async () => {
    expect(await judgedOf({}, 20, refreshed(30))).toMatchObject({ state: "failed" });
  });
});

describe("a peer with an upstream CA, whose bundle has several roots", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  const arrange =
    (signing: string[], ...held: Issued[]) =>
    ({ cluster1, cluster2 }: Record<string, Cluster>): void => {
      const peer = cluster2 as Cluster;
      peer.own = { ...peer.own, roots: [...peer.own.roots, upstream.certificate.raw] };
      peer.presented = presentedOf(peer.own, hostOf("cluster2"), presentedCertificate(peer));
      peer.signing.x509 = signing;
      const bundle = cluster1?.bundles.find(({ trustDomain }) => trustDomain === trustDomainOf("cluster2"));
      if (bundle) bundle.roots = [...bundle.roots, ...held.map(({ certificate }) => certificate.raw)];
    };
  const print = fingerprint(upstream.certificate.raw);
  const judged = async (change: ReturnType<typeof arrange>): Promise<Outcome | undefined> =>
    checksOf(
      await look({ members: ["cluster1", "cluster2"].map((name) => memberNamed(name)), change }),
      one,
      "cluster2",
    ).find(({ code }) => code === "MESH211");

  test("is trusted when its root is held", async () => {
    expect(await judged(arrange([print], upstream))).toMatchObject({ state: "ok" });
    expect(await judged(arrange([], upstream))).toMatchObject({ state: "ok" });
  });

  test("is not trusted when the root above its authority is missing", async () => {
    expect(await judged(arrange([print]))).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(new RegExp(`^lacks ${print.slice(0, 12)}…, with which the peer signs`)) as string,
    });
  });

  test("is not called healthy or unhealthy while it is not known which root that is and one is missing", async () => {
    const outcome = await judged(arrange([]));
    expect(outcome?.state).toBe("unknown");
    expect(outcome?.evidence).toContain("is not known");
  });
});

describe("trust domains under one PKI", () => {
  const upstream = issue("Corporate Root CA", { ca: true });
  /** The member's root is the PKI's, and everybody holds it. */
  const below =
    (...names: string[]) =>
    (clusters: Record<string, Cluster>): void => {
      for (const name of names) {
        const cluster = clusters[name] as Cluster;
        const holders = Object.values(clusters).flatMap(({ bundles }) => bundles);
        const held = holders.filter(({ trustDomain }) => trustDomain === trustDomainOf(name));
        for (const bundle of [cluster.own, ...held]) bundle.roots = [upstream.certificate.raw];
        cluster.signing.x509 = [fingerprint(upstream.certificate.raw)];
        cluster.presented = presentedOf(cluster.own, hostOf(name), presentedCertificate(cluster));
        // As SPIRE says it once when it starts: its JWT keys stay its own.
        cluster.log += `\ntime="${NOW.toISOString()}" level=warning msg="UpstreamAuthority plugin does not support JWT-SVIDs. Workloads managed by this server may have trouble communicating with workloads outside this cluster when using JWT-SVIDs." plugin_name=cert-manager subsystem_name=ca_manager`;
      }
    };

  test("are healthy, and whoever holds two of them is warned that one can speak for the other", async () => {
    const found = await look({ change: below("cluster1", "cluster2") });
    expect(faults(found)).toEqual([]);
    expect(warnings(found)).toEqual(["cluster1 MESH304", "cluster2 MESH304", "cluster3 MESH304"]);
    expect(verifyExit(found)).toBe(0);
    const [warning] = checksOf(found, "cluster3").filter(({ state }) => state === "warn");
    expect(warning?.evidence).toContain(`${trustDomainOf("cluster1")}, ${trustDomainOf("cluster2")} have the same`);
  });

  test("are not warned of where only one is below it", async () => {
    const found = await look({ change: below("cluster1") });
    expect([...faults(found), ...warnings(found)]).toEqual([]);
  });
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

test("what makes trust in a peer worthless is said, also when the peer is not chosen", async () => {
  const distrust = ({ cluster2 }: Record<string, Cluster>): void => {
    const peer = cluster2 as Cluster;
    if (!(peer.presented instanceof Error))
      peer.presented = { ...peer.presented, refused: "SELF_SIGNED_CERT_IN_CHAIN" };
  };
  const found = await look({ chosen: [one], change: distrust });
  expect(faults(found)).toEqual(["peer cluster2 MESH146 failed"]);
  expect(verifyExit(found)).toBe(1);
  expect(printVerify(found)).toContain("cluster2 (apps.cluster2.example.com), a peer: unhealthy");
  // Who looks at everybody reads it once.
  expect(faults(await look({ change: distrust }))).toEqual(["cluster2 MESH146 failed"]);
});

test.each([
  ["in its subject alone", issue(hostOf(one)).certificate],
  ["by a wildcard for part of a label", certificateOf(`federat*.${trustDomainOf(one)}`)],
])("a certificate that names the host %s is refused, as Go refuses it", async (_, certificate) => {
  const found = await look({
    change: ({ cluster1 }) => {
      if (cluster1) cluster1.presented = presentedOf(cluster1.own, hostOf(one), certificate);
    },
  });
  expect(faults(found)).toContain("cluster1 MESH145 failed");
});

test("no more members are looked at at a time than asked", async () => {
  let [now, most] = [0, 0];
  const slow = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 10));
    now--;
  };
  const change = (clusters: Record<string, Cluster>): void => {
    for (const cluster of Object.values(clusters)) cluster.slow = slow;
  };
  await look({ parallel: 2, change });
  expect(most).toBe(2);
});

test("until when a peer is trusted, and how long certificates and roots live", async () => {
  const { members, pairs } = await look();
  const held = new Date(pairs[0]?.trustedUntil ?? "").getTime();
  expect(held).toBeGreaterThan(NOW.getTime() + 23 * HOUR);
  expect(members[0]?.lifetimes.map(({ what }) => what)).toEqual([
    "certificate of the bundle endpoint",
    expect.stringMatching(/^X\.509 root [0-9a-f]{12}…$/),
  ]);
  expect(members[0]?.lifetimes.map(({ kind }) => kind)).toEqual(["endpoint", "root"]);
});

test("what is held of a peer are the peer's own roots, and when a poll has refreshed them", async () => {
  const { members, pairs } = await look();
  const [pair] = pairs;
  const peer = members.find(({ member }) => member === pair?.peer);
  expect(pair?.held?.roots).toEqual(peer?.lifetimes.filter(({ kind }) => kind === "root"));
  expect(pair?.trustedUntil).toBe(pair?.held?.roots[0]?.notAfter);
  expect(Date.parse(pair?.held?.refreshed ?? "")).toBeLessThanOrEqual(NOW.getTime());
});

test("nothing is said of roots that were not seen", async () => {
  const { pairs } = await look({
    change: ({ cluster1 }) => {
      if (cluster1) cluster1.bundles = [];
    },
  });
  const [own, others] = [true, false].map((is) => pairs.filter(({ member }) => (member === "cluster1") === is));
  expect(own?.map(({ held, trustedUntil }) => [held, trustedUntil])).toEqual(own?.map(() => [undefined, undefined]));
  expect(others?.map(({ held }) => held?.roots.length)).toEqual(others?.map(() => 1));
  expect(own?.length).toBeGreaterThan(0);
});

describe("a peer of another project", () => {
  const far = "organization/elsewhere/far";
  const certificate = certificateOf("far.example.com");
  const contract = {
    version: 1 as const,
    trustDomain: "far.example.com",
    bundleEndpointUrl: "https://far.example.com",
    profile: "https_web" as const,
  };
  const members = [memberNamed(one, { peers: [far] })];
  const name = members[0]?.config.peers[0]?.name ?? "";
  const label = "elsewhere/far";
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
      endpoint: (url) => (url === contract.bundleEndpointUrl ? presentedOf(theirs, url, certificate) : undefined),
    });
    expect(faults(found)).toEqual([]);
    expect(found.pairs.map(({ peer }) => peer)).toEqual([label]);
  });

  describe("and the roots that trust began with", () => {
    /** @param first roots of the bundle in the object, which its stack has marked */
    const judged = async (first: Issued, mark = true): Promise<Outcome | undefined> => {
      const found = await look({
        members,
        change: (clusters) => {
          arrange(clusters);
          const object = objectIn(clusters["cluster1"], CFTD) as unknown as TrustObject;
          const trustDomainBundle = presentedOf({ ...theirs, roots: [first.certificate.raw] }, "far").body;
          object.spec = { ...object.spec, trustDomainBundle };
          if (mark)
            object.metadata = {
              ...object.metadata,
              annotations: { [BUNDLE_ANNOTATION]: bundleMark("x", object.spec) },
            };
        },
        published: (reference) => (reference === far ? contract : undefined),
        endpoint: (url) => (url === contract.bundleEndpointUrl ? presentedOf(theirs, url, certificate) : undefined),
      });
      return checksOf(found, one, label).find(({ code }) => code === "MESH216");
    };

    test("one of which is held", async () => {
      const [held] = theirs.roots;
      expect(await judged({ certificate: new X509Certificate(held as Buffer) } as Issued)).toMatchObject({
        state: "ok",
      });
    });

    test("none of which is held, though they have not ended, are a warning", async () => {
      expect(await judged(root("far.example.com"))).toMatchObject({
        state: "warn",
        cure: expect.stringContaining(fingerprint(theirs.roots[0] as Buffer)) as string,
      });
    });

    test("which have ended, or which nobody knows to be the first, say nothing", async () => {
      const ended = root("far.example.com", { notAfter: new Date(NOW.getTime() - 1000) });
      expect(await judged(ended)).toMatchObject({ state: "skipped" });
      expect(await judged(root("far.example.com"), false)).toMatchObject({ state: "skipped" });
    });
  });

  test("that is no stack is looked at where the config says that it is, and nobody is asked for a stack", async () => {
    const { trustDomain, bundleEndpointUrl } = contract;
    const described = { name: "elsewhere-far", trustDomain, bundleEndpointUrl };
    const looked = (trust: object): Promise<Verification> =>
      look({
        members: [memberNamed(one, { peers: [{ ...described, ...trust }] })],
        change: arrange,
        published: (reference) => {
          throw new Error(`${reference} was asked for`);
        },
        endpoint: (url) => (url === bundleEndpointUrl ? presentedOf(theirs, url, certificate) : undefined),
      });
    const found = await looked({});
    expect(faults(found)).toEqual([]);
    expect(found.pairs.map(({ peer, health }) => [peer, health])).toEqual([["elsewhere-far", "healthy"]]);
    const said = (seen: Verification): unknown => checksOf(seen, one, "elsewhere-far")[0]?.evidence;
    expect(said(found)).toBe("elsewhere-far-federation; whether it trusts this cluster cannot be seen from here");
    expect(said(await looked({ trust: "oneway" }))).toBe(
      "elsewhere-far-federation; it need not trust this cluster (trust: oneway)",
    );
  });

  const presenting = (presented: Partial<Presented>): Promise<Verification> =>
    look({
      members,
      change: arrange,
      published: () => contract,
      endpoint: (url) =>
        url === contract.bundleEndpointUrl ? { ...presentedOf(theirs, url, certificate), ...presented } : undefined,
    });

  test.each<[string, Partial<Presented>, string]>([
    ["by an unknown CA", { refused: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" }, "MESH146"],
    ["for another host", { certificate: certificateOf("elsewhere.example.com") }, "MESH145"],
    [
      "that has expired",
      {
        certificate: certificateOf("far.example.com", {
          notBefore: new Date(NOW.getTime() - 2 * HOUR),
          notAfter: new Date(NOW.getTime() - HOUR),
        }),
      },
      "MESH144",
    ],
  ])("that presents a certificate %s is not believed", async (_, presented, code) => {
    const found = await presenting(presented);
    expect(faults(found)).toEqual([`peer ${label} ${code} failed`]);
    expect(verifyExit(found)).toBe(1);
    expect(checksOf(found, one, label).find((each) => each.code === "MESH211")).toMatchObject({
      state: "skipped",
      needs: code,
    });
  });

  test("that publishes what no up would take is not asked", async () => {
    const found = await look({
      members,
      change: arrange,
      published: () => ({ ...contract, bundleEndpointUrl: "http://far.example.com" }),
    });
    expect(faults(found)).toContain(`peer ${label} MESH101 unknown`);
    expect(verifyExit(found)).not.toBe(0);
  });

  test("with https_spiffe is verified with the roots that SPIRE holds, not with those of its last up", async () => {
    const asked: (string | undefined)[] = [];
    const endpointSpiffeId = "spiffe://far.example.com/spire/server";
    await look({
      members,
      change: arrange,
      published: () => ({
        ...contract,
        profile: "https_spiffe",
        endpointSpiffeId,
        caCertificates: root("far.example.com").pem,
      }),
      endpoint: (url, ca) => {
        if (url !== contract.bundleEndpointUrl) return undefined;
        asked.push(ca);
        return presentedOf(theirs, url, issue("far", { uris: [endpointSpiffeId] }).certificate);
      },
    });
    expect(asked).toEqual([theirs.roots.map((der) => new X509Certificate(der).toString()).join("")]);
  });

  test("is unknown as long as its endpoint cannot be asked, and pending as long as its stack publishes nothing", async () => {
    const silent = await look({ members, change: arrange, published: () => contract });
    expect(stateOf(checksOf(silent, one, label), "MESH211")).toBe("skipped");
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
