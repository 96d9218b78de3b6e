/** What others are told of a member, in a form that they can use as it is. */
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { X509Certificate } from "node:crypto";
import { parse, parseAllDocuments } from "yaml";
import { type ContractWorld, contracts, type MemberContract } from "../../../mesh/contract/contracts";
import { printContracts, printForm } from "../../../mesh/contract/contractText";
import type { Presented } from "../../../mesh/verify/presented";
import type { Contract } from "../../../stacks/contract";
import { issue, root, rootKey } from "../../components/issue";
import { configOf } from "../../stacks/fixtures";
import { memberOf } from "../members/given";

const DOMAIN = "apps.cluster1.example.com";
const URL = "https://federation.apps.cluster1.example.com";
const ID = `spiffe://${DOMAIN}/spire/server`;
const its = root(DOMAIN);
const fingerprint = its.certificate.fingerprint256.replaceAll(":", "").toLowerCase();
const jwtKey = {
  use: "jwt-svid",
  kid: "k",
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }),
};
const spki = createPublicKey({ key: jwtKey, format: "jwk" }).export({ type: "spki", format: "der" });
const jwtFingerprint = createHash("sha256").update(spki).digest("hex");
const bundle = { keys: [rootKey(its), jwtKey] };
const web: Contract = { version: 1, trustDomain: DOMAIN, bundleEndpointUrl: URL, profile: "https_web" };
const spiffe: Contract = { ...web, profile: "https_spiffe", endpointSpiffeId: ID, caCertificates: its.pem };
const presents = (certificate: X509Certificate, more: Partial<Presented> = {}): Presented => ({
  ...{ certificate, refused: undefined, status: 200, body: JSON.stringify(bundle) },
  ...more,
});
const named = presents(issue("web", { dnsNames: [new globalThis.URL(URL).hostname] }).certificate);
const svid = presents(issue("svid", { uris: [ID] }).certificate);

const told = (
  federation: Contract | undefined,
  presented: Presented | Error = federation?.profile === "https_spiffe" ? svid : named,
): ReturnType<typeof contracts> => contracts([memberOf(configOf())], worldOf(federation, presented), 2);

const worldOf = (federation: Contract | undefined, presented: Presented | Error): ContractWorld => ({
  published: () => Promise.resolve({ pendingPeers: [], peers: {}, ...(federation && { federation }) }),
  endpoint: () => (presented instanceof Error ? Promise.reject(presented) : Promise.resolve(presented)),
  now: () => new Date(),
});

describe("an entry of peers", () => {
  const entryOf = async (federation: Contract): Promise<unknown> => {
    const said = parse(printForm(await told(federation), "peers")) as { "spire-federation:peers": unknown[] };
    return said["spire-federation:peers"];
  };

  test.each([
    ["https_web", web],
    ["https_web with a CA of its own", { ...web, caCertificates: issue("CA", { ca: true }).pem }],
    ["https_spiffe", spiffe],
  ])("of a member with %s is one that a config takes", async (_, federation) => {
    const peers = await entryOf(federation);
    const trustDomain = "partner.example.org";
    const [peer] = configOf(
      { peers, trustDomain },
      { organization: "acme", project: "theirs", stack: "partner" },
    ).peers;
    expect(peer?.name).toBe("cluster1");
    expect(peer?.publication).toMatchObject({
      trustDomain: DOMAIN,
      bundleEndpointUrl: URL,
      profile: federation.profile,
      fingerprints: [fingerprint, jwtFingerprint],
    });
    expect(peer?.publication?.endpointSpiffeId).toBe(federation.endpointSpiffeId);
  });

  test("with https_spiffe has the whole bundle that the endpoint serves", async () => {
    const [entry] = (await entryOf(spiffe)) as { bundle: string }[];
    expect(JSON.parse(entry?.bundle ?? "")).toEqual(bundle);
  });
});

test("a ClusterFederatedTrustDomain has the bundle where the endpoint cannot be verified without", async () => {
  const objectOf = async (federation: Contract): Promise<unknown> =>
    parseAllDocuments(printForm(await told(federation), "cftd")).map((one) => one.toJS() as unknown)[0];
  const spec = { trustDomain: DOMAIN, bundleEndpointURL: URL, className: "zero-trust-workload-identity-manager-spire" };
  expect(await objectOf(web)).toEqual({
    apiVersion: "spire.spiffe.io/v1alpha1",
    kind: "ClusterFederatedTrustDomain",
    metadata: { name: "cluster1-federation" },
    spec: { ...spec, bundleEndpointProfile: { type: "https_web" } },
  });
  expect(await objectOf(spiffe)).toMatchObject({
    spec: {
      ...spec,
      bundleEndpointProfile: { type: "https_spiffe", endpointSPIFFEID: ID },
      trustDomainBundle: expect.stringContaining("jwt-svid") as string,
    },
  });
});

test("server.conf has a block for each profile, and how the bundle is set", async () => {
  expect(printForm(await told(web), "server.conf")).toBe(
    `federates_with "${DOMAIN}" {\n  bundle_endpoint_url = "${URL}"\n  bundle_endpoint_profile "https_web" {}\n}\n`,
  );
  const said = printForm(await told(spiffe), "server.conf");
  expect(said).toContain(`bundle_endpoint_profile "https_spiffe" {\n    endpoint_spiffe_id = "${ID}"\n  }\n`);
  expect(said).toContain(`# `);
  expect(said).toContain(`spire-server bundle set -format spiffe -id spiffe://${DOMAIN} -path cluster1.json`);
});

test.each<[string, Partial<Contract>]>([
  ["trust domain", { trustDomain: 'evil"\n}\nplugins {\n  KeyManager "x" {}' }],
  ["URL", { bundleEndpointUrl: 'https://evil.example.com"\n}' }],
  ["SPIFFE ID", { endpointSpiffeId: `${ID}\n\u001b[2J` }],
])("a published %s that is none is told to nobody, whatever the form", async (_, more) => {
  const result = await told({ ...spiffe, ...more }, new Error("not asked"));
  expect(result).toEqual([
    { member: "cluster1", because: expect.stringMatching(/publishes what cannot be used/) as string },
  ]);
  for (const form of ["peers", "cftd", "server.conf", "bundle"] as const) {
    expect(printForm(result, form)).toMatch(/^# [ -~]*\n$/);
  }
});

test("the bundle by itself is what SPIRE takes", async () => {
  expect(JSON.parse(printForm(await told(web), "bundle"))).toEqual(bundle);
});

test("all forms are shown together, and nothing secret is", async () => {
  const text = printContracts(await told(spiffe));
  expect(text).toMatch(
    /^cluster1 \(apps\.cluster1\.example\.com\)[^]*peers:[^]*ClusterFederatedTrustDomain[^]*federates_with/,
  );
  expect(text).not.toContain("PRIVATE");
});

describe("the roots", () => {
  const unknown = async (...of: Parameters<typeof told>): Promise<unknown> =>
    ((await told(...of))[0] as MemberContract).rootsUnknown;

  test.each<[string, Presented | Error, RegExp]>([
    ["cannot be reached", new Error("ECONNREFUSED"), /ECONNREFUSED/],
    ["is vouched for by nobody", presents(named.certificate, { refused: "SELF_SIGNED" }), /refused: SELF_SIGNED/],
    ["presents another name", svid, /it is for URI:/],
    ["redirects", presents(named.certificate, { status: 302 }), /HTTP status 302/],
    ["serves a page", presents(named.certificate, { body: "<html>" }), /is not a JWKS/],
    [
      "serves another trust domain's",
      presents(named.certificate, { body: JSON.stringify({ keys: [rootKey(root("evil.example.com"))] }) }),
      /evil\.example\.com/,
    ],
  ])("are not known from an endpoint that %s, and each form says so", async (_, presented, why) => {
    expect(await unknown(web, presented)).toMatch(why);
    const result = await told(web, presented);
    for (const form of ["peers", "cftd", "server.conf"] as const) {
      expect(printForm(result, form)).toMatch(/^# cluster1: its roots are not known: /);
      expect(printForm(result, form)).toContain(DOMAIN);
    }
  });

  test("are those that the stack has published, where its endpoint cannot be asked", async () => {
    for (const published of [spiffe, { ...web, roots: its.pem }]) {
      const [result] = await told(published, new Error("ECONNREFUSED"));
      expect(result).toMatchObject({ fingerprints: [fingerprint] });
      expect(result).not.toHaveProperty("rootsUnknown");
    }
  });

  test("are not known where those have expired, and it says what to run", async () => {
    const hour = 3600 * 1000;
    const times = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
    const old = { ...spiffe, caCertificates: root(DOMAIN, times).pem };
    expect(await unknown(old, new Error("ECONNREFUSED"))).toMatch(
      /ECONNREFUSED; .*no root that is valid.*run npx pulumi up --stack cluster1 /,
    );
  });
});

test("a member that has published nothing is named with the reason", async () => {
  const result = await told(undefined);
  expect(result).toEqual([{ member: "cluster1", because: "its stack has published no bundle endpoint yet" }]);
  expect(printForm(result, "peers")).toBe("# cluster1: its stack has published no bundle endpoint yet\n");
  expect(printContracts(result)).toBe("cluster1: its stack has published no bundle endpoint yet\n");
});
