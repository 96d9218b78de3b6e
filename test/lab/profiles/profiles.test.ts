/**
 * One endpoint of each kind that has no certificate of cert-manager: cluster1's has the router's default certificate,
 * cluster2's one that the SPIRE server itself gets by ACME, and cluster3 was federated by hand with https_spiffe before. None
 * of that can be changed on a cluster, so the lab is theirs alone. At last cluster4 joins, whose certificate is one of
 * cert-manager's.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { lookAtSpiffeEndpoint } from "../../../components/bundle/spiffeEndpoint";
import { bundleKeys, Cluster, type Keys, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { PlainSpireServer } from "../../../lab/client/plainSpire";
import type { Project } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { serverRuns } from "../../../lab/procedure/looks";
import { testProject, writeKubeconfig } from "../helpers/identities";
import { removeBundles } from "../helpers/leftovers";
import { report } from "../helpers/report";
import { rotateAuthorities } from "../helpers/rotation";
import { routersCa } from "../helpers/routersCa";

const [cluster1, cluster2, cluster3] = [new Cluster("cluster1"), new Cluster("cluster2"), new Cluster("cluster3")];
const cluster4 = new Cluster("cluster4");
const MEMBERS = [cluster1, cluster2, cluster3];
const [TRUST_API, TRUST] = ["spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain"];
let project: Project;
/** Whom cluster3 trusts before any stack does. */
let partner: PlainSpireServer;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2", "cluster3");
  for (const cluster of [cluster1, cluster2]) {
    const peers = MEMBERS.filter((other) => other !== cluster).map(({ name }) => name);
    const config = {
      context: cluster.name,
      trustDomain: cluster.trustDomain,
      peers,
      trustPeerCas: cluster !== cluster1,
    };
    await project.writeConfig(cluster.name, config);
  }
  partner = await PlainSpireServer.start(project.dir, {
    trustDomain: "partner.example.org",
    port: 8543,
    profile: "https_spiffe",
  });
  await federateByHand();
});

afterAll(() => partner.stop());

/** cluster1 as an entry of peers, with the CA of its router. */
function pinnedCluster1(): { stack: string; caFingerprints: string[] } {
  const caFingerprints = [new X509Certificate(cluster1.endpointCa ?? "").fingerprint256];
  return { stack: "cluster1", caFingerprints };
}

/** What the documentation has for https_spiffe: the endpoint, the partner's bundle in an object, and the partner in the SpireServer's list. */
async function federateByHand(): Promise<void> {
  const { trustDomain, url } = partner;
  const profile = "https_spiffe";
  const id = `spiffe://${trustDomain}/spire/server`;
  const className = "zero-trust-workload-identity-manager-spire";
  const object = { apiVersion: "operator.openshift.io/v1alpha1", kind: "SpireServer", metadata: { name: "cluster" } };
  const listed = { trustDomain, bundleEndpointUrl: url, bundleEndpointProfile: profile, endpointSpiffeId: id };
  await cluster3.apply({
    ...object,
    spec: { federation: { bundleEndpoint: { profile }, managedRoute: "true", federatesWith: [listed] } },
  });
  await cluster3.apply({
    apiVersion: TRUST_API,
    kind: TRUST,
    metadata: { name: "to-partner" },
    spec: {
      ...{ className, trustDomain, bundleEndpointURL: url },
      bundleEndpointProfile: { type: profile, endpointSPIFFEID: id },
      trustDomainBundle: await partner.bundle(),
    },
  });
  await eventually(() => serverRuns(cluster3));
  await eventually(partnerIsHeld);
}

const partnerIsHeld = async (): Promise<void> => {
  expect(await cluster3.heldKeys(partner.trustDomain)).toEqual(await partner.ownKeys());
};

const missing = async (cluster: Cluster, ...what: [string, string, string]): Promise<void> => {
  await expect(cluster.read(...what)).rejects.toThrow(/404|not found/);
};

const routeOf = async (cluster: Cluster): Promise<unknown> =>
  (
    (await cluster.read("route.openshift.io/v1", "Route", "spire-server-federation")).spec as {
      tls: unknown;
    }
  ).tls;

test("what was federated by hand with https_spiffe is taken over, and every object and pod stays the same one", async () => {
  const standing = async (): Promise<unknown> => {
    const server = await cluster3.read("operator.openshift.io/v1alpha1", "SpireServer", "cluster");
    const trust = await cluster3.read(TRUST_API, TRUST, "to-partner");
    const pod = await cluster3.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
    const restarts = pod.status?.containerStatuses?.map(({ restartCount }) => restartCount);
    return [server.metadata.uid, server.metadata.generation, trust.metadata.uid, pod.metadata?.uid, restarts];
  };
  const before = await standing();
  const { code, stdout, stderr } = await project.mesh("adopt", "cluster3", "--yes");
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  expect(stdout).toContain("a preview shows no changes");
  expect(await standing()).toEqual(before);
  const names = (await cluster3.list(TRUST_API, TRUST, "")).map(({ metadata }) => metadata.name);
  expect(names).toEqual(["to-partner"]);
  await partnerIsHeld();
  await project.up("cluster3", "--expect-no-changes");
  await project.set("cluster3", "peers[1]", "cluster1");
  await project.set("cluster3", "peers[2]", "cluster2");
  await project.set("cluster3", "trustPeerCas", "true");
});

test("a router's default certificate of a CA that nobody knows is refused before anything changes", async () => {
  await project.set("cluster1", "issuer.type", "router");
  const { code, stdout } = await project.tryUp("cluster1");
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/Nothing was changed.*issuer\.type: is router, but .* not one that peers can verify/s);
});

test("SPIRE's own ACME is refused without a person's consent", async () => {
  await project.set("cluster2", "issuer.type", "spire");
  await project.set("cluster2", "issuer.email", "ops@example.org");
  const { code, stdout } = await project.tryUp("cluster2");
  expect([code === 0, stdout]).toEqual([false, expect.stringContaining("issuer.tosAccepted: is not true")]);
});

test("all come up and trust each other, without cert-manager and without a Role", async () => {
  cluster1.endpointCa = await routersCa(cluster1);
  await project.set("cluster1", "endpoint.ca", JSON.stringify(cluster1.endpointCa));
  // The router's CA may sign for every host, so SPIRE trusts it only where it is pinned.
  await project.set("cluster2", "peers[0]", JSON.stringify(pinnedCluster1()));
  await project.set("cluster3", "peers[1]", JSON.stringify(pinnedCluster1()));
  await project.set("cluster2", "issuer.tosAccepted", "true");
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  for (const [from, to] of pairs([cluster1, cluster2])) await eventually(() => held(from, to));
  expect((await project.outputs("cluster3"))["federation"]).toMatchObject({ profile: "https_spiffe" });
  for (const cluster of MEMBERS) {
    await missing(cluster, "rbac.authorization.k8s.io/v1", "Role", "secret-reader");
    await missing(cluster, "v1", "Secret", "spire-server-federation-tls");
  }
});

test("the router presents its default certificate, and SPIRE one of the ACME server", async () => {
  const redirect = { insecureEdgeTerminationPolicy: "Redirect" };
  expect((await cluster1.endpoint()).certificate.subjectaltname).toBe("DNS:*.apps.cluster1.example.com");
  expect(await routeOf(cluster1)).toEqual({ termination: "reencrypt", ...redirect });
  const { issuer, subjectaltname } = (await cluster2.endpoint()).certificate;
  expect(issuer.CN).toMatch(/^Pebble Intermediate CA /);
  expect(subjectaltname).toBe(`DNS:${cluster2.host}`);
  expect(await routeOf(cluster2)).toEqual({ termination: "passthrough", ...redirect });
});

test("verify finds all well, expects nothing of cert-manager, and names where the certificates are from", async () => {
  await eventually(async () => {
    const { code, stdout } = await project.mesh("verify", "-o", "wide");
    expect(stdout).not.toMatch(/\d failed/);
    expect(stdout).toContain(
      "√ MESH131 the SpireServer has the federation that the stack asks for: https_web with the router's",
    );
    expect(stdout).toContain("https_web with SPIRE's own ACME at https://acme-v02.api.letsencrypt.org/directory");
    expect(stdout.match(/- MESH111 .*has no certificate of cert-manager/g)).toHaveLength(3);
    expect(code).toBe(0);
  });
});

test.each(["cluster1", "cluster2", "cluster3"])("a second up of %s changes nothing", async (stack) => {
  await project.up(stack, "--expect-no-changes");
});

test("https_spiffe is kept where the config says no profile, and that is said", async () => {
  await project.unset("cluster3", "profile");
  expect(await project.up("cluster3", "--expect-no-changes")).toContain(
    "profile is not set; the SpireServer serves with",
  );
});

test("SPIRE's own ACME stays when the config says nothing of it, for up and for verify", async () => {
  await project.unset("cluster2", "issuer");
  expect(await project.up("cluster2", "--expect-no-changes")).toContain("issuer is not set; the SpireServer gets its");
  const { code, stdout } = await project.mesh("verify", "-o", "wide", "cluster2");
  expect([code, stdout]).toEqual([0, expect.stringContaining("SPIRE's own ACME")]);
  await project.set("cluster2", "issuer.type", "router");
  expect((await project.tryUp("cluster2")).stdout).toContain(
    "issuer: the SpireServer gets its certificate by ACME itself",
  );
  await project.unset("cluster2", "issuer");
});

test("SPIRE keeps its certificate when its pod starts anew", async () => {
  const { serialNumber } = (await cluster2.endpoint()).certificate;
  const old = await cluster2.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  await cluster2.core.deleteNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  await eventually(async () => {
    const pod = await cluster2.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
    expect(pod.metadata?.uid).not.toBe(old.metadata?.uid);
    expect((await cluster2.endpoint()).certificate.serialNumber).toBe(serialNumber);
  });
});

describe("an https_spiffe member that has replaced its keys since its last up", () => {
  const ownKeys = async (): Promise<Keys> =>
    bundleKeys(await cluster3.spireServer("bundle", "show", "-format", "spiffe"));

  beforeAll(async () => {
    await project.set("cluster1", "peers", '["cluster2"]');
    await project.up("cluster1");
    await removeBundles(cluster1, [cluster2]);
    await rotateAuthorities(cluster3);
    const roots = await cluster3.spireServer("bundle", "show");
    const id = `spiffe://${cluster3.trustDomain}/spire/server`;
    await eventually(async () => {
      expect(await lookAtSpiffeEndpoint(`https://${cluster3.host}`, id, roots)).toEqual({ state: "ready" });
    });
    await project.set("cluster1", "peers", '["cluster2", "cluster3"]');
  });

  test("is not joined from a machine that cannot read its cluster, and it is said what to run", async () => {
    const elsewhere = await writeKubeconfig(join(project.dir, "elsewhere.kubeconfig"), "deployer", [cluster1]);
    const { code, stdout } = await project.as(elsewhere).tryUp("cluster1");
    expect(code).not.toBe(0);
    expect(stdout).toMatch(
      /Nothing was changed.*cannot be verified with the roots that stack "cluster3" published at its last up: .*run npx pulumi up --stack cluster3 /s,
    );
    expect(await cluster1.heldKeys(cluster3.trustDomain)).toBeUndefined();
  });

  test("is joined with the keys that its cluster has now, where this machine may read it", async () => {
    await project.up("cluster1");
    await eventually(async () => {
      expect(await cluster1.heldKeys(cluster3.trustDomain)).toEqual(await ownKeys());
    });
  });
});

describe("a member that trusted it before", () => {
  const rootsNow = async (): Promise<string[]> =>
    bundleKeys(await cluster3.spireServer("bundle", "show", "-format", "spiffe")).x509;

  test("does not begin anew without a person's consent, and is shown the new roots", async () => {
    await project.set("cluster2", "peers", "[cluster1, {stack: cluster3, rebootstrap: 1}]");
    const { code, stdout } = await project.tryUp("cluster2");
    expect(code).not.toBe(0);
    expect(stdout).toContain("Nothing was changed");
    expect(stdout).toContain(`would begin anew with other roots, sha256 ${(await rootsNow()).join(", ")}`);
  });

  test("begins anew with the roots that a person has pinned", async () => {
    await project.set(
      "cluster2",
      "peers",
      JSON.stringify(["cluster1", { stack: "cluster3", rebootstrap: 1, fingerprints: await rootsNow() }]),
    );
    await project.up("cluster2");
    await eventually(async () => {
      expect((await cluster2.heldKeys(cluster3.trustDomain))?.x509).toEqual(await rootsNow());
    });
    await project.up("cluster2", "--expect-no-changes");
  });
});

test("a member with a certificate of cert-manager joins, and workloads of all four meet, each with each", async () => {
  const peers = MEMBERS.map((member) => (member === cluster1 ? pinnedCluster1() : member.name));
  const config = { context: "cluster4", trustDomain: cluster4.trustDomain, peers, issuer: { type: "acme" } };
  await project.writeConfig("cluster4", { ...config, trustPeerCas: true });
  await project.set("cluster1", "peers[2]", "cluster4");
  await project.set("cluster2", "peers[2]", "cluster4");
  await project.set("cluster3", "peers[3]", "cluster4");
  const up = await project.mesh("up", "--yes");
  expect([up.code, up.code === 0 ? "" : up.stdout + up.stderr]).toEqual([0, ""]);
  const administrator = project.as(process.env["KUBECONFIG"] ?? "");
  await eventually(async () => {
    const { code, stdout } = await administrator.mesh("verify", "--probe", "-o", "json");
    const met = report("verify", stdout).pairs.flatMap(({ member, peer, checks }) =>
      checks.flatMap(({ code, state }) => (code === "MESH402" ? [`${member}->${peer} ${state}`] : [])),
    );
    const each = pairs([...MEMBERS, cluster4]).map(([from, to]) => `${from.name}->${to.name} ok`);
    expect(met).toEqual(expect.arrayContaining(each));
    expect(code).toBe(0);
  }, 300);
});
