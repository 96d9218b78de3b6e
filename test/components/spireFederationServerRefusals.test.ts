import { SpireFederationServer, type SpireFederationServerArgs } from "../../components/spireFederationServer";
import { record } from "../mocks";
import { issue } from "./issue";
import { DOMAIN, HOST, peer } from "./given";

const servingCert = { externalSecretRef: "spire-server-federation-tls" };
const args: SpireFederationServerArgs = { trustDomain: DOMAIN, host: HOST, servingCert };

describe("refuses", () => {
  const acme = { directoryUrl: "https://ca/dir", email: "ops@a.bc", tosAccepted: true };
  it.each<[string, Partial<SpireFederationServerArgs>, string[]]>([
    ["a trust domain and a host that are none", { trustDomain: "A", host: "b" }, ["trustDomain", "host"]],
    ["a hint out of range", { refreshHint: 59 }, ["refreshHint"]],
    [
      "an interval out of range",
      { servingCert: { ...servingCert, fileSyncInterval: 60 } },
      ["servingCert.fileSyncInterval"],
    ],
    ["two certificates", { acme }, ["profile"]],
    [
      "a secret beside the router's certificate",
      { servingCert: { ...servingCert, routerCertificate: true } },
      ["servingCert.externalSecretRef"],
    ],
    [
      "a probe that ACME's one host does not answer",
      { servingCert: undefined as never, acme, probe: "cluster" },
      ["probe"],
    ],
    ["no certificate", { servingCert: undefined as never }, ["profile"]],
    ["a certificate with https_spiffe", { profile: "https_spiffe" }, ["profile"]],
    [
      "an ACME account that is none",
      { servingCert: undefined as never, acme: { ...acme, directoryUrl: "x", email: "x" } },
      ["acme.directoryUrl", "acme.email"],
    ],
    [
      "a CA with a private key",
      { endpointCaCertificates: issue("ca", { ca: true }).keyPem },
      ["endpointCaCertificates"],
    ],
    ["its own trust domain as a peer", { federatesWith: [{ ...peer, trustDomain: DOMAIN }] }, ["federatesWith[0]"]],
    [
      "what the API server takes of a SpireServer and SPIRE does not",
      { manage: { jwtIssuer: "https://a", caValidity: "1d", federation: {} } },
      ["manage.caValidity", "manage.federation"],
    ],
  ])("%s", async (_, changed, expected) => {
    let message = "";
    const seen = await record(() => {
      try {
        new SpireFederationServer("server", { ...args, ...changed });
      } catch (error) {
        message = (error as Error).message;
      }
    });
    expect(
      message
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(":")[0]),
    ).toEqual(expected);
    expect(seen.map(({ name }) => name)).toEqual(["server"]);
  });
});
