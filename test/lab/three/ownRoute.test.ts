/**
 * A cluster whose trust domain is not its ingress domain, and whose endpoint's certificate is of an internal CA, federates with
 * one that has neither.
 *
 * @jest-environment <rootDir>/test/lab/inOrder.js
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { eventually } from "../../../lab/client/eventually";
import { labState, Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import type { Route } from "../../../components/route/routeReadiness";
import { changeProgram } from "../helpers/earlierRelease";
import { report } from "../helpers/report";
import { endShard, presentedBy, startShard } from "../helpers/shard";
import { objectsOf } from "../../rbac/manifests";
import { grant, testProject } from "../helpers/identities";

const [cluster1, cluster3] = [new Cluster("cluster1"), new Cluster("cluster3", "cluster3.example.com")];
const CONFIG = `config:
  spire-federation:context: cluster3
  spire-federation:trustDomain: cluster3.example.com
  spire-federation:peers: [cluster1]
  spire-federation:issuer: { type: ca, selfSigned: true, secretName: own-ca-key-pair }
`;
let project: Project;
let rootCa: string;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await testProject();
  await project.writeStackFile("cluster3", CONFIG);
  await project.init("cluster1", "cluster3");
  await project.set("cluster1", "peers[0]", "cluster3");
});

afterAll(async () => {
  await trustCasOf(""); // as good as not set
  await eventually(async () => {
    expect(await mountsTrustedCa()).toBe(false);
    await cluster1.spireServer("healthcheck");
  });
  for (const name of [CAS, OTHER_CAS]) await cluster1.remove("v1", "ConfigMap", name);
});

const [CAS, OTHER_CAS] = ["trusted-ca", "trusted-ca-of-the-other-host"] as [string, string];
/** What the operator gets of its Subscription; OLM starts it again. */
const trustCasOf = (configMap: string): Promise<void> =>
  cluster1.setOperatorEnv("TRUSTED_CA_BUNDLE_CONFIGMAP", configMap);
const mountsTrustedCa = async (): Promise<boolean> => {
  const { spec } = await cluster1.core.readNamespacedPod({ name: "spire-server-0", namespace: NAMESPACE });
  return spec?.volumes?.some(({ configMap }) => [CAS, OTHER_CAS].includes(configMap?.name ?? "")) ?? false;
};
/** A ConfigMap with the CA of cluster3's endpoint. It replaces the public roots, so they are in it too. */
async function putCa(name: string): Promise<void> {
  const bundle = (await readFile(join(labState(), "ca", "bundle.crt"), "utf8")) + rootCa;
  const body = { metadata: { name }, data: { "ca-bundle.crt": bundle } };
  await cluster1.core.createNamespacedConfigMap({ namespace: NAMESPACE, body });
}
const refresh = (): Promise<string> => cluster1.spireServer("federation", "refresh", "-id", cluster3.trustDomain);

const [ROUTE, OPERATOR] = ["route.openshift.io/v1", "operator.openshift.io/v1alpha1"];
const OPERATORS_ROUTE = "spire-server-federation";

/** The SpireServer, and whether OLM may upgrade its operator. */
async function operatorSays(): Promise<{ managedRoute: unknown; ready: unknown; upgradeable: unknown }> {
  const server = await cluster3.read(OPERATOR, "SpireServer", "cluster");
  const conditions = await cluster3.list("operators.coreos.com/v2", "OperatorCondition", NAMESPACE);
  return {
    managedRoute: (server.spec as { federation?: { managedRoute?: string } }).federation?.managedRoute,
    ready: statusOf(server, "Ready"),
    upgradeable: conditions.map((condition) => statusOf(condition, "Upgradeable")),
  };
}
const statusOf = ({ status }: Manifest, type: string): string | undefined =>
  (status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions?.find(
    (condition) => condition.type === type,
  )?.status;

/** Has the project's copy do as releases before did: its own Route has the operator's name, and the operator makes none. */
async function asBefore(): Promise<() => Promise<void>> {
  const undo = await Promise.all([
    changeProgram(project, "shared/names.js", '"spire-federation-endpoint"', `"${OPERATORS_ROUTE}"`),
    changeProgram(project, "route/federationRoute.js", /(?<=const managedRoute = ).*(?=;)/, "false"),
    // They overwrote what they found.
    changeProgram(project, "cluster/foreignValue.js", "live === void 0 ||", "true ||"),
  ]);
  return async () => {
    for (const each of undo) await each();
  };
}

/** Lets the deployer have the Route of the operator's name, as an earlier release asked for. */
async function grantFormerRoute(): Promise<void> {
  const ours = '"spire-federation-endpoint"';
  for (const object of objectsOf("deployer-own-route"))
    await cluster3.apply(JSON.parse(JSON.stringify(object).replace(ours, `${ours},"${OPERATORS_ROUTE}"`)) as Manifest);
}

test("a stack of an earlier release has a Route of the operator's name, and keeps OLM from upgrading ZTWIM", async () => {
  const restore = await asBefore();
  await grantFormerRoute();
  await project.pulumi("up", "--yes", "--stack", "cluster3"); // with its preview: on a new cluster a Route would be refused
  await restore();
  const { federation, pendingPeers } = await project.outputs("cluster3");
  expect(federation).toMatchObject({
    trustDomain: "cluster3.example.com",
    bundleEndpointUrl: "https://federation.apps.cluster3.example.com",
  });
  expect(pendingPeers).toEqual(["cluster1"]);
  expect(await cluster3.read(ROUTE, "Route", OPERATORS_ROUTE)).toMatchObject({ spec: { host: cluster3.host } });
  await eventually(async () => {
    expect(await operatorSays()).toEqual({ managedRoute: "false", ready: "False", upgradeable: ["False"] });
  });
  await expect(cluster3.endpoint()).rejects.toThrow(/certificate/);
  rootCa = (federation as { caCertificates: string }).caCertificates;
  cluster3.endpointCa = rootCa;
  await cluster3.endpoint();
});

test("the next up makes one beside the operator's, once that Route is deleted or the operator has taken it over", async () => {
  await cluster3.remove(ROUTE, "Route", OPERATORS_ROUTE, NAMESPACE);
  await project.up("cluster3");
  await cluster3.endpoint();
  await grant(cluster3, "deployer-own-route");
});

test("the Route is the stack's own, below the ingress domain; SpireServer is Ready and ZTWIM upgradeable", async () => {
  const { route, admitted } = await cluster3.admission();
  expect(route.metadata.name).toBe("spire-federation-endpoint");
  expect(route.spec).toMatchObject({
    host: "federation.apps.cluster3.example.com",
    tls: { termination: "reencrypt", externalCertificate: { name: "spire-server-federation-tls" } },
  });
  expect(admitted?.status).toBe("True");
  expect(await cluster3.read(ROUTE, "Route", OPERATORS_ROUTE)).toMatchObject({
    metadata: { labels: { "app.kubernetes.io/managed-by": NAMESPACE } },
    spec: { host: "federation.cluster3.example.com" },
  });
  await eventually(async () => {
    expect(await operatorSays()).toEqual({ managedRoute: "true", ready: "True", upgradeable: ["True"] });
  });
  await cluster3.endpoint();
});

test("a peer needs to know nothing of it: its stack has trust, though its SPIRE server does not know the CA", async () => {
  await project.up("cluster1");
  expect((await project.outputs("cluster1"))["pendingPeers"]).toEqual([]);
  await held(cluster1, cluster3);
  await expect(refresh()).rejects.toThrow(/x509: certificate signed by unknown authority/);
});

test("a SPIRE server that trusts the CA follows its peer's keys", async () => {
  await putCa(CAS);
  await trustCasOf(CAS);
  await project.up("cluster3"); // and joins cluster1 meanwhile
  await eventually(refresh);
  expect(await mountsTrustedCa()).toBe(true);

  const before = (await cluster3.endpoint()).keys;
  await cluster3.spireServer("localauthority", "x509", "prepare");
  expect((await cluster3.endpoint()).keys).not.toEqual(before);
  await refresh();
  await held(cluster1, cluster3);
  await eventually(() => held(cluster3, cluster1));
});

test("what router and operators write is no drift", async () => {
  await project.pulumi("preview", "--stack", "cluster3", "--refresh", "--expect-no-changes");
});

test("destroy takes the Route away, and leaves the SPIRE server", async () => {
  await project.destroy("cluster3");
  await expect(cluster3.admission()).rejects.toThrow(/not found/);
  await cluster3.read(ROUTE, "Route", OPERATORS_ROUTE);
  // The emptied federation restarts it.
  await eventually(() => cluster3.spireServer("healthcheck"));
});

test("up brings it back, with the certificate and its CA that stayed", async () => {
  await project.up("cluster3");
  expect((await project.outputs("cluster3"))["federation"]).toMatchObject({ caCertificates: rootCa });
  await held(cluster1, cluster3);
});

test("the endpoint moves to a host of one's own, with the labels of a shard and a certificate of that name", async () => {
  const host = "spire.apps.cluster3.example.com";
  await project.set("cluster3", "endpoint.host", host);
  await project.set("cluster3", "endpoint.routeLabels.type", "sharded");
  await project.up("cluster3");
  expect((await project.outputs("cluster3"))["bundleEndpointUrl"]).toBe(`https://${host}`);
  expect(await cluster3.read(ROUTE, "Route", cluster3.route)).toMatchObject({
    metadata: { labels: { type: "sharded" } },
    spec: { host },
  });
  await project.up("cluster1");
  expect((await project.outputs("cluster1"))["peers"]).toHaveProperty("cluster3");
  // A CA signs for one host: another host has another one.
  await expect(refresh()).rejects.toThrow(/x509: certificate signed by unknown authority/);
  const { federation } = await project.outputs("cluster3");
  rootCa = (federation as { caCertificates: string }).caCertificates;
  cluster3.endpointCa = rootCa;
  await putCa(OTHER_CAS);
  await trustCasOf(OTHER_CAS);
  await eventually(refresh);
});

test("a second router that serves Routes with such labels alone admits it beside the default one, and serves it", async () => {
  const host = "spire.apps.cluster3.example.com";
  const address = await startShard(cluster3, "type=sharded");
  const routers = async (name: string): Promise<(string | undefined)[]> => {
    const { status } = (await cluster3.read(ROUTE, "Route", name)) as { status?: Route["status"] };
    return (status?.ingress ?? []).map(({ routerName }) => routerName).sort();
  };
  try {
    await eventually(async () => {
      expect(await routers(cluster3.route)).toEqual(["default", "sharded"]);
      expect(await presentedBy(address, host, rootCa)).toBe(`DNS:${host}`);
    });
    expect(await routers(OPERATORS_ROUTE)).toEqual(["default"]);
    await project.pulumi("preview", "--stack", "cluster3", "--refresh", "--expect-no-changes");
    await project.set("cluster3", "endpoint.refreshHint", "270");
    await project.up("cluster3");
    const { stdout } = await project.mesh("verify", "cluster3", "-o", "json");
    const [member] = report("verify", stdout).members;
    expect(member?.checks.find(({ code }) => code === "MESH142")).toMatchObject({ state: "ok" });
  } finally {
    await endShard(cluster3);
  }
});

describe("what the operator never gets over ends an up in seconds", () => {
  const cures = async (...texts: string[]): Promise<void> => {
    const { code, stdout, stderr } = await project.tryUp("cluster3");
    expect(code).not.toBe(0);
    for (const text of texts) expect(stdout + stderr).toContain(text);
    expect(stdout + stderr).not.toContain("not ready after");
  };

  /** Takes the operator's label off one of its objects while something is done: as if somebody else had made it. */
  async function asSomebodyElses(object: Manifest, done: () => Promise<void>): Promise<void> {
    const labelled = (value: string | null): Promise<void> =>
      cluster3.merge({
        ...object,
        metadata: { ...object.metadata, labels: { "app.kubernetes.io/managed-by": value as string } },
      });
    await labelled(null);
    try {
      await done();
    } finally {
      await labelled(NAMESPACE);
    }
  }

  test("an object of somebody else that has the name of one of the operator's", async () => {
    const account = {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "spire-server", namespace: NAMESPACE },
    };
    await project.set("cluster3", "endpoint.refreshHint", "240");
    await asSomebodyElses(account, () =>
      cures("ServiceAccountAvailable=False", "oc --context cluster3 get serviceaccount spire-server"),
    );
    await eventually(() => project.up("cluster3"));
  });

  test("a Route of somebody else that has the name of the operator's, before anything is changed", async () => {
    const route = { apiVersion: ROUTE, kind: "Route", metadata: { name: OPERATORS_ROUTE, namespace: NAMESPACE } };
    await asSomebodyElses(route, () =>
      cures("is not the operator's", `oc --context cluster3 delete route ${OPERATORS_ROUTE} -n ${NAMESPACE}`),
    );
  });

  test("an upstream CA that the operator refuses, though the CRD takes it", async () => {
    const upstreamOf = (upstreamAuthority: object | null): Promise<void> =>
      cluster3.merge({
        apiVersion: OPERATOR,
        kind: "SpireServer",
        metadata: { name: "cluster" },
        spec: { upstreamAuthority },
      });
    await upstreamOf({ vault: { vaultAddr: "https:///v1", k8sAuth: { k8sAuthRoleName: "spire" } } });
    await project.set("cluster3", "endpoint.refreshHint", "180");
    await cures("InvalidUpstreamAuthorityConfiguration", "vaultAddr", "correct spec.upstreamAuthority");
    await upstreamOf(null);
    await project.up("cluster3");
  });

  test("a proxy without trusted CAs, before anything is changed", async () => {
    await proxyOf("http://proxy.example.com:3128");
    await cures("TRUSTED_CA_BUNDLE_CONFIGMAP", "oc --context cluster3 patch subscriptions.operators.coreos.com");
    await proxyOf("");
    await project.up("cluster3");
  });

  /** Gives the operator a proxy by its Subscription, or none; like OLM's own, it is not for the API server. */
  async function proxyOf(value: string): Promise<void> {
    const proxy = { name: "HTTPS_PROXY", value };
    const env = value === "" ? [] : [proxy, { name: "NO_PROXY", value: "198.18.0.0/15,.svc" }];
    await cluster3.merge({
      apiVersion: "operators.coreos.com/v1alpha1",
      kind: "Subscription",
      metadata: { name: `openshift-${NAMESPACE}`, namespace: NAMESPACE },
      spec: { config: { env } },
    });
    await eventually(async () => {
      const { spec } = await cluster3.read("apps/v1", "Deployment", `${NAMESPACE}-controller-manager`);
      const [container] = (spec as { template: { spec: { containers: { env: { name: string }[] }[] } } }).template.spec
        .containers;
      expect(container?.env.filter(({ name }) => name === proxy.name)).toEqual(value === "" ? [] : [proxy]);
    });
  }
});
