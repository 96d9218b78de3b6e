/**
 * SPIRE servers below an upstream CA: two clusters under one PKI and one that signs for itself. cluster1 serves with
 * https_spiffe, and its issuer is an intermediate of that PKI; cluster2 has minted a root of its own before.
 *
 * In a lab of its own: a cluster's profile can never be changed.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { createHash } from "node:crypto";
import { Cluster, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { Project } from "../../../lab/client/project";
import { endpointSteps } from "../../../lab/procedure/steps";
import type { Verification } from "../../../mesh/verify/verification";
import { issue, type Issued } from "../../components/issue";
import { report } from "../helpers/report";
import { deleteAgents } from "../helpers/rotation";
import { restarting, startServerAnew } from "../../../lab/client/server";

const [cluster1, cluster2, cluster3] = [new Cluster("cluster1"), new Cluster("cluster2"), new Cluster("cluster3")];
const CLUSTERS = [cluster1, cluster2, cluster3] as const;
const ISSUER = "spire-upstream";

const YEARS = { notAfter: new Date(Date.now() + 10 * 365 * 24 * 3600 * 1000) };
/** No SPIRE server computes such a key id: it is the PKI's business. */
const keyId = (name: string): Buffer => createHash("sha512").update(name).digest().subarray(0, 24);
const ca = (name: string, issuer?: Issued): Issued =>
  issue(name, { ca: true, keyId: keyId(name), ...YEARS, ...(issuer && { issuer }) });
const pki = ca("Corporate Root CA");
const policy = ca("Corporate Policy CA", pki);
const nextPki = ca("Corporate Root CA 2");
const print = ({ certificate }: Issued): string => certificate.fingerprint256.replaceAll(":", "").toLowerCase();

let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(900_000);

/** What signs for a cluster's SPIRE server: a key pair of cert-manager's, with the chain up to its root. */
async function setIssuer(cluster: Cluster, { keyPem }: Issued, ...chain: Issued[]): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const data = { "tls.crt": base64(chain.map(({ pem }) => pem).join("")), "tls.key": base64(keyPem) };
  const metadata = { name: ISSUER, namespace: NAMESPACE };
  const spec = { ca: { secretName: ISSUER } };
  await cluster.apply({ apiVersion: "v1", kind: "Secret", metadata, ...{ type: "kubernetes.io/tls", data } });
  // cert-manager's webhook gets its certificate after its pods are ready.
  await eventually(() => cluster.apply({ apiVersion: "cert-manager.io/v1", kind: "Issuer", metadata, spec }));
}

const setUpstream = (cluster: Cluster): Promise<void> =>
  restarting(cluster, () =>
    cluster.merge({
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "SpireServer",
      metadata: { name: "cluster" },
      spec: { upstreamAuthority: { certManager: { namespace: NAMESPACE, issuerName: ISSUER } } },
    }),
  );

/** A server that has minted a root goes on with it; without its volume's content it begins below the upstream CA. */
async function beginAnew(cluster: Cluster): Promise<void> {
  await cluster.exec("spire-server-0", "spire-server", ["sh", "-c", "rm -rf /run/spire/data/*"]);
  await startServerAnew(cluster);
  await deleteAgents(cluster);
}

interface Authority {
  authority_id: string;
  upstream_authority_subject_key_id: string;
}

/** The next X.509 authority, prepared and then used. */
async function rotate(cluster: Cluster): Promise<Authority> {
  const authority = async (...args: string[]): Promise<Record<string, Authority | undefined>> =>
    JSON.parse(await cluster.spireServer("localauthority", "x509", ...args, "-output", "json")) as Record<
      string,
      Authority | undefined
    >;
  const { prepared_authority: next } = await authority("prepare");
  await authority("activate", "-authorityID", next?.authority_id ?? "");
  const { active } = await authority("show");
  expect(active).toEqual(next);
  return active as Authority;
}

/** SHA-256 of the roots of its own bundle. */
async function rootsOf(cluster: Cluster): Promise<string[]> {
  const { x509_authorities: roots } = JSON.parse(await cluster.spireServer("bundle", "show", "-output", "json")) as {
    x509_authorities: { asn1: string }[];
  };
  return roots.map(({ asn1 }) => createHash("sha256").update(Buffer.from(asn1, "base64")).digest("hex"));
}

beforeAll(async () => {
  project = await Project.forTest("cluster1", "cluster2", "cluster3"); // the deployer may run no probe
  const installing = [cluster1, cluster2].map(async (cluster) => {
    const [certManager] = endpointSteps(cluster, "internal-ca");
    await certManager?.run();
  });
  await Promise.all(installing);
  await setIssuer(cluster1, policy, policy, pki);
  await setIssuer(cluster2, pki, pki);
  for (const cluster of CLUSTERS) {
    const peers = CLUSTERS.filter((other) => other !== cluster).map(({ name }) => name);
    const config = {
      context: cluster.name,
      trustDomain: cluster.trustDomain,
      peers,
      // Nobody looks by himself while the tests look.
      endpoint: { refreshHint: 3600 },
      profile: cluster === cluster1 ? "https_spiffe" : "https_web",
    };
    await project.writeConfig(cluster.name, config);
  }
});

test("a SPIRE server that begins below an upstream CA has that PKI's root alone", async () => {
  await setUpstream(cluster1);
  await beginAnew(cluster1);
  expect(await rootsOf(cluster1)).toEqual([print(pki)]);
});

test("one that has minted a root keeps it, and signs below the PKI once its authority is rotated", async () => {
  const [own] = await rootsOf(cluster2);
  await setUpstream(cluster2);
  expect(await rootsOf(cluster2)).toEqual([own]);
  const { authority_id: id, upstream_authority_subject_key_id: upstream } = await rotate(cluster2);
  expect(upstream).toBe(keyId(pki.name).toString("hex"));
  expect(id).not.toBe(upstream);
  expect((await rootsOf(cluster2)).sort()).toEqual([own, print(pki)].sort());
});

test("spire-federation up makes a mesh of them and of one that signs for itself", async () => {
  const { code, stdout, stderr } = await project.mesh("up", "--yes");
  if (code !== 0) throw new Error(`spire-federation up: exit code ${code}\n${stdout}${stderr}`);
  // What an SVID's chain shows: the endpoint of cluster1 is believed below the PKI's root.
  expect((await project.outputs("cluster1"))["federation"]).toMatchObject({ profile: "https_spiffe" });
});

const shared = new RegExp(
  `${cluster1.trustDomain}, ${cluster2.trustDomain} have the same X.509 root .sha256 ${print(pki)}`,
);

test("an up and a preview of whoever holds both say that they have the same root", async () => {
  expect(await project.up("cluster3", "--expect-no-changes")).toMatch(shared);
  const { stdout } = await project.mesh("preview", "--expect-no-changes");
  expect(stdout).toMatch(shared);
});

async function verify(...flags: string[]): Promise<{ code: number; result: Verification }> {
  const { code, stdout, stderr } = await project.mesh("verify", "-o", "json", ...flags);
  if (stdout === "") throw new Error(`spire-federation verify: exit code ${code}\n${stderr}`);
  return { code, result: report("verify", stdout) };
}

/** Checks in such a state, by whom. */
const said = ({ members, pairs: all }: Verification, ...states: string[]): string[] =>
  [
    ...members.map(({ member, checks }) => ({ who: member, checks })),
    ...all.map(({ member, peer, checks }) => ({ who: `${member}->${peer}`, checks })),
  ].flatMap(({ who, checks }) =>
    checks.flatMap(({ code, state, evidence }) =>
      states.includes(state) ? [`${who} ${code}${state === "warn" ? "" : `: ${evidence}`}`] : [],
    ),
  );
const bad = (result: Verification): string[] => said(result, "failed", "unknown", "pending");
const lacking = (result: Verification): string[] => bad(result).map((line) => line.split(":")[0] ?? "");

async function expectAllWell(sharedBy: readonly string[], ...flags: string[]): Promise<void> {
  await eventually(async () => {
    const { code, result } = await verify(...flags);
    expect(bad(result)).toEqual([]);
    expect(said(result, "warn").filter((line) => line.endsWith("MESH304"))).toEqual(
      sharedBy.map((name) => `${name} MESH304`),
    );
    expect(code).toBe(0);
  }, 180);
}

/** Has the peers of a cluster look at it now. */
const refreshAll = async (of: Cluster): Promise<void> => {
  for (const cluster of CLUSTERS) if (cluster !== of) await cluster.refreshBundle(of.trustDomain);
};

test("verify finds all well, warns of the root, and workloads of all three meet", async () => {
  // Below the upstream CA each restart makes a new JWT key, and ups restart servers.
  for (const cluster of CLUSTERS) await refreshAll(cluster);
  // A first poll that met a restart is made again after a quarter of an hour, with this hint; a server that starts polls.
  const waiting = said((await verify()).result, "pending");
  for (const cluster of CLUSTERS.filter(({ name }) => waiting.some((line) => line.startsWith(`${name}->`)))) {
    await startServerAnew(cluster);
    await refreshAll(cluster);
  }
  await expectAllWell(["cluster1", "cluster2", "cluster3"], "--probe");
});

test("a restarted SPIRE server has lost its journal and made a new JWT key: verify waits for the peers' next polls", async () => {
  for (const cluster of CLUSTERS) await refreshAll(cluster);
  const [before] = await rootsOf(cluster1);
  await startServerAnew(cluster1);
  // SPIRE's own quirk with issuers whose key ids are not SHA-1: without it nextPoll.ts has no reason to be.
  expect(await cluster1.serverLog()).toContain(
    "There is not a CA journal record that matches any of the local X509 authority IDs",
  );
  expect(await rootsOf(cluster1)).toEqual([before]);
  await eventually(async () => {
    const { code, result } = await verify();
    expect(bad(result).map((line) => line.replace(/: .*/s, ""))).toEqual([
      "cluster2->cluster1 MESH212",
      "cluster3->cluster1 MESH212",
    ]);
    expect(said(result, "pending")).toEqual(
      ["cluster2", "cluster3"].map(
        (name) =>
          expect.stringMatching(
            new RegExp(
              `^${name}->cluster1 MESH212: lacks .*, with which the peer signs since its SPIRE server started`,
            ),
          ) as string,
      ),
    );
    expect(code).toBe(1);
  }, 180);
  await refreshAll(cluster1);
  await expectAllWell(["cluster1", "cluster2", "cluster3"]);
});

describe("rotation", () => {
  const missed = ["cluster1->cluster2 MESH211", "cluster3->cluster2 MESH211"];

  test("below the same root concerns no peer", async () => {
    const before = await rootsOf(cluster2);
    await rotate(cluster2);
    expect(await rootsOf(cluster2)).toEqual(before);
    const { result } = await verify();
    expect(bad(result)).toEqual([]);
  });

  test("of the PKI's root: peers that have not looked yet lack the root that the authority signs below", async () => {
    await setIssuer(cluster2, nextPki, nextPki);
    const { upstream_authority_subject_key_id: upstream } = await eventually(async () => {
      const authority = await rotate(cluster2);
      expect(authority.upstream_authority_subject_key_id).toBe(keyId(nextPki.name).toString("hex"));
      return authority;
    });
    expect(upstream).toBe(keyId(nextPki.name).toString("hex"));
    const { code, result } = await verify();
    expect(lacking(result)).toEqual(missed);
    for (const line of bad(result))
      expect(line).toContain(`lacks ${print(nextPki).slice(0, 12)}…, with which the peer signs`);
    expect(code).toBe(1);
    await refreshAll(cluster2);
    await expectAllWell(["cluster1", "cluster2", "cluster3"]);
  });

  test("and once the old root is revoked, peers that still trust it are told, and nothing is shared any more", async () => {
    const old = keyId(pki.name).toString("hex");
    await cluster2.spireServer("upstreamauthority", "taint", "-subjectKeyID", old);
    await cluster2.spireServer("upstreamauthority", "revoke", "-subjectKeyID", old);
    const { result } = await verify();
    expect(lacking(result)).toEqual(missed);
    for (const line of bad(result))
      expect(line).toContain(`trusts ${print(pki).slice(0, 12)}…, which the peer doesn't have`);
    await refreshAll(cluster2);
    await expectAllWell([], "--probe");
  });
});

test("an up has nothing to do afterwards", async () => {
  await project.up("cluster2", "--expect-no-changes");
});
