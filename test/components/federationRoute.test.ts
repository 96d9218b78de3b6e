import { federationRoute, makeRoute } from "../../components/federationRoute";
import { federationSpec, type BundleEndpointSpec } from "../../components/federationSpec";
import * as pulumi from "@pulumi/pulumi";
import { named, record } from "../mocks";

const INGRESS = "apps.cluster1.example.com";

it.each([
  ["the ingress domain", INGRESS, `federation.${INGRESS}`, true],
  ["a domain under it", `spire.${INGRESS}`, `federation.spire.${INGRESS}`, true],
  ["the cluster's own domain", "cluster1.example.com", `federation.${INGRESS}`, false],
  ["what only ends like it", `my${INGRESS}`, `federation.${INGRESS}`, false],
  ["no domain of DNS", `a_b.${INGRESS}`, `federation.${INGRESS}`, false],
])("a trust domain that is %s is served where the router serves it", (_, trustDomain, host, managed) => {
  expect(federationRoute(trustDomain, INGRESS)).toEqual({ host, managed });
});

describe("a Route of our own", () => {
  const spec = async (endpoint: BundleEndpointSpec): Promise<unknown> => {
    const asked = pulumi.output({ host: "federation.a.b", federation: federationSpec(endpoint, [], false) });
    const route = named(
      await record(() => makeRoute(new pulumi.ComponentResource("a:b:C", "it"), "route", asked)),
      "route",
    );
    expect(route.type).toBe("kubernetes:route.openshift.io/v1:Route");
    expect(route.inputs["metadata"]).toEqual({
      name: "spire-server-federation",
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
