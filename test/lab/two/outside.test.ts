/**
 * SPIRE servers that nobody runs on OpenShift, as peers of a cluster: one for each profile. The tests of this file build on
 * each other; jest runs them in order.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { PlainSpireServer } from "../../../lab/client/plainSpire";
import type { Project, Run } from "../../../lab/client/project";
import { rotateServer } from "../helpers/rotation";
import { testProject } from "../helpers/identities";
import { removeBundles, removeTrust } from "../helpers/leftovers";

const cluster1 = new Cluster("cluster1");
let project: Project;
let web: PlainSpireServer;
let spiffe: PlainSpireServer;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

const meshed = async (running: Promise<Run>, expected = 0): Promise<string> => {
  const { code, stdout, stderr } = await running;
  expect([code, code === expected ? "" : stdout + stderr]).toEqual([expected, ""]);
  return stdout + stderr;
};
const partners = (): PlainSpireServer[] => [web, spiffe];
const followed = (): Promise<void> =>
  eventually(async () => {
    for (const partner of partners()) {
      expect(await cluster1.heldKeys(partner.trustDomain)).toEqual(await partner.ownKeys());
    }
  });

beforeAll(async () => {
  project = await testProject("cluster1");
  await removeTrust(cluster1);
  web = await PlainSpireServer.start(project.dir, { trustDomain: "web.example.org", port: 8443, profile: "https_web" });
  const other = { trustDomain: "spiffe.example.org", port: 8543, profile: "https_spiffe" } as const;
  spiffe = await PlainSpireServer.start(project.dir, other);
  const peers = [
    { name: "web", trustDomain: web.trustDomain, bundleEndpointUrl: web.url },
    {
      name: "spiffe",
      trustDomain: spiffe.trustDomain,
      bundleEndpointUrl: spiffe.url,
      profile: "https_spiffe",
      bundleFile: "spiffe.json",
    },
  ];
  await project.set("cluster1", "peers", JSON.stringify(peers));
});

afterAll(async () => {
  // The next file's verify would find the bundle of a peer that no stack declares.
  await project.mesh("remove", "web", "--yes");
  for (const partner of partners()) await partner.stop();
});

const rootOf = async (partner: PlainSpireServer): Promise<string> => (await partner.ownKeys()).x509[0] ?? "";

test("without the bundle of the https_spiffe peer nothing is changed", async () => {
  const said = await meshed(project.mesh("up", "--yes", "cluster1"), 2);
  expect(said).toContain('peers[1].bundleFile: "spiffe.json" cannot be used: ENOENT');
});

test("a pinned root that is not the peer's is refused, and the peer's own is shown", async () => {
  await writeFile(join(project.dir, "spiffe.json"), await spiffe.bundle());
  await project.set("cluster1", "peers[0].fingerprints", JSON.stringify(["00".repeat(32)]));
  const { code, stdout, stderr } = await project.mesh("up", "--yes", "cluster1");
  expect(code).toBe(1);
  expect(stdout + stderr).toContain("Nothing was changed");
  // As a person does who has compared them with what the partner says: all keys, the JWT key as well.
  const [lacking = ""] = /fingerprints lack keys of the bundle: .*/.exec(stdout + stderr) ?? [];
  const keys = [...lacking.matchAll(/sha256 ([0-9a-f]{64})/g)].map(([, sha256]) => sha256);
  expect(keys).toEqual([await rootOf(web), expect.anything()]);
  expect(await cluster1.heldKeys(web.trustDomain)).toBeUndefined();
  await project.set("cluster1", "peers[0].fingerprints", JSON.stringify(keys));
});

test("a preview shows with which roots trust would begin", async () => {
  const said = await meshed(project.mesh("preview", "cluster1"));
  for (const partner of partners()) {
    expect(said).toContain(`will trust ${partner.trustDomain}`);
    expect(said).toContain(`root sha256 ${await rootOf(partner)}`);
  }
});

test("after an up the cluster's SPIRE server holds the bundles, by either profile", async () => {
  await meshed(project.mesh("up", "--yes", "cluster1"));
  await removeBundles(cluster1, partners());
  await followed();
});

test("it follows a rotation of their keys", async () => {
  for (const partner of partners()) await rotateServer((...args) => partner.command(...args), followed);
  await followed();
});

test("verify finds both well from here, and says what cannot be seen", async () => {
  const said = await meshed(project.mesh("verify", "--wait", "-o", "wide", "cluster1"));
  for (const name of ["web", "spiffe"]) {
    expect(said).toContain(`${name}-federation; whether it trusts this cluster cannot be seen from here`);
  }
});

test("they trust the cluster by what contract prints for SPIRE alone", async () => {
  const block = await meshed(project.mesh("peer-info", "cluster1", "-o", "server.conf"));
  const { keys } = await cluster1.endpoint();
  for (const partner of partners()) {
    await partner.restart(block);
    await eventually(async () => {
      expect(await partner.heldKeys(cluster1.trustDomain)).toEqual(keys);
    });
  }
});

test("a second up changes nothing, and nothing is pending", async () => {
  expect(await project.up("cluster1")).toMatch(/Resources:\s+\d+ unchanged/);
  await meshed(project.mesh("status", "cluster1"));
});

test("remove ends the trust, in SPIRE as well", async () => {
  await meshed(project.mesh("remove", "spiffe", "--yes"));
  expect(await cluster1.heldKeys(spiffe.trustDomain)).toBeUndefined();
  expect(await cluster1.heldKeys(web.trustDomain)).toEqual(await web.ownKeys());
});
