/**
 * The identities of docs/rbac/ can do all that they are for, and have no right that nothing needs: all that they ask of
 * the API servers is in an audit log. The policies beside them let that pass, and refuse what the program never does. The tests
 * build on each other; jest runs them in order.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import {
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  VersionApi,
} from "../../../components/cluster/kubernetesClient";
import { Cluster, type Manifest, NAMESPACE } from "../../../lab/client/cluster";
import { OPERATOR, OPERATOR_NAMESPACE, removeOperator } from "../../../lab/client/operator";
import { labState, Project } from "../../../lab/client/project";
import { held } from "../../../lab/client/trust";
import { eventually } from "../../../lab/client/eventually";
import { files, objectsOf, type RbacManifest } from "../../rbac/manifests";
import { type AuditEvent, describe as inWords, type Granting, isDenied, rights, unused } from "../../rbac/rights";
import { connect } from "../../../components/cluster/connect";
import { readOwnRoots } from "../../../components/bundle/spiffeEndpoint";
import { connectProbe } from "../../../mesh/verify/probe/cluster";
import { PROBE } from "../../../mesh/verify/probe/probeObjects";
import { podTrouble, routeTrouble } from "../../../mesh/verify/probe/trouble";
import { FORBIDDEN } from "../helpers/forbiddenChanges";
import { gone, grant, revoke, writeKubeconfig } from "../helpers/identities";
import { removeBundles } from "../helpers/leftovers";

const [cluster1, cluster3] = [new Cluster("cluster1"), new Cluster("cluster3", "cluster3.example.com")];
const CLUSTERS = [cluster1, cluster3];
const CONFIG = `config:
  spire-federation:context: cluster3
  spire-federation:trustDomain: cluster3.example.com
  spire-federation:peers: [cluster1]
  spire-federation:issuer: { type: acme }
  spire-federation:probe: cluster
`;
const [RBAC, CERT_MANAGER, ROUTE] = ["rbac.authorization.k8s.io/v1", "cert-manager.io/v1", "route.openshift.io/v1"];
const TLS = "spire-server-federation-tls";
const began = new Date().toISOString();
let project: Project;
let deployer: Project;
let auditor: Project;
let rotator: Project;

jest.setTimeout(600_000);

beforeAll(async () => {
  project = await Project.forTest();
  await project.writeStackFile("cluster3", CONFIG);
  await rm(join(project.dir, "Pulumi.cluster2.yaml")); // no member of this mesh
  await project.init("cluster1", "cluster3");
  await project.set("cluster1", "peers[0]", "cluster3");
  await clear(cluster3);
  for (const cluster of CLUSTERS) await revoke(cluster);
  // What a cluster whose trust domain is its ingress domain needs, and keeps its cert-manager; and all there is.
  await grant(
    cluster1,
    "auditor",
    "auditor-exec",
    "auditor-probe",
    "deployer",
    "deployer-removal",
    "deployer-cert-manager",
    "auditor-peer-cas",
    "deployer-peer-cas",
    "rotator",
  );
  // Whoever may read every ConfigMap needs none of the rights to read some.
  await grant(cluster3, ...files().filter((file) => !file.endsWith("peer-cas")));
  [deployer, auditor, rotator] = (await Promise.all(
    ["deployer", "auditor", "rotator"].map(async (name) =>
      project.as(await writeKubeconfig(join(project.dir, `${name}.kubeconfig`), name, CLUSTERS)),
    ),
  )) as [Project, Project, Project];
});

// Of a CA that is no stack's any more; the next Certificate would take it up.
afterAll(() => cluster3.remove("v1", "Secret", TLS).catch(gone));

/** Takes away what other stacks have left, so that this one has to make all of it. */
async function clear(cluster: Cluster): Promise<void> {
  await removeOperator(cluster);
  const left: [string, string, string, string?][] = [
    ["operators.coreos.com/v1", "OperatorGroup", OPERATOR, OPERATOR_NAMESPACE],
    ["spire.spiffe.io/v1alpha1", "ClusterFederatedTrustDomain", "cluster1-federation"],
    [ROUTE, "Route", "spire-server-federation"],
    [ROUTE, "Route", "spire-federation-endpoint"],
    [RBAC, "RoleBinding", "secret-reader-binding"],
    [RBAC, "Role", "secret-reader"],
    ...(await named(cluster, "Certificate")),
    ...(await named(cluster, "Issuer")),
    ["v1", "Secret", TLS],
  ];
  for (const object of left) await cluster.remove(...object).catch(gone);
}

/** All of one of cert-manager's kinds. */
const named = async (cluster: Cluster, kind: string): Promise<[string, string, string][]> =>
  ((await cluster.list(CERT_MANAGER, kind, NAMESPACE).catch(gone)) ?? []).map(({ metadata }) => [
    CERT_MANAGER,
    kind,
    metadata.name,
  ]);

const succeeds = async (running: Promise<{ code: number; stdout: string; stderr: string }>): Promise<void> => {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}${stderr}`);
};

test("the deployer sees what the first up would do, where nothing is", async () => {
  await succeeds(deployer.mesh("preview", "cluster1", "cluster3"));
});

test("the deployer brings up a cluster with the operator's Route and one with its own, where nothing was", async () => {
  await succeeds(deployer.mesh("up", "--yes", "cluster1", "cluster3"));
  await eventually(() => held(cluster1, cluster3));
  await eventually(() => held(cluster3, cluster1));
  await removeBundles(cluster1, [cluster3]);
  await removeBundles(cluster3, [cluster1]);
});

test("the auditor sees that all is well", async () => {
  await succeeds(auditor.mesh("status", "cluster1", "cluster3"));
  await succeeds(auditor.mesh("preview", "cluster1", "cluster3", "--expect-no-changes"));
  await succeeds(auditor.mesh("drift", "cluster1", "cluster3"));
  await succeeds(auditor.mesh("verify", "cluster1", "cluster3", "--probe"));
  await succeeds(auditor.mesh("alerts", "cluster1"));
});

test("the rotator replaces a key", async () => {
  await succeeds(rotator.mesh("rotate", "cluster3", "--keys", "x509", "--yes"));
});

test("without the right to run commands the auditor is told what was not seen, not that all is well", async () => {
  const [binding] = objectsOf("auditor-exec").filter(({ kind }) => kind === "RoleBinding");
  if (binding === undefined) throw new Error("auditor-exec.yaml has no RoleBinding");
  await cluster1.remove(RBAC, "RoleBinding", binding.metadata.name, NAMESPACE);
  try {
    await eventually(async () => {
      const { code, stdout } = await auditor.mesh("verify", "cluster1", "cluster3", "-o", "wide");
      expect(stdout).toMatch(/\? MESH211 .*403/);
      expect(stdout).not.toMatch(/\d failed/);
      expect(code).toBe(3);
    });
  } finally {
    await cluster1.apply(binding);
  }
});

test("the auditor sees what another issuer would change", async () => {
  await project.set("cluster3", "issuer.type", "existing");
  await project.set("cluster3", "issuer.kind", "ClusterIssuer");
  await project.set("cluster3", "issuer.name", "nobodys");
  const { code, stdout } = await auditor.run("preview", "--stack", "cluster3");
  expect(code).not.toBe(0);
  expect(stdout).toContain('there is no ClusterIssuer "nobodys"');
  for (const key of ["kind", "name"]) await project.unset("cluster3", `issuer.${key}`);
});

test("the deployer changes a member to a CA of its own", async () => {
  await project.set("cluster3", "issuer.type", "ca");
  await project.set("cluster3", "issuer.selfSigned", "true");
  await project.set("cluster3", "issuer.secretName", "rbac-ca");
  await deployer.up("cluster3");
  await deployer.pulumi("refresh", "--yes", "--stack", "cluster3");
});

test("the deployer has SPIRE trust that CA", async () => {
  await project.set("cluster1", "trustPeerCas", "true");
  await deployer.up("cluster1");
  await succeeds(auditor.mesh("preview", "cluster1", "cluster3"));
});

test("the deployer leaves both certificates to somebody else", async () => {
  for (const key of ["selfSigned", "secretName"]) await project.unset("cluster3", `issuer.${key}`);
  for (const name of ["cluster1", "cluster3"]) {
    await project.set(name, "issuer.type", "secret");
    await deployer.up(name);
  }
});

test("the deployer ends the router's access to one of them, which then presents its default certificate", async () => {
  await project.set("cluster3", "issuer.type", "router");
  await deployer.up("cluster3");
});

test("the deployer takes both out again", async () => {
  await succeeds(deployer.mesh("remove", "cluster3", "--destroy", "--yes"));
  await deployer.destroy("cluster1");
});

test("the auditor sees what an up would do where the operator has been removed", async () => {
  await removeOperator(cluster3);
  await project.set("cluster3", "issuer.type", "acme");
  await succeeds(auditor.mesh("preview", "cluster3"));
});

describe("from the audit log:", () => {
  let events: AuditEvent[];

  beforeAll(async () => {
    const logs = await Promise.all(CLUSTERS.map(({ name }) => readFile(join(labState(), name, "audit.log"), "utf8")));
    events = logs
      .flatMap((log) => log.trim().split("\n"))
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ requestReceivedTimestamp: at }) => at >= began);
  });

  test("nothing was denied but dry runs of the auditor's previews, events, which Pulumi would show, and what was taken away", () => {
    const denied = events.filter(
      (event) =>
        isDenied(event) &&
        event.objectRef?.resource !== "events" &&
        !isTakenAway(event) &&
        !(event.user.username.endsWith(":auditor") && event.requestURI.includes("dryRun=All")),
    );
    expect(denied.map(({ user, verb, requestURI }) => `${user.username} ${verb} ${requestURI}`)).toEqual([]);
  });

  /** The right to run commands, for a test of its own. */
  const isTakenAway = ({ user, objectRef }: AuditEvent): boolean =>
    user.username.endsWith(":auditor") && objectRef?.subresource === "exec";

  test("every right was used", () => {
    const granted = rights(files().flatMap(objectsOf).filter(isGranting));
    expect(
      unused(granted, events)
        .map(inWords)
        .filter((right) => !SILENT.some(([, each]) => right === each)),
    ).toEqual([]);
  });
});

const isGranting = (object: RbacManifest): object is RbacManifest & Granting => object.rules !== undefined;

const SECRET_READER = {
  apiVersion: RBAC,
  kind: "Role",
  metadata: { name: "secret-reader", namespace: NAMESPACE },
  rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [TLS], verbs: ["get", "list", "watch"] }],
};
const SECRET_READER_BINDING = {
  apiVersion: RBAC,
  kind: "RoleBinding",
  metadata: { name: "secret-reader-binding", namespace: NAMESPACE },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secret-reader" },
  subjects: [{ kind: "ServiceAccount", name: "router", namespace: "openshift-ingress" }],
};
const OWN_ROUTE = {
  apiVersion: ROUTE,
  kind: "Route",
  metadata: { name: "spire-federation-endpoint", namespace: NAMESPACE },
  spec: {
    host: cluster3.host,
    to: { kind: "Service", name: "spire-server", weight: 100 },
    tls: { termination: "reencrypt", externalCertificate: { name: TLS } },
  },
};

const PROBE_ROUTE = {
  ...OWN_ROUTE,
  metadata: { name: PROBE, namespace: PROBE },
  spec: { ...OWN_ROUTE.spec, tls: { termination: "passthrough" } },
};

/**
 * Rights that no request of these tests shows, since the API server asks for them by itself or since the clusters have
 * another profile: what fails without each, and how.
 */
const SILENT: [file: string, right: string, attempt: () => Promise<unknown>, refusal: RegExp][] = [
  ...["get", "list", "watch"].map((verb): (typeof SILENT)[number] => [
    "deployer",
    `${NAMESPACE}/spire-federation-deployer: ${verb} secrets ${TLS} in ${NAMESPACE}`,
    () => dryRun(SECRET_READER),
    /attempting to grant RBAC permissions not currently held/,
  ]),
  [
    "deployer",
    `${NAMESPACE}/spire-federation-deployer: bind roles.rbac.authorization.k8s.io secret-reader in ${NAMESPACE}`,
    () => dryRun(SECRET_READER_BINDING), // the Role is not there
    /secret-reader\W+not found/,
  ],
  ...Object.entries({
    create: /you do not have permission to set the host field of the route/,
    update: /user does not have update permission on custom-host/,
  }).map(([verb, refusal]): (typeof SILENT)[number] => [
    "deployer-own-route",
    `${NAMESPACE}/spire-federation-deployer-own-route: ${verb} routes.route.openshift.io/custom-host in ${NAMESPACE}`,
    () => dryRun(OWN_ROUTE),
    refusal,
  ]),
  ...[
    ["deployer", "deployer-removal"],
    ["auditor", "auditor-exec"],
    ["rotator", "rotator"],
  ].map(([name = "", file = ""]): (typeof SILENT)[number] => [
    file,
    `${NAMESPACE}/spire-federation-${file}: create pods/exec spire-server-0 in ${NAMESPACE}`,
    () => exec(name, "bundle", "list"),
    /403/,
  ]),
  [
    "auditor",
    `${NAMESPACE}/spire-federation-auditor: get configmaps spire-bundle in ${NAMESPACE}`,
    () => readOwnRoots(inHands("auditor", () => connect({ context: cluster3.name }))),
    /cannot read ConfigMap spire-bundle/,
  ],
  [
    "auditor-probe",
    `${PROBE}/spire-federation-auditor-probe: create routes.route.openshift.io/custom-host in ${PROBE}`,
    () => KubernetesObjectApi.makeApiClient(seenBy("auditor")).create(PROBE_ROUTE, undefined, "All"),
    /you do not have permission to set the host field of the route/,
  ],
  [
    "auditor-probe",
    `${PROBE}/spire-federation-auditor-probe: list events in ${PROBE}`,
    () => podTrouble(inHands("auditor", () => connectProbe({ context: cluster3.name }))),
    /cannot list Event/,
  ],
  [
    "auditor-probe",
    `${PROBE}/spire-federation-auditor-probe: get routes.route.openshift.io ${PROBE} in ${PROBE}`,
    () => routeTrouble(inHands("auditor", () => connectProbe({ context: cluster3.name }))),
    /cannot read Route/,
  ],
];

/** A command over a WebSocket is a create as well since Kubernetes 1.35; before that it is a get alone. */
async function asked(right: string): Promise<string> {
  const { minor } = await cluster3.kubeconfig.makeApiClient(VersionApi).getCode();
  return Number.parseInt(minor) < 35 ? right.replace("create pods/exec", "get pods/exec") : right;
}

test.each(SILENT)("%s.yaml needs %s", async (file, silent, attempt, refusal) => {
  const right = await asked(silent);
  const role = objectsOf(file)
    .filter(isGranting)
    .find((each) => rights([each]).some((one) => inWords(one) === right));
  if (role === undefined) throw new Error(`${file} does not grant ${right}`);
  const said = (): Promise<string> =>
    attempt().then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
  await eventually(async () => {
    expect(await said()).not.toMatch(refusal);
  });
  await cluster3.apply(without(role, right));
  try {
    await eventually(async () => {
      expect(await said()).toMatch(refusal);
    });
  } finally {
    await cluster3.apply(role);
  }
});

/** The Role with every right but one, each in a rule of its own. */
function without(role: Granting & Manifest, right: string): Manifest & Pick<Granting, "rules"> {
  const rules = rights([role])
    .filter((one) => inWords(one) !== right)
    .map(({ apiGroup, resource, verb, name }) => ({
      apiGroups: [apiGroup],
      resources: [resource],
      verbs: [verb],
      ...(name !== undefined && { resourceNames: [name] }),
    }));
  return { ...role, rules };
}

// cluster1 has cert-manager still. After the audit log was read: a change that a policy refuses has used its right.
test.each(FORBIDDEN)("a policy refuses %s to the %s, and names the field", async (_, name, object, refusal) => {
  await expect(dryRun(object, name, cluster1)).rejects.toThrow(refusal);
});

test("a policy does not let the deployer delete a ConfigMap of SPIRE", async () => {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "spire-bundle", namespace: NAMESPACE } };
  const client = KubernetesObjectApi.makeApiClient(seenBy("deployer", cluster1));
  await expect(client.delete(object, undefined, "All")).rejects.toThrow(/metadata\.name: /);
});

test.each([
  ["auditor", ["bundle", "show"], ["bundle", "delete", "-id", "spiffe://none.example.com"]],
  ["rotator", ["agent", "list"], ["x509", "mint", "-spiffeID", "spiffe://apps.cluster1.example.com/any"]],
  ["deployer", ["bundle", "list"], ["token", "generate", "-spiffeID", "spiffe://apps.cluster1.example.com/any"]],
])("a policy lets the %s run %j in the SPIRE server, and not %j", async (name, allowed, refused) => {
  await exec(name, ...allowed);
  await expect(exec(name, ...refused)).rejects.toMatchObject({ message: expect.stringContaining("403") as string }); // an event, no Error
});

/** A cluster as one of the identities sees it. */
function seenBy(name: string, { name: context } = cluster3): KubeConfig {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(join(project.dir, `${name}.kubeconfig`));
  kubeconfig.setCurrentContext(context);
  return kubeconfig;
}

/** Has the API server say whether one of the identities could apply an object. */
const dryRun = (object: Manifest, name = "deployer", cluster = cluster3): Promise<unknown> =>
  KubernetesObjectApi.makeApiClient(seenBy(name, cluster)).patch(
    object,
    undefined,
    "All",
    "by-hand",
    true,
    PatchStrategy.ServerSideApply,
  );

/** The program's own way to a cluster, in the hands of one of the identities. */
function inHands<T>(name: string, connecting: () => T): T {
  const kubeconfig = process.env["KUBECONFIG"];
  process.env["KUBECONFIG"] = join(project.dir, `${name}.kubeconfig`);
  try {
    return connecting();
  } finally {
    process.env["KUBECONFIG"] = kubeconfig;
  }
}

const exec = async (name: string, ...args: string[]): Promise<unknown> => {
  const command = ["/spire-server", ...args];
  const silent = new PassThrough();
  return new Exec(seenBy(name)).exec(NAMESPACE, "spire-server-0", "spire-server", command, silent, silent, null, false);
};
