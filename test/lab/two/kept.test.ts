/** A peer that need not trust back is destroyed and made again; its peer goes on trusting it until the config says otherwise. */
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { testProject } from "../helpers/identities";
import { removeBundles } from "../helpers/leftovers";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const TRUST = "ClusterFederatedTrustDomain";
let project: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  await project.unset("cluster2", "peers"); // cluster1 is looked at; its peer need not trust it
  await project.set("cluster1", "peers", JSON.stringify([{ stack: "cluster2", trust: "oneway" }]));
  await project.up("cluster2");
  await project.up("cluster1");
  await removeBundles(cluster1, [cluster2]);
  await removeBundles(cluster2, []);
});

test("trust that goes one way: the peer trusts nobody, and status and verify find all well", async () => {
  await eventually(() => held(cluster1, cluster2));
  expect(await cluster2.heldKeys(cluster1.trustDomain)).toBeUndefined();
  const { code, stdout } = await project.mesh("status");
  expect([code, stdout]).toEqual([0, expect.stringContaining("cluster2 (one way)")]);
  await eventually(async () => {
    const verified = await project.mesh("verify", "-o", "wide");
    expect([verified.code, verified.code === 0 ? "" : verified.stdout]).toEqual([0, ""]);
  });
});

const trust = () => cluster1.read("spire.spiffe.io/v1alpha1", TRUST, "cluster2-federation");
/** Every change of the SPIRE server's configuration is one, and a restart. */
const rollouts = async (): Promise<number | undefined> =>
  (await cluster1.read("apps/v1", "StatefulSet", "spire-server")).metadata.generation;

describe("the peer's stack is destroyed", () => {
  let before: unknown[];
  const seen = async (): Promise<unknown[]> => [(await trust()).metadata, await rollouts()];

  beforeAll(async () => {
    before = await seen();
    await project.destroy("cluster2");
  });

  test("a preview shows no change", async () => {
    const { code, stdout } = await project.run("preview", "--stack", "cluster1", "--expect-no-changes");
    expect(stdout).toMatch(/kept peers: cluster2\. /);
    expect(code).toBe(0);
  });

  test("an up changes nothing, with a refresh, too, and says how to end the trust", async () => {
    for (const flags of [[], ["--refresh"]]) {
      expect(await project.up("cluster1", "--expect-no-changes", ...flags)).toMatch(
        /kept peers: .*spire-federation remove/s,
      );
    }
    expect(await seen()).toEqual(before);
    expect(Object.keys((await project.outputs("cluster1"))["peers"] as object)).toEqual(["cluster2"]);
  });

  test("SPIRE still has the relationship and the bundle", async () => {
    expect(await cluster1.heldKeys(cluster2.trustDomain)).toBeDefined();
    expect(await cluster1.spireServer("federation", "list")).toContain(cluster2.trustDomain);
  });

  test("mesh says that the peer is kept", async () => {
    for (const command of [["status"], ["preview", "cluster1"], ["up", "--yes", "cluster1"]]) {
      const { code, stdout } = await project.mesh(...command);
      expect([command, code, stdout]).toEqual([command, 0, expect.stringMatching(/keeps? trusting .*cluster2/)]);
    }
  });

  test("what somebody changes in the kept object ends no trust, and is not taken over", async () => {
    const metadata = { name: "cluster2-federation" };
    const change = (bundleEndpointURL: string): Promise<void> =>
      cluster1.merge({ apiVersion: "spire.spiffe.io/v1alpha1", kind: TRUST, metadata, spec: { bundleEndpointURL } });
    await change("https://elsewhere.example.com");
    const { code, stdout } = await project.tryUp("cluster1");
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/Nothing was changed.*spire-federation:peers: .*cluster2-federation/s);
    await change(`https://${cluster2.host}`);
    await project.up("cluster1", "--expect-no-changes");
  });
});

test("a stack that is up again changes nothing here, and its peer trusts what it serves", async () => {
  await project.up("cluster2");
  await project.up("cluster1", "--expect-no-changes");
  await cluster1.refreshBundle(cluster2.trustDomain);
  await eventually(() => held(cluster1, cluster2));
});

test("leaving peers ends the trust of a peer that publishes nothing", async () => {
  await project.destroy("cluster2");
  await project.unset("cluster1", "peers");
  await project.up("cluster1");
  await expect(trust()).rejects.toThrow(/not found/);
  await expect(cluster1.refreshBundle(cluster2.trustDomain)).rejects.toThrow(/no federation relationship/);
});

test("a destroy ends the trust in the peers that the stack lists, and in no others, and the endpoint goes on", async () => {
  const OPERATOR_API = "operator.openshift.io/v1alpha1";
  const federatesWith = async (): Promise<unknown> =>
    ((await cluster1.read(OPERATOR_API, "SpireServer", "cluster")).spec as { federation: { federatesWith?: unknown } })
      .federation.federatesWith;
  const list = (entries: unknown): Promise<void> =>
    cluster1.merge({
      apiVersion: OPERATOR_API,
      kind: "SpireServer",
      metadata: { name: "cluster" },
      spec: { federation: { federatesWith: entries } },
    });
  await project.up("cluster2");
  await project.set("cluster1", "peers", JSON.stringify([{ stack: "cluster2", trust: "oneway" }]));
  await project.up("cluster1");
  const partner = {
    trustDomain: "partner.example.org",
    bundleEndpointUrl: "https://partner.example.org",
    bundleEndpointProfile: "https_web",
  };
  await list([...((await federatesWith()) as unknown[]), partner]);

  await project.destroy("cluster1");
  expect(await federatesWith()).toEqual([partner]);
  await expect(trust()).rejects.toThrow(/not found/);
  for (const [api, kind, name] of [
    ["cert-manager.io/v1", "Certificate", "spire-server-federation-tls"],
    ["cert-manager.io/v1", "Issuer", "letsencrypt-http01"],
    ["rbac.authorization.k8s.io/v1", "Role", "secret-reader"],
    ["rbac.authorization.k8s.io/v1", "RoleBinding", "secret-reader-binding"],
  ] as const) {
    await cluster1.read(api, kind, name);
  }
  // Without federatesWith the SPIRE server starts anew, and the router has nobody to ask until then.
  const { fingerprint256: old } = (await eventually(() => cluster1.endpoint())).certificate;
  await cluster1.renew("spire-server-federation-tls");
  await eventually(async () => {
    expect((await cluster1.endpoint()).certificate.fingerprint256).not.toBe(old);
  });

  // An up refuses what the stack did not list, until it is somebody's no more.
  const { code, stdout } = await project.tryUp("cluster1");
  expect([code === 0, stdout]).toEqual([false, expect.stringContaining("partner.example.org")]);
  await list(null);
  await project.up("cluster1");
  await eventually(() => held(cluster1, cluster2));
});
