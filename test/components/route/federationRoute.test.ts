import fc from "fast-check";
import {
  federationRoute,
  type FederationRoute,
  makeRoute,
  type RouteArgs,
} from "../../../components/route/federationRoute";
import { federationSpec } from "../../../components/spireServer/federationSpec";
import type { BundleEndpointSpec } from "../../../components/route/federation";
import * as pulumi from "@pulumi/pulumi";
import { named, record } from "../../mocks";
import { clusterOf } from "../readers";

const INGRESS = "apps.cluster1.example.com";

const own = { labels: {} };

it.each<[string, string, FederationRoute]>([
  ["the ingress domain", INGRESS, { host: `federation.${INGRESS}`, managedRoute: true }],
  ["a domain under it", `spire.${INGRESS}`, { host: `federation.spire.${INGRESS}`, managedRoute: true }],
  ["the cluster's own domain", "cluster1.example.com", { host: `federation.${INGRESS}`, managedRoute: true, own }],
  ["what only ends like it", `my${INGRESS}`, { host: `federation.${INGRESS}`, managedRoute: true, own }],
  // The operator cannot make a Route for it.
  ["no domain of DNS", `a_b.${INGRESS}`, { host: `federation.${INGRESS}`, managedRoute: false, own }],
  ["too long", "a.".repeat(121) + "com", { host: `federation.${INGRESS}`, managedRoute: false, own }],
])("a trust domain that is %s is served where the router serves it", (_, trustDomain, expected) => {
  expect(federationRoute({ trustDomain }, INGRESS)).toEqual(expected);
});

const shard = { type: "sharded" };
it.each<[string, Partial<RouteArgs>, FederationRoute]>([
  ["a host", { endpointHost: "spire.example.com" }, { host: "spire.example.com", managedRoute: true, own }],
  [
    "the operator's host",
    { endpointHost: `federation.${INGRESS}` },
    { host: `federation.${INGRESS}`, managedRoute: true },
  ],
  [
    "the operator's host, which is below no ingress domain",
    { endpointHost: "federation.cluster1.example.com", trustDomain: "cluster1.example.com" },
    { host: "federation.cluster1.example.com", managedRoute: true },
  ],
  ["labels", { routeLabels: shard }, { host: `federation.${INGRESS}`, managedRoute: true, own: { labels: shard } }],
  [
    "both",
    { endpointHost: "spire.shard.example.com", routeLabels: shard },
    { host: "spire.shard.example.com", managedRoute: true, own: { labels: shard } },
  ],
])("the config's %s decide about the Route", (_, args, expected) => {
  expect(federationRoute({ trustDomain: INGRESS, ...args }, INGRESS)).toEqual(expected);
});

it("is the operator's, or one of its own name, of any host", () => {
  const hosts = fc.constantFrom(undefined, "spire.example.com", `federation.${INGRESS}`);
  const labels = fc.constantFrom(undefined, {}, shard);
  fc.assert(
    fc.property(
      fc.constantFrom(INGRESS, "other.example.com", "a_b"),
      hosts,
      labels,
      (trustDomain, host, routeLabels) => {
        const args = { trustDomain, ...(host && { endpointHost: host }), ...(routeLabels && { routeLabels }) };
        const route = federationRoute(args, INGRESS);
        // The operator's Route has this host and no label of ours.
        if (route.own === undefined) expect([route.host, routeLabels ?? {}]).toEqual([`federation.${trustDomain}`, {}]);
        if (host !== undefined) expect(route.host).toBe(host);
        expect(route.own?.labels ?? {}).toEqual(routeLabels ?? {});
      },
    ),
  );
});

describe("a Route of our own", () => {
  const spec = async (endpoint: BundleEndpointSpec): Promise<unknown> => {
    const ownRoute = { labels: { type: "sharded" } };
    const asked = { host: "federation.a.b", federation: federationSpec(endpoint, []), ownRoute };
    const program = (): unknown => {
      const parent = new pulumi.ComponentResource("a:b:C", "it");
      return makeRoute(parent, clusterOf(), "route", asked, pulumi.output(""));
    };
    const route = named(await record(program), "route");
    expect(route.type).toBe("kubernetes:route.openshift.io/v1:Route");
    expect(route.inputs["metadata"]).toEqual({
      name: "spire-federation-endpoint",
      labels: { type: "sharded" },
      namespace: "zero-trust-workload-identity-manager",
      annotations: {
        "pulumi.com/skipAwait": "true",
        "pulumi.com/patchForce": "true",
        "pulumi.com/deletionPropagationPolicy": "background",
      },
    });
    return route.inputs["spec"];
  };
  const expected = (tls: object): object => ({
    host: "federation.a.b",
    to: { kind: "Service", name: "spire-server", weight: 100 },
    port: { targetPort: "federation" },
    wildcardPolicy: "None",
    tls: { insecureEdgeTerminationPolicy: "Redirect", ...tls },
  });

  it("re-encrypts with the certificate of the secret, as the operator's does", async () => {
    const servingCert = { fileSyncInterval: 86400, externalSecretRef: "tls" };
    expect(await spec({ profile: "https_web", refreshHint: 300, httpsWeb: { servingCert } })).toEqual(
      expected({ termination: "reencrypt", externalCertificate: { name: "tls" } }),
    );
  });

  it.each<[string, BundleEndpointSpec]>([
    ["https_spiffe", { profile: "https_spiffe", refreshHint: 300 }],
    [
      "a certificate that SPIRE gets itself",
      {
        profile: "https_web",
        refreshHint: 300,
        httpsWeb: {
          acme: { directoryUrl: "https://ca/dir", domainName: "federation.a.b", email: "ops@a.b", tosAccepted: "true" },
        },
      },
    ],
  ])("passes TLS through with %s", async (_, endpoint) => {
    expect(await spec(endpoint)).toEqual(expected({ termination: "passthrough" }));
  });
});
