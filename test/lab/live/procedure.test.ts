/**
 * The documented procedure, step by step on two clusters of the lab, without Pulumi: where its nine verifications hold,
 * the lab is what the page was written for.
 */
import { X509Certificate } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { loadAllYaml } from "../../../components/cluster/kubernetesClient";
import { Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { removeOperator } from "../../../lab/client/operator";
import { Project } from "../../../lab/client/project";
import { handshake, Workload, running } from "../../../lab/client/workload";
import { held, pairs } from "../../../lab/client/trust";
import { curl, federationDomain, mustBe, serverRuns } from "../../../lab/procedure/looks";
import * as page from "../../../lab/procedure/manifests";
import { federationName, followProcedure } from "../../../lab/procedure/steps";
import { inHandsOf } from "../helpers/identities";

const clusters: [Cluster, Cluster] = [new Cluster("cluster1"), new Cluster("cluster2")];
const othersThan = (cluster: Cluster): Cluster[] => clusters.filter((other) => other !== cluster);
const workloadOf = (cluster: Cluster): Promise<Workload> =>
  Workload.deploy(
    cluster,
    "procedure",
    othersThan(cluster).map(({ trustDomain }) => trustDomain),
  );
const { CERTIFICATE } = page;
const SPIRE = "spire.spiffe.io/v1alpha1";
const RBAC = "rbac.authorization.k8s.io/v1";

// A generous bound against hanging, not a measurement.
jest.setTimeout(600_000);

beforeAll(() => followProcedure(clusters, "letsencrypt-http01"));

// The next file finds clusters that federate with nobody, and no operator that is not a stack's own. That there is a
// bundle endpoint cannot be undone.
afterAll(async () => {
  for (const cluster of clusters) {
    await (await workloadOf(cluster)).remove();
    await removeOperator(cluster);
  }
  for (const [cluster, remote] of pairs(clusters)) {
    await cluster.remove(SPIRE, "ClusterFederatedTrustDomain", federationName(remote));
    await cluster.merge({
      apiVersion: "operator.openshift.io/v1alpha1",
      kind: "SpireServer",
      metadata: { name: "cluster" },
      spec: {
        federation: {
          bundleEndpoint: { httpsWeb: { servingCert: { externalSecretRef: CERTIFICATE } } },
          federatesWith: null,
        },
      },
    });
    await eventually(() => serverRuns(cluster));
    await cluster.spireServer("bundle", "delete", "-id", `spiffe://${remote.trustDomain}`, "-mode", "dissociate");
  }
  for (const [apiVersion, kind, name] of owned(clusters[1]))
    if (/bundle-endpoint|router-reads/.test(name)) await clusters[1].remove(apiVersion, kind, name);
});

/** The objects of a cluster that a stack is to own; cluster2 has some of them by other names than the page's. */
const owned = (cluster: Cluster): [apiVersion: string, kind: string, name: string][] => {
  const named = cluster === clusters[1] ? otherNames : (name: string) => name;
  return [
    ["cert-manager.io/v1", "Issuer", "letsencrypt-http01"],
    ["cert-manager.io/v1", "Certificate", named(CERTIFICATE)],
    [RBAC, "Role", named("secret-reader")],
    [RBAC, "RoleBinding", named("secret-reader-binding")],
    ["operator.openshift.io/v1alpha1", "SpireServer", "cluster"],
    ...othersThan(cluster).map((remote): [string, string, string] => [
      SPIRE,
      "ClusterFederatedTrustDomain",
      federationName(remote),
    ]),
  ];
};

const otherNames = (yaml: string): string =>
  yaml.replaceAll(CERTIFICATE, "bundle-endpoint").replaceAll("secret-reader", "router-reads");

/** Somebody has called the Certificate, its secret, the Role and the RoleBinding otherwise. */
async function useOtherNames(cluster: Cluster): Promise<void> {
  const apply = async (yaml: string): Promise<void> => {
    for (const manifest of loadAllYaml(otherNames(yaml)) as Manifest[]) await cluster.apply(manifest);
  };
  await apply(page.certificate(cluster.host, "letsencrypt-http01"));
  await apply(page.routerAccess);
  await eventually(async () => {
    mustBe(await cluster.read("cert-manager.io/v1", "Certificate", otherNames(CERTIFICATE)), "Ready");
  });
  const remotes = othersThan(cluster).map(({ trustDomain, host }) => ({ trustDomain, url: `https://${host}` }));
  await apply(page.spireServer(remotes));
  await eventually(async () => {
    await serverRuns(cluster);
    const { route, admitted } = await cluster.admission();
    expect([route.spec?.tls?.externalCertificate?.name, admitted?.status]).toEqual([otherNames(CERTIFICATE), "True"]);
  });
}

/** By what each object, and the pod of the SPIRE server, is the same one as before, and by what it says the same. */
async function standing(cluster: Cluster): Promise<unknown> {
  const objects = await Promise.all(
    owned(cluster).map(async ([apiVersion, kind, name]) => {
      const { metadata } = await cluster.read(apiVersion, kind, name);
      // The bundle is fetched anew, which the controller does not heed in an object that is there.
      return [kind, metadata.uid, kind === "ClusterFederatedTrustDomain" ? undefined : metadata.generation];
    }),
  );
  const { metadata, status } = await cluster.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  return [objects, metadata?.uid, status?.containerStatuses?.map(({ restartCount }) => restartCount)];
}

describe.each(clusters.map((cluster): [string, Cluster] => [cluster.name, cluster]))("%s", (_, cluster) => {
  const remotes = othersThan(cluster);

  test("1. the Certificate is READY=True", async () => {
    mustBe(await cluster.read("cert-manager.io/v1", "Certificate", CERTIFICATE), "Ready");
  });

  test("2. its secret's certificate is valid now, and for 90 days", async () => {
    const { data } = await cluster.core.readNamespacedSecret({ name: CERTIFICATE, namespace: NAMESPACE });
    const { validFrom, validTo } = new X509Certificate(Buffer.from(data?.["tls.crt"] ?? "", "base64"));
    const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
    expect(from).toBeLessThanOrEqual(Date.now());
    expect(Math.round((to - from) / 86_400_000)).toBe(90);
  });

  test("3. Role and RoleBinding exist, for ServiceAccount router in openshift-ingress", async () => {
    await cluster.read(RBAC, "Role", "secret-reader");
    expect(await cluster.read(RBAC, "RoleBinding", "secret-reader-binding")).toMatchObject({
      roleRef: { kind: "Role", name: "secret-reader" },
      subjects: [{ kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" }],
    });
  });

  test("4. every ClusterFederatedTrustDomain is listed with its trust domain and endpoint URL", async () => {
    const listed = await cluster.list(SPIRE, "ClusterFederatedTrustDomain", NAMESPACE);
    for (const { trustDomain, host } of remotes)
      expect(listed).toContainEqual(
        expect.objectContaining({
          spec: expect.objectContaining({ trustDomain, bundleEndpointURL: `https://${host}` }) as object,
        }),
      );
  });

  test("5. each is in sync: SPIRE holds the bundle that its endpoint serves", async () => {
    for (const remote of remotes) await eventually(() => held(cluster, remote));
  });

  test("6. the endpoint answers, with a certificate of the configured CA", async () => {
    const { keys } = JSON.parse(await curl(`https://${await federationDomain(cluster)}`)) as { keys: object[] };
    expect(keys).toContainEqual(expect.objectContaining({ use: "x509-svid" }));
    const { certificate } = await cluster.endpoint();
    expect(certificate.issuer.CN).toMatch(/^Pebble Intermediate CA /);
  });

  test("7. the SPIRE server's log says that federation is on, bundles are refreshed and the endpoint serves", async () => {
    await eventually(async () => {
      const log = await cluster.serverLog();
      expect(log).toContain('msg="Serving bundle endpoint"');
      for (const { trustDomain } of remotes)
        for (const message of ["Trust domain is now managed", "Bundle refreshed"])
          expect(log).toMatch(new RegExp(`msg="${message}".* trust_domain=${trustDomain}`));
    });
  });

  test("8. pods spire-server-0 (2/2) and spire-agent-* are Running", async () => {
    const pods = await cluster.pods();
    const say = (name: RegExp): string[] => pods.filter((pod) => name.test(pod.metadata?.name ?? "")).map(running);
    expect(say(/^spire-server-0$/)).toEqual(["Running, 2/2 ready"]);
    expect(say(/^spire-agent-/)).toEqual(["Running, 1/1 ready"]);
  });

  test("9. its workload and that of every other cluster authenticate each other with their SVIDs over mTLS", async () => {
    const own = await workloadOf(cluster);
    for (const remote of remotes) {
      const other = await workloadOf(remote);
      expect(await eventually(() => handshake(own, other))).toBe(`${other.id} met ${own.id}`);
    }
  });
});

describe("adopt", () => {
  let project: Project;
  /** cluster1 is adopted by somebody who has only the rights of docs/rbac/. */
  let deployer: Project;

  beforeAll(async () => {
    project = await Project.forTest();
    deployer = await inHandsOf("deployer", project, clusters);
    await useOtherNames(clusters[1]);
    for (const { name } of clusters) await rm(join(project.dir, `Pulumi.${name}.yaml`));
  });

  test.each(clusters.map((cluster): [string, Cluster] => [cluster.name, cluster]))(
    "takes %s over to a preview without changes, and every object and pod stays the same one",
    async (name, cluster) => {
      const before = await standing(cluster);
      const hands = cluster === clusters[0] ? deployer : project;
      const { code, stdout, stderr } = await hands.mesh("adopt", name, "--yes");
      expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
      expect(stdout).toContain(
        "no object was recreated, and the SPIRE server did not restart\n  a preview shows no changes",
      );
      expect(await standing(cluster)).toEqual(before);
      const preview = await hands.mesh("preview", name, "--expect-no-changes");
      expect([preview.code, preview.stdout]).toEqual([0, expect.stringContaining("nothing to change")]);
      for (const remote of othersThan(cluster)) await eventually(() => held(cluster, remote));
    },
  );

  test("a peer is described where no stack runs it, and a stack where one does", async () => {
    const peersOf = async ({ name }: Cluster): Promise<unknown> => {
      const { config } = parse(await readFile(join(project.dir, `Pulumi.${name}.yaml`), "utf8")) as { config: object };
      return Object.entries(config).find(([key]) => key === "spire-federation:peers")?.[1] as unknown;
    };
    const [first, second] = clusters;
    const url = `https://${second.host}`;
    const described = {
      name: second.name,
      trustDomain: second.trustDomain,
      bundleEndpointUrl: url,
      profile: "https_web",
    };
    expect(await peersOf(first)).toEqual([described]);
    expect(await peersOf(second)).toEqual([first.name]);

    // Another name, and the stack in place of the description, are the same object, which Pulumi must not delete.
    const objectName = federationName(second);
    for (const peer of [
      { ...described, name: "partner", objectName },
      { stack: second.name, objectName },
    ]) {
      await project.set(first.name, "peers", JSON.stringify([peer]));
      await deployer.pulumi("preview", "--stack", first.name, "--expect-no-changes");
    }
  });
});
