/**
 * What happens to a member between two ups: what it does by itself is no drift; what people change is, and one
 * `pulumi up --refresh` puts it right. Looked at by somebody who may only read, as CI does.
 */
import { join } from "node:path";
import { bundleKeys, Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { report } from "../helpers/report";
import { held } from "../../../lab/client/trust";
import { grant, writeKubeconfig, testProject } from "../helpers/identities";
import { rotateAuthorities } from "../helpers/rotation";

const [cluster1, cluster2] = [new Cluster("cluster1"), new Cluster("cluster2")];
const SECRET = "spire-server-federation-tls";
let project: Project;
let auditor: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster1", "cluster2");
  await project.unset("cluster2", "peers"); // cluster1 is looked at; its peer need not trust it
  await project.up("cluster2");
  await grant(cluster1, "auditor");
  auditor = await inTheHandsOf("auditor");
});

const inTheHandsOf = async (name: string): Promise<Project> =>
  project.as(await writeKubeconfig(join(project.dir, `${name}.kubeconfig`), name, [cluster1]));

test("who may not even read is told all that is missing, and the manifest that has it", async () => {
  const stranger = await inTheHandsOf("stranger");
  const { code, stdout } = await stranger.run("preview", "--stack", "cluster1");
  expect(code).not.toBe(0);
  expect(stdout).toContain("docs/rbac/auditor.yaml");
  for (const resource of ["spireservers", "routes", "subscriptions", "deployments"])
    expect(stdout).toMatch(new RegExp(`stranger" cannot (get|list) resource "${resource}"`));
});

test("the auditor sees what the first up would do", async () => {
  const seen = await auditor.pulumi("preview", "--stack", "cluster1");
  for (const object of ["cluster2-trust", "router-access-role", "spire-server-server"])
    expect(seen).toMatch(new RegExp(`[+] +kubernetes:[^ ]+ ${object} create`));
});

test("rotated authorities, a renewed certificate and what operators rewrite are no drift, and reading is enough to see", async () => {
  await project.up("cluster1");
  const before = (await cluster1.endpoint()).certificate.fingerprint256;
  await cluster1.core.deleteNamespacedSecret({ name: SECRET, namespace: NAMESPACE });
  await cluster1.remove("v1", "ConfigMap", "spire-server");
  for (const cluster of [cluster1, cluster2]) await rotateAuthorities(cluster);
  await cluster1.refreshBundle(cluster2.trustDomain);
  await eventually(async () => {
    expect((await cluster1.endpoint()).certificate.fingerprint256).not.toBe(before);
    expect(await cluster1.read("v1", "ConfigMap", "spire-server")).toBeDefined();
    await held(cluster1, cluster2);
  });

  await auditor.pulumi("refresh", "--stack", "cluster1", "--preview-only", "--expect-no-changes");
  await auditor.pulumi("preview", "--stack", "cluster1", "--refresh", "--expect-no-changes");
});

const ELSEWHERE = "https://elsewhere.example.com";

describe("what people change", () => {
  const changes: [string, Changed][] = [
    [
      "certificate-certificate",
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: { name: SECRET, namespace: NAMESPACE },
        spec: { renewBefore: "24h" },
      },
    ],
    [
      "certificate-letsencrypt-http01",
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Issuer",
        metadata: { name: "letsencrypt-http01", namespace: NAMESPACE },
        spec: { acme: { privateKeySecretRef: { name: "another-account" } } },
      },
    ],
    [
      "router-access-role",
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "secret-reader", namespace: NAMESPACE },
        rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"] }],
      },
    ],
    [
      "router-access-binding",
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "secret-reader-binding", namespace: NAMESPACE },
        subjects: [
          { kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" },
          { kind: "ServiceAccount", name: "other", namespace: "default" },
        ],
      },
    ],
    [
      "cluster2-trust",
      {
        apiVersion: "spire.spiffe.io/v1alpha1",
        kind: "ClusterFederatedTrustDomain",
        metadata: { name: "cluster2-federation" },
        spec: { bundleEndpointURL: ELSEWHERE },
      },
    ],
    [
      "spire-server-server",
      {
        apiVersion: "operator.openshift.io/v1alpha1",
        kind: "SpireServer",
        metadata: { name: "cluster" },
        spec: { federation: { federatesWith: [{ ...listed("apps.cluster2"), bundleEndpointUrl: ELSEWHERE }] } },
      },
    ],
  ];
  const before = new Map<string, object>();
  let found: string;

  beforeAll(async () => {
    for (const [name, change] of changes) {
      before.set(name, await content(change));
      await cluster1.merge(change);
      expect(await content(change)).not.toEqual(before.get(name));
    }
    const { code, stdout } = await auditor.run("preview", "--stack", "cluster1", "--refresh", "--expect-no-changes");
    expect(code).not.toBe(0);
    found = stdout;
  });

  test.each(changes)("%s is seen", (name, { kind }) => {
    expect(found).toMatch(new RegExp(`[~+-] +kubernetes:[^ ]+:${kind}(Patch)? ${name} (update|replace)`));
  });

  describe("is put right by one up --refresh:", () => {
    let done: string;

    beforeAll(async () => {
      done = await project.up("cluster1", "--refresh");
    });

    test.each(changes)("%s", async (name, change) => {
      expect(await content(change)).toEqual(before.get(name));
    });

    test("with the peer's bundle of now, not of the first up", async () => {
      const [, trust] = changes.find(([name]) => name === "cluster2-trust") ?? [];
      const { trustDomainBundle } = (
        await cluster1.read(trust?.apiVersion ?? "", trust?.kind ?? "", trust?.metadata.name ?? "")
      ).spec as { trustDomainBundle: string };
      expect(bundleKeys(trustDomainBundle)).toEqual((await cluster2.endpoint()).keys);
      await eventually(() => held(cluster1, cluster2));
    });

    test("with a SpireServer that is updated, and not made anew because its peer is", () => {
      expect(done).toMatch(/ClusterFederatedTrustDomain cluster2-trust created replacement/);
      expect(done).toMatch(/SpireServerPatch spire-server-server updated/);
    });

    test("and nothing is left to do", async () => {
      await project.up("cluster1", "--refresh", "--expect-no-changes");
    });
  });
});

describe("a trust domain that somebody has added to federatesWith", () => {
  const server = { apiVersion: "operator.openshift.io/v1alpha1", kind: "SpireServer", metadata: { name: "cluster" } };
  const list = (...names: string[]): Promise<void> =>
    cluster1.merge({ ...server, spec: { federation: { federatesWith: names.map(listed) } } });
  const there = async (): Promise<unknown> => await content(server);

  beforeAll(() => list("apps.cluster2", "partner"));

  test("is named by a preview and refused by up, with the ways out, and stays", async () => {
    const before = await there();
    for (const command of ["preview", "up"] as const) {
      const flags = command === "up" ? ["--yes", "--skip-preview", "--refresh"] : [];
      const { code, stdout } = await project.run(command, "--stack", "cluster1", ...flags);
      expect([command, code === 0]).toEqual([command, command === "preview"]);
      expect(stdout).toMatch(
        /partner\.example\.com.*adopt cluster1.*takeOver\[0\]' federation.*federatesWith dynamic/s,
      );
    }
    expect(await there()).toEqual(before);
  });

  test("is taken out by a stack that takes the federation over; plan and table name it and the restart", async () => {
    await project.set("cluster1", "spireServer.takeOver[0]", "federation");
    const plan = await project.mesh("preview", "cluster1");
    expect(plan.stdout).toMatch(/^ {2}- cluster1 will stop trusting partner\.example\.com, .*^Restarts\n/ms);
    const { code, stdout } = await project.mesh("up", "--yes", "cluster1", "-o", "json");
    const [member] = report("up", stdout).members;
    expect([code, member?.restarts, member?.ended]).toEqual([0, 1, ["partner.example.com"]]);
    expect(member?.warnings.join()).toMatch(/is overwritten: .*partner\.example\.com/);
    expect(JSON.stringify(await there())).not.toContain("partner.example.com");
    await project.unset("cluster1", "spireServer");
    await project.up("cluster1", "--refresh", "--expect-no-changes");
  });
});

describe("a ClusterFederatedTrustDomain of somebody else for a peer's trust domain", () => {
  const [api, kind, name] = ["spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "by-hand"] as const;

  beforeAll(async () => {
    const { spec } = await cluster1.read(api, kind, "cluster2-federation");
    await cluster1.apply({ apiVersion: api, kind, metadata: { name }, spec: spec as object });
  });
  afterAll(() => cluster1.remove(api, kind, name));

  test.each([["preview"], ["up", "--yes", "--skip-preview"]])(
    "is named by %s, and only a preview goes on",
    async (...command) => {
      const { code, stdout } = await project.run(...command, "--stack", "cluster1");
      expect([code === 0, stdout]).toEqual([command[0] === "preview", expect.stringContaining(`${kind} ${name}`)]);
    },
  );
});

test("once it is gone, nothing has changed", async () => {
  await project.up("cluster1", "--refresh", "--expect-no-changes");
});

function listed(name: string): object {
  const trustDomain = `${name}.example.com`;
  return { trustDomain, bundleEndpointUrl: `https://federation.${trustDomain}`, bundleEndpointProfile: "https_web" };
}

/** What an object asks for; of a peer's bundle only the latest is right, and that is another test. */
async function content({
  apiVersion,
  kind,
  metadata,
}: Pick<Changed, "apiVersion" | "kind" | "metadata">): Promise<object> {
  const { spec, rules, subjects }: Changed = await cluster1.read(apiVersion, kind, metadata.name);
  return { spec: { ...spec, trustDomainBundle: "" }, rules, subjects };
}

interface Changed extends Manifest {
  rules?: object;
  subjects?: object;
}
