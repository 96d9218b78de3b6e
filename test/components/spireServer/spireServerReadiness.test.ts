import { createHash } from "node:crypto";
import { federationSpec } from "../../../components/spireServer/federationSpec";
import type { FederationSpec } from "../../../components/route/federation";
import type { Peer } from "../../../components/bundle/peer";
import { lookAtRoute, routeReadiness, type Route } from "../../../components/route/routeReadiness";
import {
  lookAtSpireServer,
  spireServerReadiness,
  type ServerState,
} from "../../../components/spireServer/spireServerReadiness";
import { clusterOf } from "../readers";

const HOST = "federation.apps.cluster1.example.com";
const NAMESPACE = "zero-trust-workload-identity-manager";
const peer: Peer = {
  stack: "cluster2",
  trustDomain: "apps.cluster2.example.com",
  bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
  profile: "https_web",
};
const endpoint = {
  profile: "https_web",
  refreshHint: 300,
  httpsWeb: { servingCert: { fileSyncInterval: 86400, externalSecretRef: "spire-server-federation-tls" } },
} as const;
const asked = { host: HOST, federation: federationSpec(endpoint, []) };

const conf = (refreshHint: number, peers = {}): string =>
  JSON.stringify({
    server: {
      federation: {
        bundle_endpoint: {
          refresh_hint: `${refreshHint}s`,
          profile: { https_web: { serving_cert_file: { file_sync_interval: "86400s" } } },
        },
        federates_with: peers,
      },
    },
  });

const route: Route = {
  spec: { host: HOST, tls: { termination: "reencrypt", externalCertificate: { name: "spire-server-federation-tls" } } },
  status: { ingress: [{ host: HOST, conditions: [{ type: "Admitted", status: "True" }] }] },
};

const admitted = (status: string, reason?: string, host = HOST): Pick<Route, "status"> => ({
  status: {
    ingress: [{ host, routerName: "default", conditions: [{ type: "Admitted", status, ...(reason && { reason }) }] }],
  },
});

/** A server that runs with `federation`, written as `serverConf`; `conditions` come on top of Ready=True. */
function running(federation: FederationSpec, serverConf: string, conditions: object[] = []): ServerState {
  const hash = createHash("sha256").update(serverConf.trim()).digest("hex");
  return {
    server: {
      metadata: { name: "cluster" },
      spec: { federation },
      status: { conditions: [...conditions, { type: "Ready", status: "True" }] as never },
    },
    // The operator hashes what it writes without the white space around it.
    config: { data: { "server.conf": `${serverConf}\n` } },
    statefulSet: {
      metadata: { name: "spire-server", generation: 5 },
      spec: {
        replicas: 1,
        template: { metadata: { annotations: { "ztwim.openshift.io/spire-server-config-hash": hash } } },
      },
      status: { observedGeneration: 5, replicas: 1, updatedReplicas: 1, readyReplicas: 1 },
    },
    pod: undefined,
    route,
  };
}
const good = running(asked.federation, conf(300));

it("is ready when everything from the specification to the Route agrees", () => {
  expect(spireServerReadiness(asked, good)).toEqual({ state: "ready" });
});

describe("is not fooled by a stale Ready=True", () => {
  it.each<[string, ServerState, string]>([
    ["the operator has written nothing yet", { ...good, config: undefined }, "server.conf has no federation yet"],
    [
      "server.conf is the one before",
      running(asked.federation, conf(60)),
      "server.conf is behind: refreshHint is 60s, asked for is 300s",
    ],
    ["the StatefulSet is not there", { ...good, statefulSet: undefined }, "StatefulSet spire-server is not there yet"],
    [
      "the StatefulSet is of the server.conf before",
      { ...good, statefulSet: running(asked.federation, conf(60)).statefulSet },
      "is of another server.conf",
    ],
    [
      "its controller has not seen the StatefulSet",
      { ...good, statefulSet: { ...good.statefulSet, metadata: { name: "spire-server", generation: 6 } } },
      "generation 6, observed 5",
    ],
  ])("while %s", (_, state, because) => {
    expect(spireServerReadiness(asked, state)).toEqual({
      state: "waiting",
      because: expect.stringContaining(because) as string,
    });
  });

  it("shows the pod that holds the rollout up", () => {
    const pod = { metadata: { name: "spire-server-0" }, status: { phase: "Pending" } };
    const statefulSet = { ...good.statefulSet, status: { observedGeneration: 5, replicas: 1, updatedReplicas: 1 } };
    const verdict = spireServerReadiness(asked, { ...good, statefulSet, pod });
    expect(JSON.stringify(verdict)).toMatch(/rolling out.*; Pod spire-server-0 is Pending/);
  });
});

it("fails with a pod that crashes again and again, and says how a mended one comes to run", () => {
  const containerStatuses = [{ name: "spire-server", state: { waiting: { reason: "CrashLoopBackOff" } } }];
  const pod = { metadata: { name: "spire-server-0", namespace: NAMESPACE }, status: { containerStatuses } };
  const statefulSet = { ...good.statefulSet, status: { observedGeneration: 5, replicas: 1, updatedReplicas: 1 } };
  const verdict = spireServerReadiness(asked, { ...good, statefulSet, pod });
  expect(verdict).toMatchObject({ state: "failed", settleSeconds: 30 });
  expect(JSON.stringify(verdict)).toMatch(
    /rolling out.*CrashLoopBackOff.*oc logs.*oc delete pod -n \S+ spire-server-0/,
  );
});

it("waits for Ready with the conditions that are not True", () => {
  const state = running(asked.federation, conf(300));
  const conditions = [
    { type: "Ready", status: "False", reason: "Progressing", message: "not all" },
    { type: "ServiceAvailable", status: "True" },
    { type: "StatefulSetAvailable", status: "False", message: "update in progress (generation 10, observed 0)" },
  ];
  const server = { ...state.server, status: { conditions } };
  expect(spireServerReadiness(asked, { ...state, server })).toEqual({
    state: "waiting",
    because:
      "Ready=False (Progressing): not all; StatefulSetAvailable=False: update in progress (generation 10, observed 0)",
  });
});

describe("fails, once it has settled, when", () => {
  const refused = {
    type: "ConfigurationValid",
    status: "False",
    reason: "InvalidFederationConfiguration",
    message: "own trust domain",
  };
  const routeFailed = {
    type: "RouteAvailable",
    status: "False",
    reason: "FederationRouteCreationFailed",
    message: "Forbidden",
  };

  it.each<[string, ServerState, string]>([
    ["there is no SpireServer", { ...good, server: undefined }, "is not there; create it"],
    ["federation is unset", { ...good, server: { metadata: { name: "cluster" } } }, "spec.federation is not set"],
    [
      "somebody has changed it",
      running(federationSpec({ ...endpoint, refreshHint: 60 }, []), conf(60)),
      "somebody has changed spec.federation: refreshHint is 60s",
    ],
    [
      "the operator refuses it",
      running(asked.federation, conf(300), [refused]),
      "InvalidFederationConfiguration): own trust domain",
    ],
    [
      "the operator could not make the Route",
      running(asked.federation, conf(300), [routeFailed]),
      'Forbidden; put right what it says ("pulumi up --refresh" restores',
    ],
  ])("%s", (_, state, because) => {
    expect(spireServerReadiness(asked, state)).toEqual({
      state: "failed",
      because: expect.stringContaining(because) as string,
      settleSeconds: 20,
    });
  });
});

describe("fails within seconds when the operator stops for good", () => {
  const stopped = (type: string, reason: string, message: string): object[] => [
    { type: "Ready", status: "False", reason: "Failed", message: `${type}: ${message}` },
    { type: "StatefulSetAvailable", status: "True", reason: "StatefulSetReady" },
    { type, status: "False", reason, message },
  ];
  const conflict = (what: string): string => `resource ${what} already exists but is not managed by the operator`;
  const here = "zero-trust-workload-identity-manager";

  it.each<[string, object[], string[]]>([
    [
      "at a ConfigMap of somebody else",
      stopped("ServerConfigMapAvailable", "ResourceConflict", conflict(`${here}/spire-server`)),
      ["ServerConfigMapAvailable=False (ResourceConflict)", `oc get configmap spire-server -n ${here} -o yaml`],
    ],
    [
      "at a ClusterRole of somebody else",
      stopped("RBACAvailable", "ResourceConflict", conflict("spire-server")),
      ["oc get role,rolebinding,clusterrole,clusterrolebinding spire-server -o yaml"],
    ],
    [
      "at a Route of somebody else, in the words of 1.0",
      stopped(
        "RouteAvailable",
        "FederationRouteCreationFailed",
        'routes.route.openshift.io "spire-server-federation" already exists',
      ),
      [`oc get route spire-server-federation -n ${here} -o yaml`, `oc delete pod -n ${here} -l name=${here}`],
    ],
    [
      "behind a proxy",
      stopped("ConfigurationValid", "ProxyConfigurationInvalid", "Proxy is enabled"),
      ["config.openshift.io/inject-trusted-cabundle=true", "subscriptions.operators.coreos.com"],
    ],
    [
      "at an upstream authority",
      stopped("ConfigurationValid", "InvalidUpstreamAuthorityConfiguration", "issuerName is empty"),
      ["issuerName is empty", "spec.upstreamAuthority"],
    ],
  ])("%s, whatever of the operands is behind", (_, conditions, texts) => {
    const state = running(asked.federation, conf(60), conditions);
    const verdict = spireServerReadiness(asked, { ...state, statefulSet: undefined });
    expect(verdict).toMatchObject({ state: "failed", settleSeconds: 8 });
    for (const text of texts) expect(verdict).toHaveProperty("because", expect.stringContaining(text));
  });

  it("and says the cure for the cluster at hand", () => {
    const conditions = stopped("ServiceAvailable", "ResourceConflict", conflict(`${here}/spire-server`));
    const access = { context: "east" };
    const verdict = spireServerReadiness({ ...asked, access }, running(asked.federation, conf(300), conditions));
    expect(verdict).toHaveProperty("because", expect.stringContaining("oc --context east get service spire-server"));
    expect(routeReadiness({ ...asked, access }, { ...route, ...admitted("False", "Other") })).toHaveProperty(
      "because",
      expect.stringContaining("oc --context east annotate route"),
    );
  });

  it("but not at what it gets over, nor where it starts again with trusted CAs", async () => {
    const cluster = (condition: object[], env: object[] = []) => {
      const server = {
        ...running(asked.federation, conf(300), condition).server,
        apiVersion: "operator.openshift.io/v1alpha1",
        kind: "SpireServer",
      };
      const deployment = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: `${here}-controller-manager`, namespace: here },
        spec: { template: { spec: { containers: [{ env }] } } },
      };
      return clusterOf(server, deployment);
    };
    const proxy = stopped("ConfigurationValid", "ProxyConfigurationInvalid", "Proxy is enabled");
    const env = [{ name: "TRUSTED_CA_BUNDLE_CONFIGMAP", value: "trusted-ca" }];
    expect(await lookAtSpireServer(cluster(proxy), asked)).toMatchObject({ state: "failed", settleSeconds: 8 });
    expect(await lookAtSpireServer(cluster(proxy, env), asked)).toMatchObject({ state: "waiting" });
    const passing = stopped("StatefulSetAvailable", "StatefulSetNotReady", "update in progress");
    expect(await lookAtSpireServer(cluster(passing), asked)).toMatchObject({ state: "waiting" });
  });
});

it("fails at once when the operator applies no change", () => {
  const state = running(asked.federation, conf(60), [{ type: "CreateOnlyMode", status: "True" }]);
  expect(spireServerReadiness(asked, state)).toMatchObject({ state: "failed", settleSeconds: 0 });
});

describe("peers", () => {
  const withPeer = federationSpec(endpoint, [peer]);
  const peers = {
    [peer.trustDomain]: { bundle_endpoint_url: peer.bundleEndpointUrl, bundle_endpoint_profile: { https_web: {} } },
  };

  it("must be in server.conf when they were asked for", () => {
    const want = { host: HOST, federation: withPeer };
    expect(spireServerReadiness(want, running(withPeer, conf(300, peers)))).toEqual({ state: "ready" });
    expect(spireServerReadiness(want, running(withPeer, conf(300)))).toMatchObject({ state: "waiting" });
    expect(spireServerReadiness(want, running(asked.federation, conf(300)))).toMatchObject({ state: "failed" });
  });

  it("of somebody else don't matter while the stack lists none", () => {
    expect(spireServerReadiness(asked, running(withPeer, conf(300, peers)))).toEqual({ state: "ready" });
  });
});

describe("a Route of the stack's own", () => {
  const own = { ...asked, ownRoute: { labels: {} } };
  const operators: Route = { spec: { host: "federation.cluster1.example.com" } };

  it("comes after a server that is Ready, whatever router sees the operator's Route", () => {
    expect(spireServerReadiness(own, { ...good, route: operators })).toEqual({ state: "ready" });
    expect(spireServerReadiness(own, { ...good, statefulSet: undefined })).toMatchObject({ state: "waiting" });
    const conditions = [
      { type: "RouteAvailable", status: "False", reason: "FederationRouteCreationFailed", message: "no" },
      { type: "Ready", status: "False" },
    ];
    expect(spireServerReadiness(own, running(asked.federation, conf(300), conditions))).toMatchObject({
      state: "failed",
    });
  });

  it.each<[string, Route | undefined, string]>([
    ["deleted", undefined, "is not there; somebody"],
    ["given another certificate", { ...route, spec: { host: HOST } }, "is without TLS with secret none, not reencrypt"],
  ])("fails when it was %s, with the cure", (_, seen, because) => {
    const verdict = routeReadiness(own, seen);
    expect(verdict).toMatchObject({ state: "failed", settleSeconds: 20 });
    expect(JSON.stringify(verdict)).toContain(`Route spire-federation-endpoint ${because}`);
    expect(JSON.stringify(verdict)).toContain("up --refresh");
  });

  it("is judged from what the cluster has", async () => {
    const metadata = { name: "spire-federation-endpoint", namespace: NAMESPACE };
    const object = { ...route, apiVersion: "route.openshift.io/v1", kind: "Route", metadata };
    expect(await lookAtRoute(clusterOf(object), own)).toEqual({ state: "ready" });
    expect(await lookAtRoute(clusterOf(), own)).toMatchObject({ state: "failed" });
  });
});

describe("an operator that can make no Route", () => {
  const without = { host: HOST, federation: federationSpec(endpoint, [], false), ownRoute: { labels: {} } };
  /** Ready is never true then; `routeAvailable` is what the operator says of the Route. */
  const server = (routeAvailable: string, statefulSetAvailable = "True"): ServerState => ({
    ...running(without.federation, conf(300), [
      { type: "Ready", status: "False", reason: "Failed" },
      { type: "RouteAvailable", status: routeAvailable, reason: "FederationRouteDisabled" },
      { type: "StatefulSetAvailable", status: statefulSetAvailable },
    ]),
    route: undefined,
  });

  it("is done with a server that runs, though it is never Ready", () => {
    expect(spireServerReadiness(without, server("False"))).toEqual({ state: "ready" });
    expect(spireServerReadiness(without, server("False", "False"))).toMatchObject({
      state: "waiting",
      because: expect.stringContaining("StatefulSetAvailable=False") as string,
    });
  });

  it("has to let go of a Route first", () => {
    expect(spireServerReadiness(without, server("True"))).toMatchObject({
      state: "waiting",
      because: expect.stringContaining("let go") as string,
    });
  });
});

describe("the Route", () => {
  it.each<[string, Route | undefined, string, string]>([
    ["is not there", undefined, "waiting", "is not there"],
    [
      "has another host",
      { ...route, spec: { ...route.spec, host: "x.example.com" } },
      "failed",
      `has host x.example.com; it must be ${HOST}`,
    ],
    [
      "has another secret",
      { ...route, spec: { host: HOST, tls: { termination: "reencrypt" } } },
      "waiting",
      "with secret none",
    ],
    ["is seen by no router", { ...route, status: {} }, "failed", "seen by no router; check that the router runs"],
    [
      "has its host claimed by another",
      { ...route, ...admitted("False", "HostAlreadyClaimed") },
      "failed",
      "router default says Admitted=False (HostAlreadyClaimed). Delete the older Route",
    ],
    ...[
      "ExternalCertificateValidationFailed",
      "ExternalCertificateGetFailed",
      "ExternalCertificateSecretDeleted",
      "ExtendedValidationFailed",
    ].map((reason): [string, Route, string, string] => [
      `is refused for ${reason}`,
      { ...route, ...admitted("False", reason) },
      "failed",
      "with type kubernetes.io/tls and a whole chain in tls.crt",
    ]),
    ["is admitted by no namespace", { ...route, ...admitted("False", "RouteNotAdmitted") }, "failed", "routeAdmission"],
    ["is refused in passing", { ...route, ...admitted("False", "Other") }, "failed", "make the router look again"],
    [
      "is admitted for another host",
      { ...route, status: { ingress: [{ ...route.status?.ingress?.[0], host: "x" }] } },
      "failed",
      "no router",
    ],
  ])("is judged when it %s", (_, seen, state, because) => {
    expect(routeReadiness(asked, seen)).toMatchObject({ state, because: expect.stringContaining(because) as string });
    expect(spireServerReadiness(asked, { ...good, route: seen })).toMatchObject({ state });
  });

  it("is given the time in which a router heals it, where its certificate could not be read", () => {
    const patience = (reason: string): unknown => routeReadiness(asked, { ...route, ...admitted("False", reason) });
    expect(patience("ExternalCertificateValidationFailed")).toMatchObject({ settleSeconds: 75 });
    expect(patience("HostAlreadyClaimed")).toMatchObject({ settleSeconds: 20 });
  });

  it("needs one router of several", () => {
    const [shard] = admitted("False", "RouteNotAdmitted").status?.ingress ?? [];
    const two = (status: string): Route => ({
      ...route,
      status: {
        ingress: [
          { ...shard, routerName: "shard" },
          ...(admitted(status, "HostAlreadyClaimed").status?.ingress ?? []),
        ] as never,
      },
    });
    expect(routeReadiness(asked, two("True"))).toEqual({ state: "ready" });
    expect(routeReadiness(asked, two("False"))).toMatchObject({
      state: "failed",
      because: expect.stringMatching(
        /router shard says .*RouteNotAdmitted.*router default says .*HostAlreadyClaimed/,
      ) as string,
    });
  });

  it("is passed through when SPIRE itself has the certificate", () => {
    const own = { host: HOST, federation: federationSpec({ profile: "https_spiffe", refreshHint: 300 }, []) };
    const passthrough = { ...route, spec: { host: HOST, tls: { termination: "passthrough" } } };
    expect(routeReadiness(own, passthrough)).toEqual({ state: "ready" });
    expect(routeReadiness(own, route)).toMatchObject({ state: "waiting" });
  });
});

it("is judged from what the cluster has", async () => {
  const at = (
    apiVersion: string,
    kind: string,
    name: string,
    object: object | undefined,
    namespace?: string,
  ): object => ({
    ...object,
    apiVersion,
    kind,
    metadata: { ...(object as { metadata?: object }).metadata, name, ...(namespace && { namespace }) },
  });
  const objects = [
    at("operator.openshift.io/v1alpha1", "SpireServer", "cluster", good.server),
    at("v1", "ConfigMap", "spire-server", good.config, NAMESPACE),
    at("apps/v1", "StatefulSet", "spire-server", good.statefulSet, NAMESPACE),
    at("route.openshift.io/v1", "Route", "spire-server-federation", route, NAMESPACE),
  ];
  expect(await lookAtSpireServer(clusterOf(...objects), asked)).toEqual({ state: "ready" });
  expect(await lookAtSpireServer(clusterOf(...objects.slice(1)), asked)).toMatchObject({ state: "failed" });
});
