import {
  differences,
  factsForServer,
  factsOfServerConf,
  factsOfSpec,
  federationSpec,
  withoutPeers,
} from "../../../components/spireServer/federationSpec";
import type { BundleEndpointSpec } from "../../../components/route/federation";
import type { Peer } from "../../../components/bundle/peer";

const web: Peer = {
  stack: "cluster2",
  trustDomain: "apps.cluster2.example.com",
  bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
  profile: "https_web",
};
const spiffe: Peer = {
  ...web,
  trustDomain: "apps.cluster3.example.com",
  bundleEndpointUrl: "https://federation.apps.cluster3.example.com",
  profile: "https_spiffe",
  endpointSpiffeId: "spiffe://apps.cluster3.example.com/spire/server",
};
const servingCert: BundleEndpointSpec = {
  profile: "https_web",
  refreshHint: 300,
  httpsWeb: { servingCert: { fileSyncInterval: 86400, externalSecretRef: "spire-server-federation-tls" } },
};
const acme: BundleEndpointSpec = {
  profile: "https_web",
  refreshHint: 60,
  httpsWeb: {
    acme: { directoryUrl: "https://acme/dir", domainName: "federation.a.b", email: "ops@a.b", tosAccepted: "true" },
  },
};

/** server.conf as the operator writes it (release 1.0.0). */
function serverConf(refreshHint: string, profile: object, federatesWith?: object): string {
  const bundle_endpoint = { address: "0.0.0.0", port: 8443, refresh_hint: refreshHint, profile };
  const federation = { bundle_endpoint, ...(federatesWith && { federates_with: federatesWith }) };
  return JSON.stringify({ server: { trust_domain: "apps.cluster1.example.com", federation }, plugins: {} }, null, 2);
}
const certFile = (interval: string): object => ({
  https_web: {
    serving_cert_file: {
      cert_file_path: "/run/spire/server-tls/tls.crt",
      file_sync_interval: interval,
      key_file_path: "/run/spire/server-tls/tls.key",
    },
  },
});
const peersConf = {
  "apps.cluster3.example.com": {
    bundle_endpoint_url: "https://federation.apps.cluster3.example.com",
    bundle_endpoint_profile: { https_spiffe: { endpoint_spiffe_id: spiffe.endpointSpiffeId } },
  },
  "apps.cluster2.example.com": {
    bundle_endpoint_url: "https://federation.apps.cluster2.example.com",
    bundle_endpoint_profile: { https_web: {} },
  },
};
const acmeConf = {
  directory_url: "https://acme/dir",
  domain_name: "federation.a.b",
  email: "ops@a.b",
  tos_accepted: true,
};

it("is the procedure's, with the peers by trust domain and no empty list", () => {
  expect(federationSpec(servingCert, [])).toEqual({ bundleEndpoint: servingCert, managedRoute: "true" });
  expect(federationSpec(servingCert, [spiffe, web])).toEqual({
    bundleEndpoint: servingCert,
    managedRoute: "true",
    federatesWith: [
      {
        trustDomain: "apps.cluster2.example.com",
        bundleEndpointUrl: "https://federation.apps.cluster2.example.com",
        bundleEndpointProfile: "https_web",
      },
      {
        trustDomain: "apps.cluster3.example.com",
        bundleEndpointUrl: "https://federation.apps.cluster3.example.com",
        bundleEndpointProfile: "https_spiffe",
        endpointSpiffeId: "spiffe://apps.cluster3.example.com/spire/server",
      },
    ],
  });
});

describe("server.conf", () => {
  it.each<[string, BundleEndpointSpec, Peer[], string]>([
    ["a serving certificate", servingCert, [], serverConf("300s", certFile("86400s"))],
    ["other words for the same time", servingCert, [], serverConf("5m0s", certFile("24h0m0s"))],
    ["peers in another order", servingCert, [web, spiffe], serverConf("300s", certFile("86400s"), peersConf)],
    ["ACME", acme, [], serverConf("60s", { https_web: { acme: acmeConf } })],
    ["https_spiffe", { profile: "https_spiffe", refreshHint: 300 }, [], serverConf("300s", { https_spiffe: {} })],
  ])("says what the specification says, with %s", (_, endpoint, peers, conf) => {
    const facts = factsOfServerConf(conf);
    expect(differences(factsForServer(federationSpec(endpoint, peers)), facts ?? new Map<string, string>())).toEqual(
      [],
    );
  });

  it.each(["", "{}", "not JSON", "null", '{"server":{}}', '{"server":{"federation":{}}}'])(
    "has no federation: %s",
    (conf) => {
      expect(factsOfServerConf(conf)).toBeUndefined();
    },
  );

  it("tells every difference by name, with what is and what was asked for", () => {
    const conf = factsOfServerConf(
      serverConf("60s", certFile("3600s"), { "old.example.com": peersConf["apps.cluster2.example.com"] }),
    );
    expect(differences(factsForServer(federationSpec(servingCert, [web])), conf ?? new Map<string, string>())).toEqual([
      "refreshHint is 60s, asked for is 300s",
      "fileSyncInterval is 3600s, asked for is 86400s",
      "federatesWith apps.cluster2.example.com is not set, asked for is https_web https://federation.apps.cluster2.example.com",
      "federatesWith old.example.com is https_web https://federation.apps.cluster2.example.com, asked for is none",
    ]);
  });

  it("tells an ACME account and an endpoint's SPIFFE ID apart", () => {
    const other = factsOfServerConf(serverConf("60s", { https_web: { acme: { ...acmeConf, tos_accepted: false } } }));
    expect(differences(factsForServer(federationSpec(acme, [])), other ?? new Map<string, string>())).toEqual([
      "acme.tosAccepted is false, asked for is true",
    ]);
    const ids = [spiffe, { ...spiffe, endpointSpiffeId: "spiffe://x/y" }].map((peer) =>
      factsForServer(federationSpec(acme, [peer])),
    );
    expect(differences(ids[0] ?? new Map<string, string>(), ids[1] ?? new Map<string, string>())).toHaveLength(1);
  });
});

it("counts the Route's part to the specification, not to the server's", () => {
  const spec = federationSpec(servingCert, [web]);
  expect(differences(factsForServer(spec), factsOfSpec(spec))).toEqual([
    "managedRoute is true, asked for is none",
    "externalSecretRef is spire-server-federation-tls, asked for is none",
  ]);
  expect([...withoutPeers(factsOfSpec(spec)).keys()].filter((name) => name.startsWith("federatesWith"))).toEqual([]);
});
