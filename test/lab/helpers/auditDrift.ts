/** `spire-federation drift` on two clusters: silent while members do what members do, and it finds what people do to them. */
import { Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { running } from "../../../lab/client/workload";
import type { DriftMember } from "../../../mesh/drift/drift";
import { report } from "./report";
import { rotateAuthorities } from "./rotation";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const SPIRE_API = "spire.spiffe.io/v1alpha1";
const RBAC = "rbac.authorization.k8s.io/v1";
const TRUST = "ClusterFederatedTrustDomain";
let project: Project;
let auditor: Project;

/** What is found of each member, and the exit code. */
async function drift(): Promise<{ code: number; members: DriftMember[] }> {
  const { code, stdout, stderr } = await auditor.mesh("drift", "-o", "json");
  if (stdout === "") throw new Error(`spire-federation drift: exit code ${code}\n${stderr}`);
  return { code, ...report("drift", stdout) };
}

async function expectNone(): Promise<void> {
  const { code, members } = await drift();
  expect(members).toEqual(
    [cluster1, cluster2].map(({ name, trustDomain }) => ({ member: name, trustDomain, findings: [], unchecked: [] })),
  );
  expect(code).toBe(0);
}

const domain = (name: string, className: string): Manifest => ({
  apiVersion: SPIRE_API,
  kind: TRUST,
  metadata: { name },
  spec: {
    trustDomain: `${name}.example.com`,
    bundleEndpointURL: `https://federation.${name}.example.com`,
    bundleEndpointProfile: { type: "https_web" },
    className,
  },
});
const EXTRA = domain("extra", "zero-trust-workload-identity-manager-spire");
const OTHER_CLASS = domain("other-class", "other");

const of = (apiVersion: string, kind: string, name: string, content: object): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE },
  ...content,
});

function preferChain(preferredChain: string | null): Promise<void> {
  return cluster1.merge(
    of("cert-manager.io/v1", "Issuer", "letsencrypt-http01", { spec: { acme: { preferredChain } } }),
  );
}

/**
 * Another trust domain in federatesWith; the SPIRE server has restarted with it.
 *
 * @returns takes it out again
 */
async function listOther(): Promise<() => Promise<void>> {
  const api = "operator.openshift.io/v1alpha1";
  const { spec } = (await cluster1.read(api, "SpireServer", "cluster")) as {
    spec: { federation: { federatesWith: object[] } };
  };
  const other = {
    trustDomain: "listed.example.com",
    bundleEndpointUrl: "https://federation.listed.example.com",
    bundleEndpointProfile: "https_web",
  };
  const server = async () => cluster1.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  const before = (await server()).metadata?.uid;
  const list = (federatesWith: object[]): Promise<void> =>
    cluster1.merge({
      ...{ apiVersion: api, kind: "SpireServer", metadata: { name: "cluster" } },
      spec: { federation: { federatesWith } },
    });
  await list([...spec.federation.federatesWith, other]);
  await eventually(async () => {
    const pod = await server();
    expect(pod.metadata?.uid).not.toBe(before);
    running(pod);
    await held(cluster1, cluster2); // it has looked, and will not do so for a while
  });
  return () => list(spec.federation.federatesWith);
}

/** Makes cluster1 take its own keys for its peer's. */
async function setBundle(): Promise<void> {
  const server = "/spire-server";
  const set = `${server} bundle set -id spiffe://${cluster2.trustDomain} -format spiffe`;
  await cluster1.exec("spire-server-0", "spire-server", [
    "/bin/sh",
    "-c",
    `${server} bundle show -format spiffe | ${set}`,
  ]);
  await expect(held(cluster1, cluster2)).rejects.toThrow();
}

/** Tests that build on each other, on two clusters that trust each other. */
export function driftTests(open: () => { project: Project; auditor: Project }): void {
  beforeAll(() => {
    ({ project, auditor } = open());
  });

  test("there is none on a healthy mesh after a SPIRE CA was rotated", async () => {
    await rotateAuthorities(cluster2);
    await cluster1.refreshBundle(cluster2.trustDomain);
    await eventually(() => held(cluster1, cluster2));
    await expectNone();
  });

  describe("by hand", () => {
    let unlistOther: () => Promise<void>;
    let code: number;
    let found: string[];
    let cluster2Found: DriftMember | undefined;

    beforeAll(async () => {
      for (const manifest of [EXTRA, OTHER_CLASS]) await cluster1.apply(manifest);
      const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"] }];
      await cluster1.merge(of(RBAC, "Role", "secret-reader", { rules }));
      const router = { kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" };
      const subjects = [router, { kind: "ServiceAccount", name: "other", namespace: "default" }];
      await cluster1.merge(of(RBAC, "RoleBinding", "secret-reader-binding", { subjects }));
      await preferChain("other");
      unlistOther = await listOther();
      await setBundle();

      const result = await drift();
      code = result.code;
      const [first, second] = result.members;
      found = (first?.findings ?? []).map((finding) => `${finding.code} ${finding.object}: ${finding.found}`);
      cluster2Found = second;
      expect(first?.unchecked).toEqual([]);
    });

    test.each<[string, RegExp]>([
      ["another ClusterFederatedTrustDomain", /^trust-domain-undeclared \w+ extra: .*extra\.example\.com/],
      ["one of another class", /^trust-domain-ignored \w+ other-class: /],
      ["a foreign entry of federatesWith", /^federates-with-undeclared SpireServer cluster: .*listed\.example\.com/],
      ["a Role that is wider", /^access-changed Role secret-reader: rules\[0\]\.resourceNames: nothing/],
      [
        "a second subject of the RoleBinding",
        /^access-changed RoleBinding secret-reader-binding: subjects\[1\]: .*"other"/,
      ],
      [
        "a field that the stack leaves alone",
        /^fields-added Issuer letsencrypt-http01: spec\.acme\.preferredChain: "other"/,
      ],
      ["a bundle that the peer doesn't have", /^bundle-foreign bundle apps\.cluster2\.example\.com: /],
    ])("%s is found, once", (_, finding) => {
      expect(found.filter((line) => finding.test(line))).toHaveLength(1);
    });

    test("and nothing else, of nobody else", () => {
      expect(found).toHaveLength(7);
      expect(cluster2Found).toMatchObject({ findings: [], unchecked: [] });
      expect(code).toBe(1);
    });

    test("it is put right by what the findings say", async () => {
      for (const { metadata } of [EXTRA, OTHER_CLASS]) await cluster1.remove(SPIRE_API, TRUST, metadata.name);
      await preferChain(null);
      await unlistOther();
      await project.up("cluster1", "--refresh");
      await cluster1.refreshBundle(cluster2.trustDomain);
      await expectNone();
    });
  });
}
