import { Forbidden } from "../../../components/cluster/cluster";
import { again, isWell, isWorthWaiting, waitsFor } from "../../../mesh/verify/patience";
import type { Verification } from "../../../mesh/verify/verification";
import { type Cluster, look, memberNamed, objectIn, removeFrom } from "./fixture";

const broken = (): Promise<Verification> =>
  look({
    change: ({ cluster2 }) => {
      Object.assign(objectIn(cluster2, "DaemonSet"), { status: { desiredNumberScheduled: 2, numberReady: 1 } });
    },
  });

/** Looks at these one after the other, and counts. */
async function through(seen: Verification[], more: (one: Verification) => boolean, interrupted = (): boolean => false) {
  const shown: Verification[] = [];
  let looks = 0;
  const last = await again({
    look: () => Promise.resolve(seen[looks++] as Verification),
    more,
    interrupted,
    pause: () => Promise.resolve(),
    show: (one) => shown.push(one),
  });
  return { last, shown };
}

test("it looks again until all is well", async () => {
  const [bad, good] = await Promise.all([broken(), look()]);
  expect([bad, good].map(isWell)).toEqual([false, true]);
  const { last, shown } = await through([bad, bad, good, bad], (seen) => !isWell(seen));
  expect(last).toBe(good);
  expect(shown).toHaveLength(3);
});

test("once when nobody waits, and no longer than somebody wants to wait", async () => {
  const bad = await broken();
  expect((await through([bad], () => false)).shown).toHaveLength(1);
  let asked = 0;
  expect(
    (
      await through(
        [bad, bad, bad],
        () => false,
        () => ++asked > 2,
      )
    ).last,
  ).toBe(bad);
});

test("what is waited for is said of everybody who is not well", async () => {
  expect(waitsFor(await broken())).toBe("cluster2: MESH136 the SPIRE agents run");
  expect(waitsFor(await look())).toBe("");
});

test("nobody waits for rights, only for what may change", async () => {
  const forbid = (clusters: Record<string, Cluster>): void => {
    for (const cluster of Object.values(clusters)) cluster.serverRefuses = new Forbidden("may not exec");
  };
  const forbidden = await look({ change: forbid });
  expect([isWell(forbidden), isWorthWaiting(forbidden), waitsFor(forbidden)]).toEqual([false, false, ""]);
  const down = await look({
    change: (clusters) => {
      forbid(clusters);
      removeFrom(clusters["cluster3"], "DaemonSet", "spire-agent");
    },
  });
  expect([isWorthWaiting(down), waitsFor(down)]).toEqual([true, "cluster3: MESH136 the SPIRE agents run"]);
  // An API server that doesn't answer may answer soon.
  const silent = await look({
    change: (clusters) => {
      for (const cluster of Object.values(clusters)) cluster.serverRefuses = new Error("no answer within 10 s");
    },
  });
  expect(isWorthWaiting(silent)).toBe(true);
});

test("nobody waits for a context that the kubeconfig does not have", async () => {
  const members = [memberNamed("cluster1", { context: "nowhere", peers: [] })];
  const lost = await look({ members });
  expect(lost.members.map(({ health }) => health)).toEqual(["unknown"]);
  expect([isWell(lost), isWorthWaiting(lost)]).toEqual([false, false]);
});

test("nobody waits for a stack that leads to the cluster of another trust domain, nor for what is seen there", async () => {
  const elsewhere = ({ cluster1 }: Record<string, Cluster>): void => {
    Object.assign(objectIn(cluster1, "ZeroTrustWorkloadIdentityManager"), { spec: { trustDomain: "elsewhere" } });
    removeFrom(cluster1, "Certificate");
  };
  const wrong = await look({ change: elsewhere });
  expect([isWell(wrong), isWorthWaiting(wrong), waitsFor(wrong)]).toEqual([false, false, ""]);
  const another = await look({
    change: (clusters) => {
      elsewhere(clusters);
      removeFrom(clusters["cluster3"], "DaemonSet", "spire-agent");
    },
  });
  expect(waitsFor(another)).toBe("cluster3: MESH136 the SPIRE agents run");
  const uninstalled = await look({
    change: ({ cluster1 }) => {
      removeFrom(cluster1, "ZeroTrustWorkloadIdentityManager");
    },
  });
  expect(waitsFor(uninstalled)).toMatch(/^cluster1: MESH103/);
});
