/** What verify says of a cluster's ZTWIM: its release, what is known of it, its agents and what runs beside them. */
import { Forbidden } from "../../../components/cluster/cluster";
import type { Outcome } from "../../../mesh/verify/check";
import { printVerify, type Verification, verifyExit } from "../../../mesh/verify/verification";
import { FAILED_TO_ATTEST, KUBELET_FORBIDS, set } from "./faults";
import { agentLine, agentNamed, type Cluster, faults, look, removeFrom, warnings } from "./fixture";

const here = "zero-trust-workload-identity-manager";

/** cluster1, changed; what is said of it. */
async function cluster1(
  change: (cluster: Cluster) => void,
): Promise<{ found: Verification; of: (code: string) => Outcome }> {
  const found = await look({
    change: (clusters) => {
      change(clusters["cluster1"] as Cluster);
    },
  });
  const of = (code: string): Outcome => {
    const outcome = found.members[0]?.checks.find((one) => one.code === code);
    if (outcome === undefined) throw new Error(`there is no ${code}`);
    return outcome;
  };
  return { found, of };
}

const gcInterval = (value: string) =>
  set("ConfigMap", "data", { "controller-manager-config.yaml": value }, "spire-controller-manager");
const grant =
  (...rules: object[]) =>
  (cluster: Cluster): void => {
    const metadata = { name: "spire-server-external-cert-reader", namespace: here };
    cluster.objects.push({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata, rules });
  };
const ofSecret = {
  apiGroups: [""],
  resources: ["secrets"],
  resourceNames: ["spire-server-federation-tls"],
  verbs: ["get"],
};
const ofAll = { apiGroups: [""], resources: ["secrets"], verbs: ["list", "watch"] };

describe("the release", () => {
  test("is that which OLM has installed", async () => {
    const { of } = await cluster1(() => undefined);
    expect(of("MESH107")).toMatchObject({ state: "ok", evidence: "1.1.1, installed by OLM" });
  });

  test("is older than 1.1 where the CRD is all that says it", async () => {
    const { found, of } = await cluster1((cluster) => {
      removeFrom(cluster, "Subscription", "ztwim");
      set("StatefulSet", "metadata.labels", {})(cluster);
    });
    expect(of("MESH107")).toMatchObject({ state: "ok", evidence: "older than 1.1" });
    expect(verifyExit(found)).toBe(0);
  });
});

describe("a warning", () => {
  test("leaves a member healthy and the exit code 0, and is printed with what to do", async () => {
    const { found, of } = await cluster1(gcInterval("gcInterval: 0\n"));
    expect(warnings(found)).toEqual(["cluster1 MESH108"]);
    expect(of("MESH108")).toMatchObject({
      cure: expect.stringMatching(/1\.1\.1 .*subscriptions\.operators\.coreos\.com/) as string,
    });
    expect(found.members[0]?.health).toBe("healthy");
    expect(verifyExit(found)).toBe(0);
    expect(printVerify(found)).toContain("! MESH108 ");
    expect(printVerify(found)).toContain("checks, 1 warning)");
  });

  test("keeps no other check from being asked", async () => {
    const line = agentLine(20, "No identity issued", { registered: "false", pid: "9" });
    const { found, of } = await cluster1((cluster) => (cluster.agentLogs["spire-agent-a"] = line));
    expect(of("MESH137")).toMatchObject({ state: "note", evidence: expect.stringContaining("pid 9") as string });
    expect(faults(found)).toEqual([]);
  });
});

test.each(["gcInterval: 10000000000\n", '{"gcInterval": 10000000000}', "{}", ""])(
  "a controller manager that pauses needs no word: %j",
  async (conf) => {
    expect(warnings((await cluster1(gcInterval(conf))).found)).toEqual([]);
  },
);

test("the router's grant of ZTWIM 1.1 is a warning that says what it lets the router do", async () => {
  const { found, of } = await cluster1(grant(ofSecret, ofAll));
  expect(warnings(found)).toEqual(["cluster1 MESH124"]);
  expect(of("MESH124").evidence).toContain("the router may list and watch all secrets");
  expect(warnings((await cluster1(grant(ofSecret))).found)).toEqual([]);
});

describe("the agents", () => {
  const failing = (seconds: number, error = KUBELET_FORBIDS): string =>
    agentLine(seconds, FAILED_TO_ATTEST, { error, pid: "7" });

  test("one that is not ready is named with its node", async () => {
    const { of } = await cluster1((cluster) => {
      set("DaemonSet", "status.numberReady", 0)(cluster);
      set("Pod", "status", { phase: "Running", containerStatuses: [] }, "spire-agent-a")(cluster);
    });
    expect(of("MESH136").evidence).toBe("0 of 1 ready; spire-agent-a on node1: Running, not ready");
  });

  test("that fail for one reason are said once, each with its node", async () => {
    const { of } = await cluster1((cluster) => {
      cluster.objects.push(...agentNamed("spire-agent-b", "node2"), ...agentNamed("spire-agent-c", "node3"));
      cluster.agentLogs = { "spire-agent-a": failing(50), "spire-agent-b": failing(30), "spire-agent-c": "" };
    });
    expect(of("MESH137")).toMatchObject({
      state: "failed",
      evidence: expect.stringMatching(
        /^spire-agent-a on node1, spire-agent-b on node2: the kubelet answers 403: .* \(30 seconds ago: workload attestor/,
      ) as string,
    });
  });

  test("that fail for two reasons are said with both", async () => {
    const { of } = await cluster1((cluster) => {
      cluster.objects.push(...agentNamed("spire-agent-b", "node2"));
      const lookup = 'unable to perform request: Get "https://node2:10250/pods": dial tcp: lookup node2: no such host';
      cluster.agentLogs = { "spire-agent-a": failing(50), "spire-agent-b": failing(30, lookup) };
    });
    const outcome = of("MESH137") as Outcome & { cure: string };
    expect(outcome.evidence.split("\n")).toHaveLength(2);
    expect(outcome.cure).toMatch(/nodes\/proxy[^]*get node node2 -o wide/);
  });

  test("are not known to attest where none of their pods is found", async () => {
    const { of } = await cluster1((cluster) => {
      removeFrom(cluster, "Pod", "spire-agent-a");
    });
    expect(of("MESH137").state).toBe("unknown");
  });

  test("are not known to attest where their logs cannot be read", async () => {
    const { found, of } = await cluster1((cluster) => {
      cluster.agentLogs = {};
    });
    expect(of("MESH137")).toMatchObject({ state: "unknown", evidence: "no log of spire-agent-a" });
    expect(verifyExit(found)).toBe(3);
  });
});

test("the CSI driver and the OIDC provider are asked for only where their resources are", async () => {
  const { found, of } = await cluster1((cluster) => {
    removeFrom(cluster, "SpiffeCSIDriver");
    removeFrom(cluster, "DaemonSet", "spire-spiffe-csi-driver");
    removeFrom(cluster, "SpireOIDCDiscoveryProvider");
    removeFrom(cluster, "Deployment", "spire-spiffe-oidc-discovery-provider");
  });
  expect([of("MESH138").state, of("MESH139").state]).toEqual(["skipped", "skipped"]);
  expect(verifyExit(found)).toBe(0);
});

test("a release that may not be read at all is unknown", async () => {
  const refusing = new Forbidden("may not");
  const { found } = await cluster1((cluster) => {
    cluster.refuses = (kind) =>
      ["CustomResourceDefinition", "Subscription", "ClusterServiceVersion", "StatefulSet", "Deployment"].includes(kind)
        ? refusing
        : undefined;
  });
  expect(faults(found)).toContain("cluster1 MESH107 unknown");
});
