/**
 * Two clusters whose endpoints have certificates of CAs of their own: what counts is that SPIRE fetches the peer's bundle by
 * itself, again and again.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { Project, type Run } from "../../../lab/client/project";
import { held, pairs } from "../../../lab/client/trust";
import { rotateAuthorities } from "../helpers/rotation";
import { testProject } from "../helpers/identities";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const [OLM, SUBSCRIPTION] = ["operators.coreos.com/v1alpha1", "openshift-zero-trust-workload-identity-manager"];
const OTHER = { name: "SOMEBODY_ELSES", value: "kept" };
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

type Env = { name: string; value?: string }[];
const envOf = async (cluster: Cluster): Promise<Env> => {
  const live = await cluster.read(OLM, "Subscription", SUBSCRIPTION);
  return (live.spec as { config?: { env?: Env } }).config?.env ?? [];
};
const trustedBy = async (cluster: Cluster): Promise<string | undefined> =>
  (await envOf(cluster)).find(({ name }) => name === "TRUSTED_CA_BUNDLE_CONFIGMAP")?.value;
const ours = async (cluster: Cluster): Promise<string[]> =>
  (await cluster.list("v1", "ConfigMap", NAMESPACE))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name.startsWith("spire-federation-"));
const meshed = async (running: Promise<Run>, expected: number): Promise<string> => {
  const { code, stdout, stderr } = await running;
  expect([code, code === expected ? "" : stdout + stderr]).toEqual([expected, ""]);
  return stdout + stderr;
};

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  for (const { name } of [cluster1, cluster2]) {
    await project.set(name, "issuer.type", "ca");
    await project.set(name, "issuer.selfSigned", "true");
    await project.set(name, "issuer.secretName", "peer-cas-test");
  }
  await cluster1.apply(subscription([OTHER]));
});

const subscription = (env: Env): Manifest => ({
  apiVersion: OLM,
  kind: "Subscription",
  metadata: { name: SUBSCRIPTION, namespace: NAMESPACE },
  spec: { config: { env } },
});

test("without trustPeerCas SPIRE doesn't trust the peers' CAs: an up warns, and verify fails", async () => {
  await meshed(project.mesh("up", "--yes"), 0);
  expect(await project.up("cluster1")).toContain("Set trustPeerCas to true");
  for (const cluster of [cluster1, cluster2]) {
    const { caCertificates } = (await project.outputs(cluster.name))["federation"] as { caCertificates: string };
    cluster.endpointCa = caCertificates;
  }
  await cluster1.refreshBundle(cluster2.trustDomain).catch(() => undefined);
  const said = await meshed(project.mesh("verify", "-o", "wide"), 1);
  expect(said).toMatch(/× MESH214 .*: it trusts the CAs of its image alone, and not CA /);
  expect(said).toMatch(/[×…] MESH213 .*signed by unknown authority/);
});

test("with it all is well, and every other variable of ZTWIM's Subscription stays", async () => {
  for (const { name } of [cluster1, cluster2]) await project.set(name, "trustPeerCas", "true");
  await meshed(project.mesh("up", "--yes"), 0);
  expect(await trustedBy(cluster1)).toMatch(/^spire-federation-peer-cas-/);
  expect(await envOf(cluster1)).toContainEqual(OTHER);
  await project.up("cluster1", "--expect-no-changes");
  await project.pulumi("preview", "--stack", "cluster1", "--refresh", "--expect-no-changes");
  await meshed(project.mesh("drift"), 0);
});

test("SPIRE fetches the peer's bundle by itself: a rotation of the peer gets through", async () => {
  for (const [from, to] of pairs([cluster1, cluster2])) {
    await rotateAuthorities(to);
    await from.refreshBundle(to.trustDomain);
    await eventually(() => held(from, to));
  }
  await eventually(async () => {
    await meshed(project.mesh("verify"), 0);
  });
});

test("what somebody takes out comes back with the next up", async () => {
  await cluster1.merge(subscription([OTHER]));
  await project.up("cluster1");
  expect(await trustedBy(cluster1)).toMatch(/^spire-federation-peer-cas-/);
});

/** The Secret of a new CA that may sign for any host; the lab's own are public ones there. */
async function unlimitedCa(cluster: Cluster): Promise<string> {
  const [key, certificate] = [join(project.dir, "ca.key"), join(project.dir, "ca.crt")];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  await promisify(execFile)("openssl", [...made, "-subj", "/CN=unlimited", "-keyout", key, "-out", certificate]);
  const name = "own-ca";
  await cluster.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: NAMESPACE },
    ...{ type: "kubernetes.io/tls", data: { "tls.key": await inBase64(key), "tls.crt": await inBase64(certificate) } },
  });
  return name;
}

const inBase64 = (file: string): Promise<string> => readFile(file, "base64");

test("a new CA that could vouch for every host is refused with its pin, and the peer stays as it was, until it is pinned", async () => {
  const before = await trustedBy(cluster1);
  await project.unset("cluster2", "issuer");
  await project.set("cluster2", "issuer.type", "ca");
  await project.set("cluster2", "issuer.secretName", await unlimitedCa(cluster2));
  await project.up("cluster2");
  const { caCertificates } = (await project.outputs("cluster2"))["federation"] as { caCertificates: string };
  cluster2.endpointCa = caCertificates;
  const pin = new X509Certificate(caCertificates).fingerprint256.replaceAll(":", "").toLowerCase();
  const refused = await project.tryUp("cluster1");
  expect(refused.code).not.toBe(0);
  expect(refused.stdout).toContain(`caFingerprints: [${pin}]`);
  expect(refused.stdout).toContain("cluster2, trusted as before");
  expect(await trustedBy(cluster1)).toBe(before);
  await project.set("cluster1", "peers[0]", JSON.stringify({ stack: "cluster2", caFingerprints: [pin] }));
  await project.up("cluster1");
  expect(await trustedBy(cluster1)).not.toBe(before);
  await cluster1.refreshBundle(cluster2.trustDomain);
  await held(cluster1, cluster2);
});

test("a destroy takes it away, and SPIRE goes on", async () => {
  await project.destroy("cluster2");
  expect(await trustedBy(cluster2)).toBeUndefined();
  expect(await ours(cluster2)).toEqual([]);
  await cluster2.spireServer("healthcheck");
});

test("a peer that is kept, since its stack was destroyed, has its CA trusted as before", async () => {
  const before = [await trustedBy(cluster1), await ours(cluster1)];
  expect(await project.up("cluster1", "--expect-no-changes", "--refresh")).toMatch(/kept peers: cluster2\./);
  expect([await trustedBy(cluster1), await ours(cluster1)]).toEqual(before);
  await cluster1.refreshBundle(cluster2.trustDomain);
  await held(cluster1, cluster2);
});

test("without such a peer it is taken away, too", async () => {
  await project.set("cluster1", "peers", "[]");
  await project.up("cluster1");
  expect(await envOf(cluster1)).toEqual([OTHER]);
  expect(await ours(cluster1)).toEqual([]);
  await cluster1.spireServer("healthcheck");
});

afterAll(async () => {
  // What the endpoint needs outlives a destroy, and these CAs would be strangers to the tests of other files.
  for (const { name } of [cluster1, cluster2]) {
    await project.unset(name, "issuer");
    await project.unset(name, "peers");
    await project.up(name);
    await project.destroy(name);
  }
});
