/**
 * ZTWIM 1.0 leaves it to the stack to let the router read the certificate; 1.1's operator grants it by itself, and puts back what is
 * taken away of that. Of the lab in which cluster2 has 1.0.
 */
import { V1Secret } from "../../../components/cluster/kubernetesClient";
import { Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import type { Project } from "../../../lab/client/project";
import { testProject } from "../helpers/identities";

const cluster = new Cluster("cluster2");
const RBAC = "rbac.authorization.k8s.io/v1";
const SECRET = "spire-server-federation-tls";
let project: Project;

// Generous bounds against hanging, not measurements.
jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject("cluster2");
  await project.unset("cluster2", "peers");
  await up();
});

const up = (): Promise<string> => project.up("cluster2");

describe("without the Role secret-reader", () => {
  const route = (name: string): Manifest => ({
    apiVersion: "route.openshift.io/v1",
    kind: "Route",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      host: `${name}.apps.cluster2.example.com`,
      to: { kind: "Service", name: "spire-server", weight: 100 },
      port: { targetPort: "federation" },
      tls: { termination: "reencrypt", externalCertificate: { name: SECRET } },
    },
  });
  let served: string;

  beforeAll(async () => {
    served = (await cluster.endpoint()).certificate.fingerprint256;
    await cluster.remove(RBAC, "Role", "secret-reader");
  });

  test("the API server refuses a new Route with that certificate", async () => {
    await eventually(async () => {
      await expect(cluster.create(route("refused"))).rejects.toThrow(/secret/);
    });
  });

  test("the router refuses the renewed certificate", async () => {
    const old = await tlsCertificate();
    await cluster.core.deleteNamespacedSecret({ name: SECRET, namespace: NAMESPACE });
    await eventually(async () => {
      const renewed = await tlsCertificate();
      expect(renewed).toBeDefined();
      expect(renewed).not.toBe(old);
    });
    await eventually(async () => {
      const { admitted } = await cluster.admission();
      expect(admitted?.status).toBe("False");
      expect(admitted?.message).toContain(SECRET);
    });
    await expect(cluster.endpoint()).rejects.toThrow();
  });

  test("up --refresh puts the Role back, and says how to make the router look again", async () => {
    const { code, stdout, stderr } = await project.tryUp("cluster2", "--refresh");
    // The router looks by itself when its watch on the secret happens to run out, and begins anew, in these seconds.
    const cure = `oc --context cluster2 annotate route -n ${NAMESPACE} spire-server-federation`;
    expect(code === 0 ? cure : stdout + stderr).toContain(cure);

    const now = new Date().toISOString();
    await cluster.annotate("route.openshift.io/v1", "Route", "spire-server-federation", { "test/look-again": now });
    await up();
    // The router admits the Route some seconds before it serves it.
    await eventually(async () => {
      expect((await cluster.endpoint()).certificate.fingerprint256).not.toBe(served);
    });
  });

  async function tlsCertificate(): Promise<string | undefined> {
    const secret = await cluster.core
      .readNamespacedSecret({ name: SECRET, namespace: NAMESPACE })
      .catch(() => new V1Secret());
    return secret.data?.["tls.crt"];
  }
});

test("an up says that the operator's Route is refused, and how it is made when it no longer is", async () => {
  await cluster.remove(RBAC, "RoleBinding", "secret-reader-binding");
  await cluster.remove("route.openshift.io/v1", "Route", "spire-server-federation");
  await project.set("cluster2", "endpoint.refreshHint", "301"); // without a change, nobody would look
  const { code, stdout, stderr } = await project.tryUp("cluster2");
  expect(stdout + stderr).toMatch(/RouteAvailable=False \(FederationRouteCreationFailed\)/);
  expect(stdout + stderr).toContain("oc --context cluster2 annotate configmap");
  expect(code).not.toBe(0);

  const again = project.up("cluster2", "--refresh");
  const looked = (async () => {
    await eventually(() => cluster.read(RBAC, "RoleBinding", "secret-reader-binding"), 600);
    await cluster.annotate("v1", "ConfigMap", "spire-server", { "spire-federation/look-again": String(Date.now()) });
  })();
  await Promise.all([again, looked]);
  await cluster.endpoint();
});
